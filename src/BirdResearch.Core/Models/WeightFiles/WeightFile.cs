using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// A file of weights that is open for reading: safetensors, or what PyTorch's <c>torch.save</c> writes (<c>.pth</c>, <c>.pt</c>, <c>.bin</c>).
/// The content decides which, not the name. Nothing in a file is ever executed.
/// </summary>
public abstract class WeightFile : IDisposable
{
    internal WeightFile(string path) => Path = path;

    /// <summary>Where it lies.</summary>
    public string Path { get; }

    /// <summary>Its format, in words.</summary>
    public abstract string Format { get; }

    /// <summary>Which of the file's dictionaries the tensors come from, such as <c>state_dict</c>; empty where the tensors lie at the top.</summary>
    public virtual string Section => "";

    /// <summary>Its tensors, in the order of the file.</summary>
    public abstract IReadOnlyList<WeightEntry> Entries { get; }

    /// <summary>Opens a file and checks everything but the values; one that is broken, or is no weight file, is an <see cref="InvalidDataException"/>.</summary>
    public static WeightFile Open(string path)
    {
        if (Directory.Exists(path)) throw new ArgumentException($"'{path}' is a folder; expected a weight file, .safetensors or .pth.");
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no weight file '{path}'.", path);
        var start = Beginning(path);
        if (TorchZip.IsZip(start)) return TorchZip.Open(path);
        if (TorchStream.IsPickle(start)) return TorchStream.Open(path);
        var looksLikeSafetensors = start.Length > 8 && start[8] == '{';
        if (!looksLikeSafetensors && ForeignContent.Name(start) is { } foreign)
            throw new InvalidDataException($"'{path}' holds no weights: {foreign}.");
        return new SafetensorsWeights(Safetensors.Open(path), path);
    }

    /// <summary>Reads one tensor into torch's memory, row-major.</summary>
    public abstract Tensor Read(string key);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the file.</summary>
    protected abstract void Dispose(bool disposing);

    static byte[] Beginning(string path)
    {
        using var file = File.OpenRead(path);
        var start = new byte[(int)Math.Min(file.Length, ForeignContent.Needed)];
        file.ReadExactly(start);
        return start;
    }
}
