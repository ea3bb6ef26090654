using System.Text.Json;
using BirdResearch.Models;
using static BirdResearch.Reference.ReferenceJson;
using static TorchSharp.torch;

namespace BirdResearch.Reference;

/// <summary>
/// Judges files of the initial state spaces of S4 and S4D: the diagonal of A, magnitudes of B and P (an eigenvector's phase is free), and
/// the dense HiPPO-LegS matrix.
/// </summary>
public sealed class S4StartReference : IReferenceKind
{
    const double Tolerance = 1e-5;      // the reference is partly float32

    /// <inheritdoc/>
    public string Name => "s4-start";

    /// <inheritdoc/>
    public bool Knows(string fileName, JsonElement root) => root.TryGetProperty("N", out _) && Hippo.Names.Any(name => root.TryGetProperty(name, out _));

    /// <inheritdoc/>
    public IEnumerable<ReferenceFinding> Check(JsonElement root)
    {
        using var scope = NewDisposeScope();
        var comparison = new ReferenceComparison("float64", Tolerance, Tolerance, 0);
        var states = root.GetProperty("N").GetInt64();
        foreach (var entry in root.EnumerateObject())
            if (Hippo.Names.Contains(entry.Name)) CheckStart(comparison, entry, Hippo.Start(entry.Name, states));
            else if (entry.Name == "legs_dense") CheckDense(comparison, entry.Value, states);
            else if (entry.Name is not ("N" or "case" or "note" or "tolerance")) comparison.Exact($"{entry.Name} is not understood", false);
        return comparison.Findings;
    }

    static void CheckStart(ReferenceComparison comparison, JsonProperty entry, StateSpaceStart ours)
    {
        var (name, theirs) = (entry.Name, entry.Value);
        comparison.Values($"{name} A_real", theirs.GetProperty("A_real"), ours.Lambda.real);
        comparison.Values($"{name} A_imag", theirs.GetProperty("A_imag"), ours.Lambda.imag);
        if (theirs.TryGetProperty("P_abs", out var p)) comparison.Values($"{name} P_abs", p, ours.P.abs());
        if (theirs.TryGetProperty("B_abs", out var b)) comparison.Values($"{name} B_abs", b, ours.B.abs());
        if (!theirs.TryGetProperty("B_real", out var real)) return;
        using var whole = complex(tensor(Doubles(real)), tensor(Doubles(theirs.GetProperty("B_imag"))));
        using var error = (whole.abs() - ours.B.abs()).abs().max() / whole.abs().max();
        comparison.Number($"{name} |B|", 0, error.item<double>(), 1);
    }

    static void CheckDense(ReferenceComparison comparison, JsonElement theirs, long states)
    {
        var (a, b) = Hippo.Legs(states);
        comparison.Values("legs_dense A", theirs.GetProperty("A"), a);
        comparison.Values("legs_dense B", theirs.GetProperty("B"), b);
    }
}
