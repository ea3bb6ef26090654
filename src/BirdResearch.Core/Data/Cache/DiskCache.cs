using System.Globalization;
using System.Runtime.InteropServices;

namespace BirdResearch.Data;

/// <summary>
/// Decoded sound, and what was found in it, on disk, so that neither a second epoch nor a second process decodes again. Entries are
/// written beside and renamed, and checked when they are read. Any number of threads and processes may share a folder, and anybody may
/// delete it or parts of it at any time. When it is full, what was not used for longest goes first; what this object's
/// reader has used stays, since epochs pass over all recordings in turn and would always drop what is needed next.
/// </summary>
public sealed class DiskCache
{
    /// <summary>Most bytes unless told otherwise: 43 hours at 32 kHz.</summary>
    public const long DefaultBytes = 20L << 30;

    const string FolderVariable = "BIRD_CACHE", SizeVariable = "BIRD_CACHE_GB";

    readonly CacheFolder _files;
    readonly Lock _gate = new();
    long _hits, _known = -1, _unseen, _restUntil;
    string? _trouble;

    /// <param name="folder">Made when something is kept.</param>
    /// <param name="limitBytes">Most bytes of all entries; 1 GiB of the disk is left free all the same.</param>
    public DiskCache(string folder, long limitBytes = DefaultBytes)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(folder);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limitBytes);
        (_files, Limit) = (new CacheFolder(folder), limitBytes);
    }

    /// <summary>
    /// The cache that the environment asks for: in the folder that <c>BIRD_CACHE</c> names, else in <c>data/.cache</c> of the checkout;
    /// <c>BIRD_CACHE=off</c> gives none. <c>BIRD_CACHE_GB</c> is its size in GiB, 20 unless set.
    /// </summary>
    public static DiskCache? FromEnvironment()
    {
        var folder = Environment.GetEnvironmentVariable(FolderVariable);
        if (string.Equals(folder, "off", StringComparison.OrdinalIgnoreCase)) return null;
        var size = Environment.GetEnvironmentVariable(SizeVariable);
        if (string.IsNullOrWhiteSpace(size)) return new DiskCache(Folder());
        return double.TryParse(size, CultureInfo.InvariantCulture, out var gigabytes) && gigabytes is > 0 and <= 1e6
            ? new DiskCache(Folder(), (long)(gigabytes * (1L << 30)))
            : throw new ArgumentException($"{SizeVariable} is '{size}'; expected a number of GiB above 0, or {FolderVariable}=off for no cache.");

        string Folder() => string.IsNullOrWhiteSpace(folder) ? Path.Combine(Folders.Data, ".cache") : Path.GetFullPath(folder);
    }

    /// <summary>Where it lies.</summary>
    public string Root => _files.Root;

    /// <summary>Most bytes of all entries.</summary>
    public long Limit { get; }

    /// <summary>Reads that were served.</summary>
    public long Hits => Interlocked.Read(ref _hits);

    /// <summary>Why nothing is kept any more, in a sentence; null while it works.</summary>
    public string? Trouble => Volatile.Read(ref _trouble);

    /// <summary>Bytes of all entries now in the folder.</summary>
    public long Measure() => _files.Entries().Sum(e => e.Bytes);

    /// <summary>Whether that many bytes more would be kept.</summary>
    public bool Accepts(long bytes)
    {
        if (Trouble is not null) return false;
        lock (_gate) return MakeRoom(CacheFolder.OnDisk(CacheEntry.SizeOf(bytes)));
    }

    /// <summary>The values kept under that key, or null.</summary>
    internal T[]? Read<T>(string key)
        where T : unmanaged
    {
        var path = _files.PathOf(key);
        return Served(path, () => CacheEntry.Read<T>(path, key));
    }

    /// <summary>Values from <paramref name="offset"/> on; false where they are not kept, with <paramref name="into"/> in any state.</summary>
    internal bool TryRead<T>(string key, long offset, Span<T> into)
        where T : unmanaged
    {
        var path = _files.PathOf(key);
        try
        {
            if (!CacheEntry.TryRead(path, key, offset, into)) return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
        Used(path);
        return true;
    }

    /// <summary>Keeps values under a key; false where there is no room, or where the disk does not take them.</summary>
    internal bool Write<T>(string key, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        if (Trouble is not null) return false;
        var bytes = MemoryMarshal.AsBytes(values);
        var size = CacheFolder.OnDisk(CacheEntry.SizeOf(bytes.Length));
        lock (_gate)
        {
            if (!MakeRoom(size)) return false;
            (_known, _unseen) = (_known + size, _unseen + size);
        }
        try
        {
            _files.Write(key, bytes);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Interlocked.CompareExchange(ref _trouble, $"Decoded sound is no longer kept in {Root}: {e.Message} " +
                $"The run goes on and decodes again where it must. Free some space, or set {FolderVariable} to a folder that can be written, or to off.", null);
            return false;
        }
    }

    T? Served<T>(string path, Func<T?> read)
        where T : class
    {
        try
        {
            if (read() is not { } found) return null;
            Used(path);
            return found;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;   // decoding will do
        }
    }

    void Used(string path)
    {
        Interlocked.Increment(ref _hits);
        _files.MarkUsed(path);
    }

    /// <summary>Whether an entry of that size fits, after dropping old ones where needed. Looks at the folder when others may have changed it.</summary>
    bool MakeRoom(long size)
    {
        if (size > Limit) return false;
        if (_known >= 0 && _known + size <= Limit && _unseen <= Limit / 16) return true;
        if (_known >= 0 && _known + size > Limit && Environment.TickCount64 < _restUntil) return false;
        (_known, _unseen) = (_files.Shrink(Limit, size), 0);
        var fits = _known + size <= Limit;
        _restUntil = fits ? 0 : Environment.TickCount64 + 10_000;   // a folder that stays full is not searched for every recording
        return fits;
    }
}
