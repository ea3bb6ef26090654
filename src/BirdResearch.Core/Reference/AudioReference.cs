using System.Text.Json;
using static TorchSharp.torch;

namespace BirdResearch.Reference;

/// <summary>Reference files of spectrograms: mel (librosa and torchaudio) and Kaldi filter banks.</summary>
public sealed class AudioReference : IReferenceKind
{
    const string MeanRemoval = "subtract the mean of the whole signal";

    static readonly string[] Descriptions =
    [
        "case", "sample_rate", "samples", "signal", "preprocess", "call", "tolerance", "note", "fp32_rel_err", "max_abs_float32_vs_float64",
    ];

    /// <inheritdoc/>
    public string Name => "audio";

    /// <inheritdoc/>
    public bool Knows(string fileName, JsonElement root) =>
        root.ValueKind == JsonValueKind.Object && root.TryGetProperty("signal", out _) && root.TryGetProperty("call", out _) &&
        (root.TryGetProperty("mel", out _) || root.TryGetProperty("fbank", out _));

    /// <inheritdoc/>
    public IEnumerable<ReferenceFinding> Check(JsonElement root)
    {
        var call = new CallArguments(root.GetProperty("call"));
        var seen = new HashSet<string>(Descriptions);
        var isFbank = root.TryGetProperty("fbank", out _);
        var findings = isFbank ? FbankReference.Check(root, call, seen) : MelReference.Check(root, call, seen);
        foreach (var finding in findings) yield return finding;

        foreach (var argument in call.Unread) yield return NotUnderstood($"call argument {argument}");
        foreach (var key in root.EnumerateObject().Where(p => !seen.Contains(p.Name))) yield return NotUnderstood($"quantity {key.Name}");
        if (root.TryGetProperty("preprocess", out var preprocess) && preprocess.ValueKind == JsonValueKind.String &&
            preprocess.GetString() != MeanRemoval)
            yield return NotUnderstood($"preprocess '{preprocess}'");
    }

    static ReferenceFinding NotUnderstood(string what) => new($"{what} is not understood", "any", double.PositiveInfinity, 0);

    /// <summary>A number of the file's <c>tolerance</c> object.</summary>
    internal static double Tolerance(JsonElement root, string key, double absent) =>
        root.TryGetProperty("tolerance", out var tolerance) && tolerance.TryGetProperty(key, out var value) ? value.GetDouble() : absent;

    /// <summary>
    /// The file's signal (FILL.md section 6), computed in double and rounded to float32, as the middle one of a batch of three: the
    /// others must not leak into it.
    /// </summary>
    internal static Tensor Batch(JsonElement root, ScalarType precision, int zeros = 0)
    {
        using var scope = NewDisposeScope();
        var rate = root.GetProperty("sample_rate").GetDouble();
        var noise = Fill.Hash(root.GetProperty("signal").GetProperty("name").GetString()!);
        var samples = new float[root.GetProperty("samples").GetInt32()];
        for (var i = 0; i < samples.Length; i++)
        {
            var t = i / rate;
            var tones = 0.4 * Math.Sin(2 * Math.PI * 440 * t) + 0.2 * Math.Sin(2 * Math.PI * (0.21 * rate) * t);
            samples[i] = (float)(tones + 0.05 * Fill.Value(noise, i));
        }
        var signal = tensor(samples).to(precision);
        if (root.TryGetProperty("preprocess", out var rule) && rule.ValueKind == JsonValueKind.String) signal = signal - signal.mean();
        if (zeros > 0) signal = nn.functional.pad(signal, (zeros, zeros));
        return stack([signal.flip(0), signal, signal * 3]).MoveToOuterDisposeScope();
    }

    /// <summary>The middle item of a batch as doubles, row-major, with its shape.</summary>
    internal static (double[] Values, long[] Shape) Middle(Tensor batch)
    {
        using var scope = NewDisposeScope();
        var item = batch.select(0, 1).to(ScalarType.Float64).contiguous();
        return (item.data<double>().ToArray(), item.shape);
    }

    /// <summary>Both precisions, with their names in findings.</summary>
    internal static IReadOnlyList<(ScalarType Type, string Name)> Precisions { get; } =
        [(ScalarType.Float64, "float64"), (ScalarType.Float32, "float32")];
}
