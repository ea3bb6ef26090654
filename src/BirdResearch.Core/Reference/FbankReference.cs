using System.Text.Json;
using BirdResearch.Features;
using static TorchSharp.torch;

namespace BirdResearch.Reference;

/// <summary>Checks a Kaldi filter bank file; arguments that it does not give have torchaudio's defaults.</summary>
static class FbankReference
{
    public static IEnumerable<ReferenceFinding> Check(JsonElement root, CallArguments call, HashSet<string> seen)
    {
        seen.UnionWith(["fbank", "padded_normalised", "fft_size", "mel_bins_with_no_fft_bin", "log_floor"]);
        var sampleRate = call.Count("sample_frequency", root.GetProperty("sample_rate").GetInt32());
        var settings = Settings(call);
        foreach (var (type, precision) in AudioReference.Precisions)
            foreach (var finding in Check(root, settings, sampleRate, type, precision))
                yield return finding;
    }

    static List<ReferenceFinding> Check(JsonElement root, FbankSettings settings, int sampleRate, ScalarType type, string precision)
    {
        using var scope = NewDisposeScope();
        using var fbank = new KaldiFbank(settings, sampleRate);
        var findings = new List<ReferenceFinding>();
        var sound = AudioReference.Batch(root, type);
        var tolerance = type == ScalarType.Float64
            ? AudioReference.Tolerance(root, "float64_abs", 2e-5)
            : AudioReference.Tolerance(root, "float32_abs", 2e-3);

        var (values, shape) = AudioReference.Middle(fbank.forward(sound));
        Add("fbank", new ExpectedArray(root.GetProperty("fbank")).Error(values, shape), tolerance);
        Add("frames", Math.Abs(fbank.Frames(sound.shape[1]) - shape[0]), 0);
        if (root.TryGetProperty("fft_size", out var fft)) Add("fft_size", Math.Abs(fbank.Fft - fft.GetInt32()), 0);
        if (root.TryGetProperty("log_floor", out var floor))
            Add("log_floor", Math.Abs(Math.Log(KaldiFbank.Epsilon) - floor.GetDouble()), 1e-7);
        if (root.TryGetProperty("mel_bins_with_no_fft_bin", out var empty))
            Add("mel_bins_with_no_fft_bin", empty.EnumerateArray().Select(n => n.GetInt32()).SequenceEqual(fbank.EmptyFilters) ? 0 : 1, 0);

        if (root.TryGetProperty("padded_normalised", out var padded))
        {
            var tries = Statistics(padded).Select(used => PaddedNormalised(padded, settings, sampleRate, sound, used, tolerance)).ToArray();
            var (error, allowed) = tries.MinBy(t => double.IsNaN(t.Error) ? double.PositiveInfinity : t.Error / t.Tolerance);
            Add("padded_normalised", error, allowed);
        }
        return findings;

        void Add(string what, double error, double allowed) => findings.Add(new(what, precision, error, allowed));
    }

    // The entry's "mean" and "std" are those of the result where the file's statistics overwrote the normalisation's own, which it then
    // does not hold: they are one of the pairs that SSAMBA normalises its data sets with.
    static IEnumerable<(double Mean, double Std, bool Given)> Statistics(JsonElement padded)
    {
        (double, double, bool)[] known =
        [
            (-4.2677393, 4.5689974, false),                 // AudioSet
            (-6.6268077, 5.358466, false),                  // ESC-50
            (-6.845978, 5.5654526, false),                  // Speech Commands
            (-5.138443946838379, 4.229961395263672, false), // UrbanSound8K
        ];
        var (mean, std) = (padded.GetProperty("mean").GetDouble(), padded.GetProperty("std").GetDouble());
        return std > 1e-6 ? [.. known, (mean, std, true)] : known;
    }

    static (double Error, double Tolerance) PaddedNormalised(
        JsonElement padded, FbankSettings settings, int sampleRate, Tensor sound, (double Mean, double Std, bool Given) used,
        double tolerance)
    {
        using var frontEnd = new FbankFrontEnd(new FrontEndSettings
        {
            Kind = "kaldi-fbank",
            SampleRate = sampleRate,
            Fbank = settings with { TargetFrames = padded.GetProperty("target_length").GetInt32() },
            Normalisation = Normalisation.Fixed,
            Mean = used.Mean,
            Std = 2 * used.Std,
        });
        var (values, shape) = AudioReference.Middle(frontEnd.forward(sound).squeeze(1).transpose(1, 2));
        return (new ExpectedArray(used.Given ? WithoutStatistics(padded) : padded).Error(values, shape), tolerance / (2 * used.Std));
    }

    static JsonElement WithoutStatistics(JsonElement padded)
    {
        var others = padded.EnumerateObject().Where(p => p.Name is not ("mean" or "std"));
        return JsonSerializer.SerializeToElement(others.ToDictionary(p => p.Name, p => p.Value));
    }

    static FbankSettings Settings(CallArguments call)
    {
        call.Only("dither", 0.0);
        call.Only("vtln_warp", 1.0);
        foreach (var withoutEffect in (string[])["vtln_low", "vtln_high", "channel", "min_duration"]) call.Number(withoutEffect, 0);
        var (energy, htk) = (call.Flag("use_energy", false), call.Flag("htk_compat", false));
        return new FbankSettings
        {
            Bins = call.Count("num_mel_bins", 23),
            Window = call.Word("window_type", "povey"),
            Blackman = call.Number("blackman_coeff", 0.42),
            FrameMilliseconds = call.Number("frame_length", 25),
            ShiftMilliseconds = call.Number("frame_shift", 10),
            MinHz = call.Number("low_freq", 20),
            MaxHz = call.Number("high_freq", 0),
            PreEmphasis = call.Number("preemphasis_coefficient", 0.97),
            RemoveDc = call.Flag("remove_dc_offset", true),
            SnipEdges = call.Flag("snip_edges", true),
            PowerOfTwo = call.Flag("round_to_power_of_two", true),
            Power = call.Flag("use_power", true),
            Log = call.Flag("use_log_fbank", true),
            Energy = !energy ? EnergyColumn.None : htk ? EnergyColumn.Last : EnergyColumn.First,
            RawEnergy = call.Flag("raw_energy", true),
            EnergyFloor = call.Number("energy_floor", 1),
            SubtractMean = call.Flag("subtract_mean", false),
        };
    }
}
