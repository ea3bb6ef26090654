using System.Text.Json;
using static TorchSharp.torch;

namespace BirdResearch.Reference;

/// <summary>
/// Collects the findings of one run in one precision. Errors are relative: values to the largest magnitude of the reference tensor,
/// gradients to their l2 norm plus a floor, below which a gradient counts as zero.
/// </summary>
sealed class ReferenceComparison(string precision, double tolerance, double gradientTolerance, double gradientFloor)
{
    readonly List<ReferenceFinding> _findings = [];

    public IReadOnlyList<ReferenceFinding> Findings => _findings;

    /// <summary>Something that is either right or wrong.</summary>
    public void Exact(string what, bool holds) => _findings.Add(new(what, precision, holds ? 0 : double.PositiveInfinity, 0));

    /// <summary>All elements of a tensor, row-major.</summary>
    public void Values(string what, JsonElement expected, Tensor ours)
    {
        using var flat = ours.detach().to(ScalarType.Float64, copy: true).reshape(-1);
        var (a, b) = (flat.data<double>().ToArray(), ReferenceJson.Doubles(expected));
        if (a.Length != b.Length) Exact($"{what}: {a.Length} values, theirs {b.Length}", false);
        else Near(what, a, b, b.Max(Math.Abs));
    }

    /// <summary>Shape and values, or shape, mean, deviation, extremes and probes: whichever the file has of the tensor.</summary>
    public void Array(string what, JsonElement expected, Tensor? ours)
    {
        if (ours is null)
        {
            Exact($"{what}: there is none", false);
            return;
        }
        if (!SameShape(what, expected, ours.shape)) return;
        using var flat = ours.detach().to(ScalarType.Float64, copy: true).reshape(-1);
        var array = new ExpectedArray(expected);
        _findings.Add(new(what, precision, array.Error(flat.data<double>().ToArray(), ours.shape, array.Scale > 0 ? array.Scale : 1), tolerance));
    }

    /// <summary>
    /// The keys, shapes and types of a module's state in their order, and its number of trainable parameters where the file has it.
    /// </summary>
    /// <param name="root">The file.</param>
    /// <param name="model">Ours.</param>
    /// <param name="types">False leaves the types out, for files whose module was made in float64.</param>
    public void StateDictionary(JsonElement root, nn.Module model, bool types = true)
    {
        Keys(root, model, types);
        if (!root.TryGetProperty("num_parameters", out var count)) return;
        var own = model.parameters().Where(p => p.requires_grad).Sum(p => p.numel());
        Exact($"num_parameters: {own}, theirs {count}", own == count.GetInt64());
    }

    /// <summary>The keys, shapes and types of a module's state in their order.</summary>
    public void Keys(JsonElement root, nn.Module model, bool types = true)
    {
        string[] ours = [.. Models.StateDictionary.Of(model).Select(e => Line(e.Key, e.Tensor.shape, e.Tensor.dtype.ToString().ToLowerInvariant()))];
        string[] theirs = [.. root.GetProperty("state_dict").EnumerateArray().Select(e => Line(e[0].GetString()!, ReferenceJson.Longs(e[1]), e[2].GetString()!))];
        var places = Enumerable.Range(0, Math.Max(ours.Length, theirs.Length));
        var place = places.FirstOrDefault(i => ours.ElementAtOrDefault(i) != theirs.ElementAtOrDefault(i), -1);
        if (place < 0) Exact("state_dict", true);
        else Exact($"state_dict[{place}]: {ours.ElementAtOrDefault(place)}, theirs {theirs.ElementAtOrDefault(place)}", false);

        string Line(string key, long[] shape, string type) => $"{key} ({string.Join(", ", shape)}) {(types ? type : "")}";
    }

    /// <summary>One number, whose error may be as large as <paramref name="scale"/> x tolerance.</summary>
    public void Number(string what, double expected, double ours, double scale) => Near(what, [ours], [expected], scale);

    /// <summary>Shape, mean, deviation, extremes and probes, or all values where the file has them.</summary>
    public void Figures(string what, JsonElement expected, Figures ours)
    {
        if (!SameShape(what, expected, ours.Shape)) return;
        var (min, max) = (expected.GetProperty("min").GetDouble(), expected.GetProperty("max").GetDouble());
        double[] theirs = [expected.GetProperty("mean").GetDouble(), expected.GetProperty("std").GetDouble(), min, max];
        Near(
            what,
            [ours.Mean, ours.Std, ours.Min, ours.Max, .. ours.Probes],
            [.. theirs, .. ReferenceJson.Doubles(expected.GetProperty("probe_value"))],
            Math.Max(Math.Abs(min), Math.Abs(max)));
    }

    /// <summary>
    /// The l2 norm, the sum and some elements of a gradient. All follow from ||a - b|| being at most tolerance x (||b|| + floor): norms and
    /// elements can differ by no more than that, sums of n elements by sqrt(n) times as much.
    /// </summary>
    public void Gradient(string what, JsonElement expected, Tensor? ours)
    {
        if (ours is null)
        {
            Exact($"{what}: no gradient", false);
            return;
        }
        if (!SameShape(what, expected, ours.shape)) return;
        using var scope = NewDisposeScope();
        var flat = ours.detach().to(ScalarType.Float64).reshape(-1);
        var norm = expected.GetProperty("l2").GetDouble();
        var error = Math.Abs(flat.norm().item<double>() - norm);
        error = Math.Max(error, Math.Abs(flat.sum().item<double>() - expected.GetProperty("sum").GetDouble()) / Math.Sqrt(flat.numel()));
        var values = ReferenceJson.Doubles(expected.GetProperty("probe_value"));
        var places = ReferenceJson.Longs(expected.GetProperty("probe_index"));
        foreach (var (place, value) in places.Zip(values)) error = Math.Max(error, Math.Abs(flat[place].item<double>() - value));
        _findings.Add(new(what, precision, error / (norm + gradientFloor), gradientTolerance));
    }

    bool SameShape(string what, JsonElement expected, long[] ours)
    {
        var theirs = ReferenceJson.Longs(expected.GetProperty("shape"));
        if (theirs.SequenceEqual(ours)) return true;
        Exact($"{what}: shape ({string.Join(", ", ours)}), theirs ({string.Join(", ", theirs)})", false);
        return false;
    }

    void Near(string what, double[] ours, double[] theirs, double scale)
    {
        var error = 0.0;
        for (var i = 0; i < theirs.Length; i++) error = Math.Max(error, Math.Abs(ours[i] - theirs[i])); // NaN stays NaN
        _findings.Add(new(what, precision, scale > 0 ? error / scale : error, tolerance));
    }
}
