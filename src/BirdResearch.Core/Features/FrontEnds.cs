using BirdResearch.Naming;

namespace BirdResearch.Features;

/// <summary>The catalogue of front-ends.</summary>
public static class FrontEnds
{
    // Log-mel statistics that SSAMBA and SSAST give for their data; they divide by twice the deviation.
    const double AudioSetMean = -4.2677393, AudioSetStd = 4.5689974, EscMean = -6.6268077, EscStd = 5.358466;

    static readonly MelSettings Mel64 = new() { Mels = 64, Fft = 2048, Hop = 1000 };

    /// <summary>Every front-end's settings by its name.</summary>
    public static IReadOnlyDictionary<string, FrontEndSettings> All { get; } = new OrderedDictionary<string, FrontEndSettings>
    {
        ["mel"] = new() { Kind = "mel" },                                // 128 x 320 for 5 s
        ["mel-64"] = new() { Kind = "mel", Mel = Mel64 },                // 64 x 160
        ["mel-quantile"] = new() { Kind = "mel", RowQuantile = 0.25 },
        ["mel-64-quantile"] = new() { Kind = "mel", Mel = Mel64, RowQuantile = 0.25 },
        ["mel-matched"] = new() { Kind = "mel", BandMatching = BandMatching.MeanAndDeviation },
        ["mel-64-matched"] = new() { Kind = "mel", Mel = Mel64, BandMatching = BandMatching.MeanAndDeviation },
        ["pcen"] = new() { Kind = "pcen" },                              // the shapes of mel
        ["pcen-64"] = new() { Kind = "pcen", Mel = Mel64 },
        ["kaldi-fbank"] = new()                                          // 128 x 498
        {
            Kind = "kaldi-fbank",
            SampleRate = 16_000,
            Normalisation = Normalisation.Fixed,
            Mean = AudioSetMean,
            Std = 2 * AudioSetStd,
        },
        ["ssamba-fbank"] = new()                                         // 128 x 512 for 5 s: SSAMBA's fine-tuning on ESC-50
        {
            Kind = "kaldi-fbank",
            SampleRate = 16_000,
            Fbank = new() { TargetFrames = 512 },
            Normalisation = Normalisation.Fixed,
            Mean = EscMean,
            Std = 2 * EscStd,
        },
        ["ssamba-fbank-10s"] = new()                                     // 128 x 1024 for 10 s: SSAMBA's pretraining
        {
            Kind = "kaldi-fbank",
            SampleRate = 16_000,
            Fbank = new() { TargetFrames = 1024 },
            Normalisation = Normalisation.Fixed,
            Mean = AudioSetMean,
            Std = 2 * AudioSetStd,
        },
        ["expand-and-sparsify"] = new() { Kind = "expand-and-sparsify" },   // 512 x 157, 32 of 512
        ["expand-and-sparsify-64"] = new()                                  // 256 x 77, 16 of 256
        {
            Kind = "expand-and-sparsify",
            Mel = Mel64,
            Expansion = new() { Outputs = 256, K = 16 },
        },
        ["waveform-16k"] = new() { Kind = "waveform", SampleRate = 16_000 },  // 1 x 80,000
        ["waveform-16k-peak"] = new() { Kind = "waveform", SampleRate = 16_000, Normalisation = Normalisation.Peak },
        ["waveform-32k"] = new() { Kind = "waveform" },                       // 1 x 160,000
    };

    /// <summary>Settings by name, of this catalogue or of <see cref="ExpansionArms"/>; an unknown name is an error that lists near ones.</summary>
    public static FrontEndSettings Named(string name) =>
        All.TryGetValue(name, out var settings) || ExpansionArms.All.TryGetValue(name, out settings)
            ? settings
            : throw new ArgumentException(NearNames.Unknown("front-end", name, [.. All.Keys, .. ExpansionArms.All.Keys]));

    /// <summary>A front-end by catalogue name.</summary>
    public static FrontEnd Create(string name) => Create(Named(name));

    /// <summary>Makes the front-end; a setting out of range is an error that names it, its value and what it may be.</summary>
    public static FrontEnd Create(FrontEndSettings settings) => settings.Kind switch
    {
        "mel" => new MelFrontEnd(settings),
        "pcen" => new PcenFrontEnd(settings),
        "kaldi-fbank" => new FbankFrontEnd(settings),
        "expand-and-sparsify" => new ExpandAndSparsify(settings),
        "waveform" => new WaveformFrontEnd(settings),
        _ => throw new ArgumentException(
            NearNames.Unknown("kind of front-end", settings.Kind, ["mel", "pcen", "kaldi-fbank", "expand-and-sparsify", "waveform"])),
    };
}
