using System.Text.Json;
using static TorchSharp.torch;

namespace BirdResearch.Reference;

/// <summary>What a reference file keeps of a tensor: its shape, mean, population standard deviation, extremes and a few elements.</summary>
sealed record Figures(long[] Shape, double Mean, double Std, double Min, double Max, double[] Probes)
{
    /// <summary>Flat, row-major places of the elements that a file's entry shows; empty where it shows all or none.</summary>
    public static long[] ProbesOf(JsonElement entry) =>
        entry.TryGetProperty("probe_index", out var index) ? ReferenceJson.Longs(index) : [];

    /// <summary>Takes the figures in double precision, outside the gradient's graph.</summary>
    public static Figures Of(Tensor x, long[] probes)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var flat = x.detach().to(ScalarType.Float64).reshape(-1);
        var values = probes.Length == 0 ? [] : flat.index_select(0, tensor(probes, ScalarType.Int64)).data<double>().ToArray();
        return new Figures(
            x.shape, flat.mean().item<double>(), flat.std(unbiased: false).item<double>(),
            flat.min().item<double>(), flat.max().item<double>(), values);
    }
}
