using System.Text.Json;
using BirdResearch.Models;
using TorchSharp;
using static BirdResearch.Reference.ReferenceJson;
using static TorchSharp.torch;

namespace BirdResearch.Reference;

/// <summary>
/// Judges files of single operations: what each gives, the gradient of its input and its parameters, and its buffers afterwards, in float64 and in
/// float32, images there in both memory orders.
/// </summary>
public sealed class OperationsReference : IReferenceKind
{
    static readonly string[] Descriptions = ["case", "dtype_note", "tolerance", "note", "fp32_rel_err"];

    /// <inheritdoc/>
    public string Name => "ops";

    /// <inheritdoc/>
    public bool Knows(string fileName, JsonElement root)
    {
        var operations = Operations(root).ToList();
        return operations.Count > 0 && operations.TrueForAll(o => IsOperation(o.Value));
    }

    /// <inheritdoc/>
    public IEnumerable<ReferenceFinding> Check(JsonElement root)
    {
        var tolerance = root.GetProperty("tolerance");
        double wide = tolerance.GetProperty("float64_rel").GetDouble(), narrow = tolerance.GetProperty("float32_rel").GetDouble();
        var floor = Number(tolerance, "grad_floor", 0);
        foreach (var operation in Operations(root))
        {
            foreach (var finding in Run(operation, ScalarType.Float64, false, new("float64", wide, wide, floor))) yield return finding;
            foreach (var finding in Run(operation, ScalarType.Float32, false, new("float32", narrow, narrow, floor))) yield return finding;
            if (operation.Value.GetProperty("input").GetProperty("shape").GetArrayLength() != 4) continue;
            foreach (var finding in Run(operation, ScalarType.Float32, true, new("float32 channels-last", narrow, narrow, floor))) yield return finding;
        }
    }

    static IEnumerable<JsonProperty> Operations(JsonElement root) => root.EnumerateObject().Where(p => !Descriptions.Contains(p.Name));

    static bool IsOperation(JsonElement value) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty("input", out var input) && input.ValueKind == JsonValueKind.Object
        && value.TryGetProperty("dy", out _) && value.TryGetProperty("y", out _);

    static IReadOnlyList<ReferenceFinding> Run(JsonProperty entry, ScalarType precision, bool channelsLast, ReferenceComparison comparison)
    {
        using var scope = NewDisposeScope();
        var (name, values) = (entry.Name, entry.Value);
        var shapes = values.TryGetProperty("params", out var listed)
            ? listed.EnumerateArray().Select(p => (Key: p[0].GetString()!, Shape: Longs(p[1]))).ToList()
            : [];
        var (input, output) = (Longs(values.GetProperty("input").GetProperty("shape")), Longs(values.GetProperty("y").GetProperty("shape")));
        if (Operation.Of(name, new OperationShapes(input, output, shapes.ToDictionary(s => s.Key, s => s.Shape))) is not { } operation)
        {
            comparison.Exact($"operation {name} is not understood", false);
            return comparison.Findings;
        }
        using var module = operation.Module;
        var entries = module is null ? [] : StateDictionary.Of(module);
        var same = entries.Select(e => Line(e.Key, e.Tensor.shape)).SequenceEqual(shapes.Select(s => Line(s.Key, s.Shape)));
        comparison.Exact($"{name} params: {string.Join("; ", entries.Select(e => Line(e.Key, e.Tensor.shape)))}", same);
        if (!same) return comparison.Findings;
        FillEntries(entries, values.TryGetProperty("fill_seed", out var seed) ? seed.GetString()! : "");
        module?.to(precision);

        var x = Named(values.GetProperty("input"), precision).requires_grad_();
        var y = operation.Apply(channelsLast ? ChannelsLast.Arrange(x) : x);
        comparison.Array($"{name} y", values.GetProperty("y"), y);
        if (!y.shape.SequenceEqual(output)) return comparison.Findings;
        (y * Above(values.GetProperty("dy"), output, precision)).sum().backward();

        if (values.TryGetProperty("dx", out var dx)) comparison.Array($"{name} dx", dx, x.grad);
        if (values.TryGetProperty("grads", out var gradients))
        {
            var parameters = module?.named_parameters().ToDictionary(p => p.name, p => (Tensor)p.parameter) ?? [];
            foreach (var gradient in gradients.EnumerateArray())
            {
                var key = gradient.GetProperty("name").GetString()!;
                comparison.Gradient($"{name} grad {key}", gradient, parameters.GetValueOrDefault(key)?.grad);
            }
        }
        if (module is not null && values.TryGetProperty("buffers_after", out var buffers))
            foreach (var buffer in buffers.EnumerateArray())
            {
                var key = buffer.GetProperty("name").GetString()!;
                if (StateDictionary.Of(module).FirstOrDefault(e => e.Key == key).Tensor is { } after) comparison.Values($"{name} after {key}", buffer.GetProperty("values"), after);
                else comparison.Exact($"{name} after {key}: there is no such buffer", false);
            }
        return comparison.Findings;
    }

    static string Line(string key, long[] shape) => $"{key} ({string.Join(", ", shape)})";

    /// <summary>The fixed vector, given by its name alone or as an entry with name and scale.</summary>
    static Tensor Above(JsonElement dy, long[] shape, ScalarType precision)
    {
        if (dy.ValueKind == JsonValueKind.Object) return Named(dy, precision);
        using var narrow = tensor(Fill.Values(dy.GetString()!, shape.Aggregate(1L, (a, b) => a * b)), shape);
        return narrow.to(precision, copy: true);
    }
}
