using BirdResearch.Naming;

namespace BirdResearch.Features;

/// <summary>The catalogue of augmentations, in the order in which they are applied. Tests, the benchmark and the page that shows them run over it.</summary>
public static class Augmentations
{
    static readonly AugmentationSettings Off = AugmentationSettings.Off;

    /// <summary>All of them.</summary>
    public static IReadOnlyList<AugmentationEntry> All { get; } =
    [
        new(TimeShift.Name, AugmentationStage.Window, "Turns the clip around in time: what leaves at its end comes in at its start.",
            p => Off with { TimeShift = new() { Probability = p } })
        {
            Shown = [("in one epoch", Off with { TimeShift = new() { Probability = 1 } }), ("in the next", Off with { TimeShift = new() { Probability = 1 } })],
        },
        new(Speed.Name, AugmentationStage.Window, "Plays the clip faster or slower, as a tape: pitch and length change together.",
            p => Off with { Speed = new() { Probability = p } })
        {
            Shown = Ends(new SpeedSettings(), s => s.MinFactor, s => s.MaxFactor, x => $"{x} x", x => Off with { Speed = new() { Probability = 1, MinFactor = x, MaxFactor = x } }),
        },
        new(TimeStretch.Name, AugmentationStage.Window, "Makes the clip faster or slower at the same pitch.",
            p => Off with { TimeStretch = new() { Probability = p } })
        {
            Shown = Ends(new TimeStretchSettings(), s => s.MinFactor, s => s.MaxFactor, x => $"{x} x", x => Off with { TimeStretch = new() { Probability = 1, MinFactor = x, MaxFactor = x } }),
        },
        new(PitchShift.Name, AugmentationStage.Window, "Moves the pitch and keeps every sound at its time.",
            p => Off with { PitchShift = new() { Probability = p } })
        {
            Shown = Ends(new PitchShiftSettings(), s => s.MinSemitones, s => s.MaxSemitones, x => $"{x:+0;-0} semitones", x => Off with { PitchShift = new() { Probability = 1, MinSemitones = x, MaxSemitones = x } }),
        },
        new(Reverberation.Name, AugmentationStage.Window, "Adds the answer of a place: noise that dies away after every sound.",
            p => Off with { Reverberation = new() { Probability = p } })
        {
            Shown =
            [
                Room(0.3, 0.2),
                Room(1, 0.4),
            ],
        },
        new(Background.Name, AugmentationStage.Window, "Puts a soundscape without labels, or another training recording, behind the clip.",
            p => Off with { Background = new() { Probability = p } })
        {
            Shown = [.. new[] { 3.0, 15 }.Select(x => ($"{x} dB above the background", Off with { Background = new() { Probability = 1, MinSnrDb = x, MaxSnrDb = x } }))],
        },
        new(ColouredNoise.Name, AugmentationStage.Window, "Adds noise whose power falls or rises with frequency.",
            p => Off with { Noise = new() { Probability = p } })
        {
            Shown = [.. new NoiseSettings().Colours.Split(' ').Select(colour => ($"{colour}, 10 dB below the clip", Off with { Noise = new() { Probability = 1, MinSnrDb = 10, MaxSnrDb = 10, Colours = colour } }))],
        },
        new(GaussianNoise.Name, AugmentationStage.Window, "Adds independent normal samples, as an amplifier does.",
            p => Off with { GaussianNoise = new() { Probability = p } })
        {
            Shown = [("10 dB below the clip", Off with { GaussianNoise = new() { Probability = 1, MinSnrDb = 10, MaxSnrDb = 10 } })],
        },
        new(HighPass.Name, AugmentationStage.Window, "Takes away what lies below a cut-off.",
            p => Off with { HighPass = new() { Probability = p } })
        {
            Shown = Ends(new HighPassSettings(), s => s.MinHz, s => s.MaxHz, x => $"from {x} Hz", x => Off with { HighPass = new() { Probability = 1, MinHz = x, MaxHz = x } }),
        },
        new(LowPass.Name, AugmentationStage.Window, "Takes away what lies above a cut-off.",
            p => Off with { LowPass = new() { Probability = p } })
        {
            Shown = Ends(new LowPassSettings(), s => s.MinHz, s => s.MaxHz, x => $"up to {x} Hz", x => Off with { LowPass = new() { Probability = 1, MinHz = x, MaxHz = x } }),
        },
        new(Equaliser.Name, AugmentationStage.Window, "Raises and lowers bands, as other microphones do.",
            p => Off with { Equaliser = new() { Probability = p } })
        {
            Shown = [("3 bands by up to 9 dB", Off with { Equaliser = new() { Probability = 1 } })],
        },
        new(Gain.Name, AugmentationStage.Window, "Makes the clip louder or softer.",
            p => Off with { Gain = new() { Probability = p } })
        {
            Shown = Ends(new GainSettings(), s => s.MinDb, s => s.MaxDb, x => $"{x:+0;-0} dB", x => Off with { Gain = new() { Probability = 1, MinDb = x, MaxDb = x } }),
        },
        new(Polarity.Name, AugmentationStage.Window, "Changes the sign of every sample: neither seen nor heard, but raw sound is another.",
            p => Off with { Polarity = new() { Probability = p } })
        {
            Shown = [("the other sign", Off with { Polarity = new() { Probability = 1 } })],
        },
        new(Mixup.Name, AugmentationStage.Batch, "Mixes the clip with one or more others of its batch, sound and labels.",
            p => Off with { Mixup = new() { Probability = p } })
        {
            Shown =
            [
                ("two clips, labels weighted", Off with { Mixup = new() { Probability = 1, Alpha = 8 } }),
                ("two or three clips, at least a fifth of each, labels united", Off with { Mixup = new() { Probability = 1, Others = 2, MinWeight = 0.2, Labels = MixedLabels.Union } }),
            ],
        },
        new(CutMix.Name, AugmentationStage.Batch, "Puts a stretch of another clip of the batch in the place of the clip's own.",
            p => Off with { CutMix = new() { Probability = p } })
        {
            Shown = [("labels by share", Off with { CutMix = new() { Probability = 1, Alpha = 8 } })],
        },
        new(SpecAugment.Name, AugmentationStage.Features, "Masks bands of rows and stretches of frames.",
            p => Off with { SpecAugment = new() { Probability = p } })
        {
            Shown = [("1 band, 2 stretches", Off with { SpecAugment = new() { Probability = 1 } })],
        },
        new(XyMasking.Name, AugmentationStage.Features, "Masks strips along both axes, and boxes, each of a number and a length drawn anew.",
            p => Off with { XyMasking = new() { Probability = p } })
        {
            Shown =
            [
                ("1 to 3 strips on each axis", Off with { XyMasking = new() { Probability = 1 } }),
                ("4 to 8 boxes of the clip's mean", Off with
                {
                    XyMasking = new() { Probability = 1, MinXMasks = 0, MaxXMasks = 0, MinYMasks = 0, MaxYMasks = 0, MinBoxes = 4, MaxBoxes = 8, MinXShare = 0.05, MinYShare = 0.05, MaxXShare = 0.2, MaxYShare = 0.2, Fill = MaskFill.Mean },
                }),
            ],
        },
    ];

    /// <summary>The one of that name; an unknown name is an error that lists near ones.</summary>
    public static AugmentationEntry Named(string name) =>
        All.FirstOrDefault(a => a.Name == name) ?? throw new ArgumentException(NearNames.Unknown("augmentation", name, All.Select(a => a.Name)));

    static IReadOnlyList<(string, AugmentationSettings)> Ends<T>(
        T settings, Func<T, double> low, Func<T, double> high, Func<double, FormattableString> label, Func<double, AugmentationSettings> at) =>
        [.. new[] { low(settings), high(settings) }.Select(x => (FormattableString.Invariant(label(x)), at(x)))];

    static (string, AugmentationSettings) Room(double rt60, double wet) =>
        (FormattableString.Invariant($"60 dB in {rt60} s, {wet:0 %} of the power"),
            Off with { Reverberation = new() { Probability = 1, MinRt60 = rt60, MaxRt60 = rt60, MinWet = wet, MaxWet = wet } });
}
