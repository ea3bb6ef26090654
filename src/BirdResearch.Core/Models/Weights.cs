using BirdResearch.Kernels;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>Weights of a classifier in files, under timm's keys.</summary>
public static class Weights
{
    const int Shown = 5;

    // Left by DataParallel, by wrappers such as Lightning's, and by torch.compile.
    static readonly string[] Wrappers = ["module.", "model.", "_orig_mod."];

    /// <summary>Writes every parameter and buffer as safetensors, with free texts beside them.</summary>
    public static void Save(Classifier model, string path, IReadOnlyDictionary<string, string>? metadata = null) =>
        Safetensors.Write(path, StateDictionary.Of(model), metadata);

    /// <summary>
    /// Loads a file by key. All or nothing: a file that cannot be read or does not fit leaves the model as it was, and the error says which keys
    /// and shapes differ.
    /// </summary>
    public static LoadReport Load(Classifier model, string path, WeightFit fit = WeightFit.Strict)
    {
        using var file = WeightFile.Open(path);
        return Load(model, file, fit);
    }

    /// <summary>The same from an open file.</summary>
    public static LoadReport Load(Classifier model, WeightFile file, WeightFit fit = WeightFit.Strict)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var given = new Dictionary<string, WeightEntry>();
        foreach (var entry in file.Entries)
        {
            var bare = fit == WeightFit.Adapt ? Bare(entry.Key) : entry.Key;
            if (!given.TryAdd(bare, entry)) throw new InvalidDataException($"'{file.Path}' holds '{bare}' twice, with and without a prefix ({string.Join(", ", Wrappers)}).");
        }

        var all = new Dictionary<string, WeightEntry>(given);
        Tensor? Any(string key) => all.TryGetValue(key, out var entry) ? file.Read(entry.Key) : null;
        var (loaded, adapted, missing, wrong) = (new List<string>(), new List<string>(), new List<string>(), new List<string>());
        var plan = new List<(Tensor Target, Tensor Value)>();
        foreach (var (key, target) in StateDictionary.Of(model))
        {
            var inHead = model.IsHead(key);
            if (!given.Remove(key, out var entry))
            {
                missing.Add(key);
                // Files from before torch counted batches lack the count, which no computation reads.
                if (fit == WeightFit.Strict || !(inHead || key.EndsWith("num_batches_tracked", StringComparison.Ordinal)))
                    wrong.Add($"{key} {Shape(target.shape)} is missing");
            }
            else if (SafetensorsTypes.IsFloating(entry.Type) != SafetensorsTypes.IsFloating(target.dtype))
            {
                wrong.Add($"{key} is {entry.TypeName}, the model's is {target.dtype}");
            }
            else if (entry.Shape.SequenceEqual(target.shape))
            {
                plan.Add((target, file.Read(entry.Key)));
                loaded.Add(key);
            }
            else if (fit == WeightFit.Adapt && key == model.StemKey && SameBut(entry.Shape, target.shape, axis: 1))
            {
                plan.Add((target, ToChannels(file.Read(entry.Key), target.shape[1])));
                adapted.Add($"{key} from {entry.Shape[1]} to {target.shape[1]} channels");
            }
            else if (fit == WeightFit.Adapt && inHead && Trimmed(entry.Shape).SequenceEqual(Trimmed(target.shape)))
            {
                // A linear head and one of 1 x 1 convolutions hold the same numbers.
                plan.Add((target, file.Read(entry.Key).reshape(target.shape)));
                adapted.Add($"{key} from {Shape(entry.Shape)} to {Shape(target.shape)}");
            }
            else if (fit == WeightFit.Adapt && inHead && SameBut(Trimmed(entry.Shape), Trimmed(target.shape), axis: 0))
            {
                missing.Add(key);
            }
            else if (fit == WeightFit.Adapt && model.Adapt(key, file.Read(entry.Key), Any) is { } fitted && fitted.Value.shape.SequenceEqual(target.shape))
            {
                plan.Add((target, fitted.Value));
                adapted.Add($"{key} {fitted.Change}");
            }
            else
            {
                wrong.Add($"{key} is {Shape(entry.Shape)}, the model's is {Shape(target.shape)}");
            }
        }
        if (fit == WeightFit.Strict) wrong.AddRange(given.Values.Select(e => $"{e.Key} {Shape(e.Shape)} is not in the model"));
        if (wrong.Count > 0) throw Unfit(model, file.Path, wrong, fit);

        foreach (var (target, value) in plan) target.copy_(value);
        return new LoadReport(loaded, adapted, missing, [.. given.Keys]);
    }

    /// <summary>A key without the prefixes of wrappers.</summary>
    static string Bare(string key)
    {
        while (Wrappers.FirstOrDefault(w => key.StartsWith(w, StringComparison.Ordinal)) is { } wrapper) key = key[wrapper.Length..];
        return key;
    }

    static long[] Trimmed(IReadOnlyList<long> shape)
    {
        var length = shape.Count;
        while (length > 2 && shape[length - 1] == 1) length--;
        return [.. shape.Take(length)];
    }

    static bool SameBut(IReadOnlyList<long> a, IReadOnlyList<long> b, int axis) =>
        a.Count == b.Count && a.Count > axis && Enumerable.Range(0, a.Count).All(i => i == axis || a[i] == b[i]);

    /// <summary>
    /// timm's rule for a stem kernel (out, c, k, k): for one channel the sum, so that a grey image gives what it gave as RGB; for others the
    /// kernel repeated along its channels, cut, and scaled by c / channels.
    /// </summary>
    static Tensor ToChannels(Tensor kernel, long channels)
    {
        var wide = kernel.to(ScalarType.Float32);
        var given = wide.shape[1];
        if (channels == 1) return wide.sum([1], keepdim: true);
        var tiled = wide.repeat(1, (channels + given - 1) / given, 1, 1).narrow(1, 0, channels);
        return tiled.Times((double)given / channels);
    }

    static InvalidDataException Unfit(Classifier model, string path, List<string> wrong, WeightFit fit)
    {
        var shown = string.Join("; ", wrong.Take(Shown));
        var more = wrong.Count > Shown ? $"; and {wrong.Count - Shown} more" : "";
        var advice = fit == WeightFit.Strict ? " Loading with adaptation allows for other channels and classes." : "";
        return new($"'{path}' does not fit {model.ModelName} with {model.Classes} classes: {shown}{more}.{advice}");
    }

    static string Shape(IEnumerable<long> shape) => $"({string.Join(", ", shape)})";
}
