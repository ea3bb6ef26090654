using System.IO.Compression;
using System.Text;

namespace BirdResearch.Models;

/// <summary>
/// A file of <c>torch.save</c> since PyTorch 1.6: a zip with <c>NAME/data.pkl</c> and a stored entry <c>NAME/data/KEY</c> for each storage.
/// Names in the zip are compared, never written to disk.
/// </summary>
sealed class TorchZip : TorchFile
{
    const string PickleName = "data.pkl";
    const int Ratio = 100, Small = 1 << 20;

    readonly ZipArchive _zip;
    readonly Dictionary<string, ZipArchiveEntry> _storages;

    TorchZip(string path, ZipArchive zip, string section, IReadOnlyList<(string, PickledTensor)> tensors, Dictionary<string, ZipArchiveEntry> storages)
        : base(path, section, tensors) => (_zip, _storages) = (zip, storages);

    public override string Format => "PyTorch (zip)";

    public static bool IsZip(ReadOnlySpan<byte> start) => start.StartsWith("PK\x03\x04"u8) || start.StartsWith("PK\x05\x06"u8);

    public static new TorchZip Open(string path)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        try
        {
            var zip = Unzipped(path, () =>
            {
                var archive = new ZipArchive(file, ZipArchiveMode.Read);
                _ = archive.Entries.Count; // reads the list at the file's end
                return archive;
            });
            RequireHonestSizes(zip, file.Length, path);
            var pickle = PickleOf(zip, path);
            var prefix = pickle.FullName[..^PickleName.Length];
            RequireLittleEndian(zip.GetEntry(prefix + "byteorder"), path);
            var (section, tensors) = TensorDictionary.In(Pickled(pickle, path), path);

            var folder = prefix + "data/";
            var storages = new Dictionary<string, ZipArchiveEntry>();
            foreach (var entry in zip.Entries.Where(e => e.FullName.StartsWith(folder, StringComparison.Ordinal)))
                if (!storages.TryAdd(entry.FullName[folder.Length..], entry)) throw TorchObjects.Broken(path, $"it holds '{TorchObjects.Shown(entry.FullName)}' twice");
            RequireStorages(path, tensors, key => storages.GetValueOrDefault(key)?.Length);
            return new TorchZip(path, zip, section, tensors, storages);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    protected override Stream Storage(string key, long skip)
    {
        var stream = _storages[key].Open();
        if (stream.CanSeek)
        {
            stream.Position += skip;
            return stream;
        }
        var passed = new byte[(int)Math.Min(skip, Small)];
        for (var left = skip; left > 0; left -= Math.Min(left, Small)) stream.ReadExactly(passed.AsSpan(0, (int)Math.Min(left, Small)));
        return stream;
    }

    protected override void Dispose(bool disposing) => _zip.Dispose();

    /// <summary>PyTorch stores its entries as they are. What claims more than the file can hold, or unpacks to much more, is no weight file.</summary>
    static void RequireHonestSizes(ZipArchive zip, long length, string path)
    {
        var packed = (Int128)0;
        foreach (var entry in zip.Entries)
        {
            packed += entry.CompressedLength;
            if (entry.Length > Small && entry.Length / Ratio > entry.CompressedLength)
                throw TorchObjects.Broken(path, $"'{TorchObjects.Shown(entry.FullName)}' would unpack from {entry.CompressedLength} to {entry.Length} bytes");
        }
        if (packed > length) throw TorchObjects.Broken(path, $"the entries of its zip claim {packed} bytes of a file of {length}");
    }

    static ZipArchiveEntry PickleOf(ZipArchive zip, string path)
    {
        if (zip.Entries.Any(e => e.FullName.EndsWith("/constants.pkl", StringComparison.Ordinal)))
            throw new InvalidDataException(
                $"'{path}' is a TorchScript program (torch.jit.save), which holds code beside weights. Save its state dictionary alone: " +
                "torch.save(model.state_dict(), 'weights.pth').");
        var pickles = zip.Entries.Where(e => e.FullName.EndsWith('/' + PickleName, StringComparison.Ordinal) || e.FullName == PickleName).ToList();
        return pickles.Count switch
        {
            1 => pickles[0],
            0 => throw new InvalidDataException($"'{path}' is a zip archive without data.pkl, so it is no weight file of PyTorch. Unpack it if the weights lie in it."),
            _ => throw TorchObjects.Broken(path, $"it holds {pickles.Count} files data.pkl"),
        };
    }

    static object? Pickled(ZipArchiveEntry entry, string path)
    {
        if (entry.Length > LongestPickle) throw TorchObjects.Broken(path, $"its data.pkl has {entry.Length} bytes, more than the {LongestPickle} allowed");
        var bytes = Bytes(entry, entry.Length, path);
        using var memory = new MemoryStream(bytes, writable: false);
        return PickleMachine.Read(memory, LongestPickle, path, new TorchObjects(path));
    }

    static void RequireLittleEndian(ZipArchiveEntry? entry, string path)
    {
        if (entry is null) return; // older files have none and are little-endian
        var said = Encoding.Latin1.GetString(Bytes(entry, Math.Min(entry.Length, 16), path)).Trim();
        if (said != "little")
            throw new InvalidDataException($"'{path}' was written in byte order '{TorchObjects.Shown(said)}'; only little is read. Save it on an ordinary machine, or as safetensors.");
    }

    static byte[] Bytes(ZipArchiveEntry entry, long count, string path) => Unzipped(path, () =>
    {
        var bytes = new byte[count];
        using var stream = entry.Open();
        stream.ReadExactly(bytes);
        return bytes;
    });

    static T Unzipped<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or ArgumentException or NotSupportedException)
        {
            throw TorchObjects.Broken(path, $"its zip archive is cut off or damaged ({e.Message})");
        }
    }
}
