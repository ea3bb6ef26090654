using BirdResearch.Training;

namespace BirdResearch.Experiments;

/// <summary>The arms of the ablation <c>domain-shift</c>: one option each, on a baseline that is regularised well.</summary>
static class DomainShiftArms
{
    /// <summary>Every arm, the baseline first.</summary>
    public static IReadOnlyList<Trial> All { get; } =
    [
        Arm("baseline", t => t),
        Arm("AdaBN", t => t with { Adaptation = new() { Norms = AdaptedNorms.Unlabelled } }),
        Arm("test-time norms", t => t with { Adaptation = new() { Norms = AdaptedNorms.Batch } }),
        Arm("background mixing", t => t with { Augmentation = t.Augmentation with { Background = new() { Probability = 0.5 } } }),
        Arm("no-call windows", t => t with { NoCall = new() { Share = 0.2 } }),
        Arm("pseudo-labels", t => t with { PseudoLabels = new() { Rounds = 2, Threshold = 0.5 } }),
        Arm("PCEN", t => t, "pcen-64"),
        Arm("row quantiles", t => t, "mel-64-quantile"),
        Arm("matched bands", t => t, "mel-64-matched"),
        Arm("sharpness-aware", t => t with { Sharpness = new() { Rho = 0.05 } }),
        Arm("averaged weights (EMA)", t => t with { Ema = new() { Decay = 0.99 } }),
        Arm("averaged weights (SWA)", t => t with { Swa = new() { Share = 0.25 } }),
        Arm("backgrounds, PCEN, AdaBN", t => t with
        {
            Augmentation = t.Augmentation with { Background = new() { Probability = 0.5 } },
            Adaptation = new() { Norms = AdaptedNorms.Unlabelled },
        }, "pcen-64"),
    ];

    static Trial Arm(string label, Func<TrainingSettings, TrainingSettings> change, string frontEnd = "mel-64") => new()
    {
        Model = "tsresnet18",
        FrontEnd = frontEnd,
        Label = label,
        Training = change(Ablations.Regularised with { Budget = Budget.OfClips(4800), EvaluateEvery = 4 }),
    };
}
