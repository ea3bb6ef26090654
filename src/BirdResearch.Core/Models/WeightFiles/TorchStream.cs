using System.Buffers.Binary;
using System.Numerics;

namespace BirdResearch.Models;

/// <summary>
/// A file of <c>torch.save</c> before PyTorch 1.6, or of <c>_use_new_zipfile_serialization=False</c>: pickles one after the other (a magic
/// number, the protocol, the machine, the object, the keys of storages), then each storage with its count of elements before it.
/// </summary>
sealed class TorchStream : TorchFile
{
    const long Protocol = 1001;

    static readonly BigInteger Magic = BigInteger.Parse("1950a86a20f9469cfc6c", System.Globalization.NumberStyles.HexNumber, null);

    readonly FileStream _file;
    readonly IReadOnlyDictionary<string, (long Start, long Bytes)> _storages;

    TorchStream(string path, FileStream file, string section, IReadOnlyList<(string, PickledTensor)> tensors, IReadOnlyDictionary<string, (long, long)> storages)
        : base(path, section, tensors) => (_file, _storages) = (file, storages);

    public override string Format => "PyTorch (before 1.6)";

    public static bool IsPickle(ReadOnlySpan<byte> start) => start.Length > 2 && start[0] == (byte)PickleOpcode.Proto && start[1] is >= 2 and <= 5;

    public static new TorchStream Open(string path)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        try
        {
            var objects = new TorchObjects(path);
            object? Next() => PickleMachine.Read(file, LongestPickle, path, objects);

            if (Next() is not BigInteger magic || magic != Magic)
                throw new InvalidDataException($"'{path}' is a Python pickle, but not one that torch.save wrote. Save model.state_dict() with torch.save, or as safetensors.");
            if (Next() is not Protocol) throw TorchObjects.Broken(path, $"it is of another protocol than {Protocol}");
            if (Next() is not PickledDictionary machine || machine["little_endian"] is not true)
                throw new InvalidDataException($"'{path}' was written on a big-endian machine; only little is read. Save it on an ordinary machine, or as safetensors.");
            var root = Next();
            var keys = Next() is List<object?> listed && listed.All(k => k is string) ? listed.Cast<string>() : throw TorchObjects.Broken(path, "its list of storages is no list of texts");
            var (section, tensors) = TensorDictionary.In(root, path);
            var storages = Locate(file, keys, objects, path);
            RequireStorages(path, tensors, key => storages.TryGetValue(key, out var place) ? place.Bytes : null);
            return new TorchStream(path, file, section, tensors, storages);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    protected override Stream Storage(string key, long skip)
    {
        var stream = new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.Read);
        stream.Position = _storages[key].Start + skip;
        return stream;
    }

    protected override void Dispose(bool disposing) => _file.Dispose();

    static Dictionary<string, (long Start, long Bytes)> Locate(FileStream file, IEnumerable<string> keys, TorchObjects objects, string path)
    {
        var places = new Dictionary<string, (long, long)>();
        Span<byte> prefix = stackalloc byte[sizeof(long)];
        foreach (var key in keys)
        {
            if (objects.Storage.GetValueOrDefault(key) is not { } storage) throw TorchObjects.Broken(path, $"its storage '{TorchObjects.Shown(key)}' belongs to no tensor");
            if (file.Length - file.Position < prefix.Length) throw TorchObjects.Broken(path, $"storage '{TorchObjects.Shown(key)}' is cut off");
            file.ReadExactly(prefix);
            var count = BinaryPrimitives.ReadInt64LittleEndian(prefix);
            var left = file.Length - file.Position;
            var size = TorchObjects.SizeOf(storage.Type);
            if (count < 0 || count > left / size) throw TorchObjects.Broken(path, $"storage '{TorchObjects.Shown(key)}' is said to have {count} elements, but {left} bytes follow");
            if (!places.TryAdd(key, (file.Position, count * size))) throw TorchObjects.Broken(path, $"it holds storage '{TorchObjects.Shown(key)}' twice");
            file.Position += count * size;
        }
        return places;
    }
}
