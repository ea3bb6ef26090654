using System.Security.Cryptography;
using System.Text;

namespace BirdResearch.Data;

/// <summary>The files of a <see cref="DiskCache"/>: 256 folders, each entry named by the SHA-256 of its key, its time that of its last use.</summary>
sealed class CacheFolder(string root)
{
    const string Ending = ".kept", Unfinished = ".partial";
    const long DiskBlock = 4096, LeftFree = 1L << 30;

    readonly DateTime _opened = DateTime.UtcNow;

    /// <summary>Absolute folder.</summary>
    public string Root { get; } = Path.GetFullPath(root);

    /// <summary>Bytes that a file takes on disk.</summary>
    public static long OnDisk(long bytes) => (bytes + DiskBlock - 1) / DiskBlock * DiskBlock;

    /// <summary>Where the entry of a key lies.</summary>
    public string PathOf(string key)
    {
        var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)).AsSpan(0, 16));
        return Path.Combine(Root, name[..2], name + Ending);
    }

    /// <summary>Writes an entry beside its place and renames it.</summary>
    public void Write(string key, ReadOnlySpan<byte> values)
    {
        var path = PathOf(key);
        var beside = $"{path}.{Guid.NewGuid():N}{Unfinished}";
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                CacheEntry.Write(beside, key, values);
                File.Move(beside, path, overwrite: true);
                return;
            }
            catch (IOException) when (attempt < 4)
            {
                Delete(beside);   // somebody may delete the folder just now, which fails in several ways: making it can even say that it exists
            }
            catch
            {
                Delete(beside);
                if (File.Exists(path)) return;   // Windows does not replace a file that another process reads
                throw;
            }
        }
    }

    /// <summary>Makes this the entry that was used last.</summary>
    public void MarkUsed(string path)
    {
        try
        {
            File.SetLastWriteTimeUtc(path, DateTime.UtcNow);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Gone, or not ours to change: it was read all the same.
        }
    }

    /// <summary>Every entry with its bytes on disk and its last use. Other files in the folder are not looked at.</summary>
    public IEnumerable<(string Path, long Bytes, DateTime Used)> Entries()
    {
        foreach (var file in Files())
            if (file.Extension == Ending && Measured(file) is { } entry) yield return (file.FullName, entry.Bytes, entry.Used);
    }

    /// <summary>
    /// Drops entries that were last used before this object was made, the oldest first, until a tenth of the limit is free, if
    /// <paramref name="more"/> bytes do not fit otherwise. Returns the bytes left (those that the disk has no room for counted in).
    /// </summary>
    public long Shrink(long limit, long more)
    {
        var entries = Entries().ToList();
        var bytes = entries.Sum(e => e.Bytes) + Missing(entries.Sum(e => e.Bytes), limit);
        foreach (var torn in Files().Where(f => f.Extension == Unfinished && Measured(f)?.Used < _opened.AddHours(-1)).ToList()) Delete(torn.FullName);
        if (bytes + more <= limit) return bytes;
        foreach (var entry in entries.Where(e => e.Used < _opened).OrderBy(e => e.Used))
        {
            if (bytes + more <= limit - limit / 10) break;
            if (Delete(entry.Path)) bytes -= entry.Bytes;
        }
        return bytes;
    }

    /// <summary>How many bytes of the limit the disk cannot give.</summary>
    long Missing(long held, long limit)
    {
        try
        {
            var free = new DriveInfo(Directory.Exists(Root) ? Root : Path.GetPathRoot(Root)!).AvailableFreeSpace;
            return Math.Max(0, limit - held - Math.Max(0, free - LeftFree));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return 0;
        }
    }

    IEnumerable<FileInfo> Files()
    {
        var options = new EnumerationOptions { IgnoreInaccessible = true };
        IEnumerable<T> Sure<T>(Func<IEnumerable<T>> list)
        {
            try
            {
                return [.. list()];
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return [];   // deleted while it was listed
            }
        }
        return Sure(() => new DirectoryInfo(Root).EnumerateDirectories("??", options)).SelectMany(d => Sure(() => d.EnumerateFiles("*", options)));
    }

    static (long Bytes, DateTime Used)? Measured(FileInfo file)
    {
        try
        {
            return (OnDisk(file.Length), file.LastWriteTimeUtc);
        }
        catch (IOException)
        {
            return null;
        }
    }

    static bool Delete(string path)
    {
        try
        {
            File.Delete(path);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
