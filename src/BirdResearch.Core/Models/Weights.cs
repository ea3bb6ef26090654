using BirdResearch.Kernels;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>How a weight file may differ from the model.</summary>
public enum WeightFit
{
    /// <summary>The same keys and shapes.</summary>
    Strict,

    /// <summary>
    /// Other channel counts (the stem's kernel is summed or repeated), other classes or none (the head keeps its initial values) and whatever
    /// the model itself can fit (<see cref="Classifier.Adapt"/>) are adapted; keys may carry <c>module.</c>, and the file may hold more than
    /// the model needs.
    /// </summary>
    Adapt,
}

/// <summary>Weights of a classifier in safetensors files, under timm's keys.</summary>
public static class Weights
{
    const int Shown = 5;
    const string Wrapper = "module.";

    /// <summary>Writes every parameter and buffer, with free texts beside them.</summary>
    public static void Save(Classifier model, string path, IReadOnlyDictionary<string, string>? metadata = null) =>
        Safetensors.Write(path, StateDictionary.Of(model), metadata);

    /// <summary>
    /// Loads a file by key. All or nothing: a file that cannot be read or does not fit leaves the model as it was, and the error says which keys
    /// and shapes differ.
    /// </summary>
    public static LoadReport Load(Classifier model, string path, WeightFit fit = WeightFit.Strict)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var file = Safetensors.Open(path);
        var given = new Dictionary<string, SafetensorsEntry>();
        foreach (var entry in file.Entries)
        {
            var bare = fit == WeightFit.Adapt && entry.Key.StartsWith(Wrapper, StringComparison.Ordinal) ? entry.Key[Wrapper.Length..] : entry.Key;
            if (!given.TryAdd(bare, entry)) throw new InvalidDataException($"'{path}' holds '{bare}' twice, with and without '{Wrapper}'.");
        }

        var all = new Dictionary<string, SafetensorsEntry>(given);
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
            else if (SafetensorsTypes.IsFloating(SafetensorsTypes.Type(entry.Type)) != SafetensorsTypes.IsFloating(target.dtype))
            {
                wrong.Add($"{key} is {entry.Type}, the model's is {target.dtype}");
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
            else if (fit == WeightFit.Adapt && inHead && SameBut(entry.Shape, target.shape, axis: 0))
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
        if (wrong.Count > 0) throw Unfit(model, path, wrong, fit);

        foreach (var (target, value) in plan) target.copy_(value);
        return new LoadReport(loaded, adapted, missing, [.. given.Keys]);
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
