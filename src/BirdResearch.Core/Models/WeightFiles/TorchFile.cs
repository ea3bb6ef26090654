using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>Tensors of a file that <c>torch.save</c> wrote, whichever way their storages lie in it.</summary>
abstract class TorchFile : WeightFile
{
    /// <summary>The most bytes of pickles, which describe tensors but hold none of their values.</summary>
    protected const long LongestPickle = 1 << 26;

    readonly Dictionary<string, PickledTensor> _tensors;

    protected TorchFile(string path, string section, IReadOnlyList<(string Key, PickledTensor Tensor)> tensors) : base(path)
    {
        Section = section;
        _tensors = tensors.ToDictionary(t => t.Key, t => t.Tensor);
        Entries = [.. tensors.Select(t => new WeightEntry(t.Key, t.Tensor.Type, t.Tensor.Shape))];
    }

    public override string Section { get; }

    public override IReadOnlyList<WeightEntry> Entries { get; }

    public override Tensor Read(string key)
    {
        var given = _tensors.GetValueOrDefault(key) ?? throw new KeyNotFoundException($"'{Path}' holds no tensor '{key}'.");
        using var scope = NewDisposeScope();
        if (given.Shape.Contains(0)) return zeros(given.Shape, given.Type).MoveToOuterDisposeScope();
        var extent = 1 + given.Shape.Zip(given.Strides, (length, stride) => (length - 1) * stride).Sum(); // checked when it was opened
        try
        {
            using var stream = Storage(given.Storage.Key, given.Offset * TorchObjects.SizeOf(given.Type));
            var flat = TensorBytes.Read(stream, given.Type, [extent]);
            return flat.as_strided(given.Shape, given.Strides, 0L).contiguous().MoveToOuterDisposeScope();
        }
        catch (Exception e) when (e is EndOfStreamException or InvalidDataException)
        {
            throw TorchObjects.Broken(Path, $"the values of '{TorchObjects.Shown(key)}' cannot be read ({e.Message})");
        }
    }

    /// <summary>The bytes of a storage from the given one on.</summary>
    protected abstract Stream Storage(string key, long skip);

    /// <summary>Refuses a tensor whose storage has fewer bytes in the file than the pickle says, or is not there.</summary>
    protected static void RequireStorages(string path, IEnumerable<(string Key, PickledTensor Tensor)> tensors, Func<string, long?> bytesOf)
    {
        foreach (var (key, tensor) in tensors)
        {
            var storage = tensor.Storage;
            var needed = storage.Count * TorchObjects.SizeOf(storage.Type);
            if (bytesOf(storage.Key) is not { } there)
                throw TorchObjects.Broken(path, $"the values of '{TorchObjects.Shown(key)}' (storage '{TorchObjects.Shown(storage.Key)}') are missing");
            if (there < needed)
                throw TorchObjects.Broken(path, $"storage '{TorchObjects.Shown(storage.Key)}' of '{TorchObjects.Shown(key)}' has {there} bytes, but is said to have {needed}");
        }
    }
}
