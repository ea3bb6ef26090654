using System.Text.Json;
using BirdResearch.Kernels;
using static TorchSharp.torch;

namespace BirdResearch.Reference;

/// <summary>
/// Judges files of the selective scan: output, last state and the gradient of every input, for B and C in any of their layouts and with
/// or without each option. In float64 the reference form answers, in float32 the form that this machine or <c>BIRD_SCAN</c> chooses.
/// </summary>
public sealed class ScanReference : IReferenceKind
{
    static readonly string[] Descriptions =
        ["case", "batch", "dim", "length", "dstate", "delta_softplus", "layout_BC", "inputs", "loss", "dtype_note", "fp32_rel_err", "tolerance", "note"];

    /// <inheritdoc/>
    public string Name => "scan";

    /// <inheritdoc/>
    public bool Knows(string fileName, JsonElement root) =>
        root.TryGetProperty("inputs", out var inputs) && inputs.ValueKind == JsonValueKind.Object
        && inputs.TryGetProperty("delta", out _) && inputs.TryGetProperty("A", out _) && root.TryGetProperty("y", out _);

    /// <inheritdoc/>
    public IEnumerable<ReferenceFinding> Check(JsonElement root) =>
        [.. Run(root, ScalarType.Float64, SelectiveScan.Reference), .. Run(root, ScalarType.Float32, SelectiveScan.Apply)];

    static IReadOnlyList<ReferenceFinding> Run(JsonElement root, ScalarType precision, Func<ScanInputs, ScanResult> scan)
    {
        using var scope = NewDisposeScope();
        var wide = precision == ScalarType.Float64;
        var tolerance = root.GetProperty("tolerance").GetProperty(wide ? "float64_rel" : "float32_rel").GetDouble();
        var comparison = new ReferenceComparison(wide ? "float64" : "float32", tolerance, tolerance, 0);
        var named = root.GetProperty("inputs").EnumerateObject().ToDictionary(p => p.Name, p => Input(p.Name, p.Value, precision));
        if (!named.Remove("dy", out var dy)) throw new ArgumentException("inputs holds no dy.");
        foreach (var input in named.Values) input.requires_grad_();
        var inputs = new ScanInputs(named["u"], named["delta"], named["A"], named["B"], named["C"])
        {
            D = named.GetValueOrDefault("D"),
            Z = named.GetValueOrDefault("z"),
            DeltaBias = named.GetValueOrDefault("delta_bias"),
            Softplus = root.TryGetProperty("delta_softplus", out var softplus) && softplus.GetBoolean(),
        };

        var result = scan(inputs);
        (result.Y * dy).sum().backward();

        foreach (var quantity in root.EnumerateObject().Where(p => !Descriptions.Contains(p.Name)))
        {
            if (quantity.Name == "y") comparison.Array("y", quantity.Value, result.Y);
            else if (quantity.Name == "last_state") comparison.Array("last_state", quantity.Value, result.LastState);
            else if (quantity.Name is ['d', .. var of] && named.TryGetValue(of, out var input)) comparison.Array(quantity.Name, quantity.Value, input.grad);
            else comparison.Exact($"quantity {quantity.Name} is not understood", false);
        }
        if (root.TryGetProperty("loss", out var loss) && loss.GetString() != "sum(y*dy)")
            comparison.Exact($"loss {loss} is not understood", false);
        string[] understood = ["u", "delta", "A", "B", "C", "D", "z", "delta_bias"];
        foreach (var other in named.Keys.Except(understood)) comparison.Exact($"input {other} is not understood", false);
        return comparison.Findings;
    }

    /// <summary>A named tensor; the state matrix is -exp(ln(1 + state) + 0.1 v) instead, in double and then rounded (FILL.md section 6).</summary>
    static Tensor Input(string name, JsonElement entry, ScalarType precision)
    {
        if (name != "A" || entry.TryGetProperty("scale", out _)) return ReferenceJson.Named(entry, precision);
        var shape = ReferenceJson.Longs(entry.GetProperty("shape"));
        var values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        var hash = Fill.Hash(entry.GetProperty("name").GetString()!);
        for (var i = 0L; i < values.Length; i++) values[i] = (float)-Math.Exp(Math.Log(1 + (i % shape[^1])) + (0.1 * Fill.Value(hash, i)));
        using var narrow = tensor(values, shape);
        return narrow.to(precision, copy: true);
    }
}
