using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using BirdResearch.Features;
using static TorchSharp.torch;

namespace BirdResearch.Reference;

/// <summary>Checks a mel spectrogram file; arguments that it does not give have torchaudio's defaults.</summary>
static partial class MelReference
{
    // Nine printed digits, of the largest number.
    const double NineDigits = 2e-8, SevenDigits = 1e-6;

    [GeneratedRegex("^db_(torchaudio|librosa)(_ref_max)?(_top(?<top>[0-9.]+))?$")]
    private static partial Regex DecibelKey();

    public static IEnumerable<ReferenceFinding> Check(JsonElement root, CallArguments call, HashSet<string> seen)
    {
        seen.UnionWith(["mel", "filterbank", "filterbank_centres_hz"]);
        seen.UnionWith(root.EnumerateObject().Select(p => p.Name).Where(name => DecibelKey().IsMatch(name)));
        var sampleRate = call.Count("sample_rate", root.GetProperty("sample_rate").GetInt32());
        var settings = Settings(call, sampleRate);
        var zeros = call.Count("pad", 0);
        return AudioReference.Precisions.SelectMany(p =>
            FilterBank(root, settings, sampleRate, p.Type, p.Name).Concat(Spectrogram(root, settings, sampleRate, zeros, p.Type, p.Name)));
    }

    static List<ReferenceFinding> FilterBank(JsonElement root, MelSettings settings, int sampleRate, ScalarType type, string precision)
    {
        using var mel = new MelSpectrogram(settings, sampleRate);
        var findings = new List<ReferenceFinding>();
        var tolerance = type == ScalarType.Float64 ? NineDigits : SevenDigits;
        var filters = mel.Filters;
        if (root.TryGetProperty("filterbank_centres_hz", out var centres))
        {
            var wanted = ExpectedArray.Numbers(centres);
            var scale = wanted.Max(Math.Abs);
            var error = wanted.Length != filters.PointsHz.Length
                ? double.PositiveInfinity
                : wanted.Zip(filters.PointsHz.ToArray(), (a, b) => Math.Abs(a - Rounded(b)) / scale).Max();
            findings.Add(new("filterbank_centres_hz", precision, error, tolerance));
        }
        if (!root.TryGetProperty("filterbank", out var bank)) return findings;

        double[] weights = [.. filters.Weights.ToArray().Select(Rounded)];
        var expected = new ExpectedArray(bank, "shape_freq_by_mel");
        findings.Add(new("filterbank", precision, expected.Error(weights, [filters.Bins, filters.Mels], expected.Scale), tolerance));
        if (bank.TryGetProperty("column_sums", out var columnSums))
        {
            var wanted = ExpectedArray.Numbers(columnSums);
            var scale = wanted.Max(Math.Abs);
            var error = wanted.Length != filters.Mels
                ? double.PositiveInfinity
                : wanted.Select((sum, column) => Math.Abs(sum - weights.Where((_, i) => i % filters.Mels == column).Sum()) / scale).Max();
            findings.Add(new("filterbank column_sums", precision, error, tolerance));
        }
        return findings;

        double Rounded(double x) => type == ScalarType.Float64 ? x : (float)x;
    }

    static List<ReferenceFinding> Spectrogram(
        JsonElement root, MelSettings settings, int sampleRate, int zeros, ScalarType type, string precision)
    {
        using var scope = NewDisposeScope();
        using var mel = new MelSpectrogram(settings, sampleRate);
        var findings = new List<ReferenceFinding>();
        var is64 = type == ScalarType.Float64;
        var sound = AudioReference.Batch(root, type, zeros);
        var power = mel.forward(sound);
        var (values, shape) = AudioReference.Middle(power);
        var expected = new ExpectedArray(root.GetProperty("mel"));
        var tolerance = is64 ? SevenDigits : AudioReference.Tolerance(root, "power_rel_to_max", 1e-5);
        findings.Add(new("mel", precision, expected.Error(values, shape, expected.Scale), tolerance));
        findings.Add(new("frames", precision, Math.Abs(mel.Frames(sound.shape[1]) - shape[1]), 0));

        var decibelTolerance = AudioReference.Tolerance(root, is64 ? "float64_db_abs" : "float32_db_abs", is64 ? 2e-5 : 1e-2);
        foreach (var (key, match) in root.EnumerateObject().Select(p => (p, DecibelKey().Match(p.Name))).Where(p => p.Item2.Success))
        {
            double? top = match.Groups["top"].Success ? double.Parse(match.Groups["top"].ValueSpan, CultureInfo.InvariantCulture) : null;
            var decibels = new Decibels(top, match.Groups[2].Success ? null : 1, settings.Power == 1 ? 20 : 10);
            (values, shape) = AudioReference.Middle(decibels.Of(power));
            findings.Add(new(key.Name, precision, new ExpectedArray(key.Value).Error(values, shape), decibelTolerance));
        }
        return findings;
    }

    static MelSettings Settings(CallArguments call, int sampleRate)
    {
        call.Only("onesided", true);
        var fft = call.Count("n_fft", 400);
        var window = call.Count("win_length", fft);
        return new MelSettings
        {
            Fft = fft,
            WindowLength = window,
            Window = WindowName(call.Word("window", "periodic Hann")),
            UnitWindow = call.Word("normalized", "False") is "True" or "window",
            Hop = call.Count("hop_length", window / 2),
            Mels = call.Count("n_mels", 128),
            MinHz = call.Number("f_min", 0),
            MaxHz = call.Number("f_max", sampleRate / 2.0),
            Scale = call.Word("mel_scale", "htk"),
            Norm = call.Word("norm", "none"),
            Power = call.Number("power", 2),
            Centre = call.Flag("center", true),
            Padding = call.Word("pad_mode", "reflect"),
            TopDb = null,
        };
    }

    static string WindowName(string given) => given.ToLowerInvariant() switch
    {
        "periodic hann" or "hann" or "hann_window" or "hanning" => "hanning",
        "periodic hamming" or "hamming" or "hamming_window" => "hamming",
        "periodic blackman" or "blackman" or "blackman_window" => "blackman",
        "rectangular" or "ones" or "boxcar" => "rectangular",
        _ => given,
    };
}
