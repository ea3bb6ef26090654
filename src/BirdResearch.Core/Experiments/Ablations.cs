using BirdResearch.Data;
using BirdResearch.Features;
using BirdResearch.Models;
using BirdResearch.Naming;
using BirdResearch.Training;

namespace BirdResearch.Experiments;

/// <summary>Every grid that we report, by name.</summary>
public static class Ablations
{
    /// <summary>
    /// Raw mel, PCEN, row quantiles and sparse codes, read by a time-series ResNet and by a linear layer: the claim for sparse codes is about linear
    /// separability.
    /// </summary>
    public static Ablation FrontEnds { get; } = new(
        "front-ends",
        "Does a sparse expanded representation, or a mel spectrogram whose background is taken off, carry more than the mel spectrogram it is made from: for a network, and for a linear layer?",
        [.. from model in new[] { "tsresnet18", "linear" }
            from frontEnd in new[] { "mel-64", "pcen-64", "mel-64-quantile", ExpansionArms.Base, "es64-attuned", "es64-real", "es64-threshold-n1024" }
            select new Trial
            {
                Model = model,
                FrontEnd = frontEnd,
                Training = new TrainingSettings
                {
                    Budget = Budget.OfEpochs(20),
                    EvaluateEvery = 4,
                    HeadLearningRateFactor = model == "linear" ? 10 : 1, // a linear readout is all head
                },
            }]);

    /// <summary>
    /// An image CNN, a time-series ResNet, Mamba and SSAMBA, each on the front-end that it is made for, regularised alike and well: small
    /// data sets are learnt by heart otherwise.
    /// </summary>
    public static Ablation Models { get; } = new(
        "models",
        "Which architecture gives the most mAP for its price, trained alike, each on the representation that it is made for?",
        [.. from model in new[] { "tf_efficientnet_b0", "tsresnet18", "mamba", "ssamba_tiny_s16" }
            select new Trial
            {
                Model = model,
                FrontEnd = Classifiers.Named(model).FrontEnd,
                Training = Regularised,
            }]);

    /// <summary>
    /// The same arms under four budgets that cost the time-series ResNet the same: where the others stand depends on the currency. One arm takes
    /// every window of a recording, so that its epochs are longer.
    /// </summary>
    public static Ablation Budgets { get; } = new(
        "budgets",
        "Who wins at equal epochs, at equal clips, at equal training time, at equal multiply-adds? The same arms under four budgets.",
        [.. from budget in new[] { Budget.OfEpochs(20), Budget.OfClips(2400), Budget.OfSeconds(36), Budget.OfMultiplyAdds(1.4e11) }
            from arm in new[]
            {
                ("tf_efficientnet_b0", ""), ("mobilenetv3_small_100", ""), ("tsresnet18", ""), ("tsresnet18", "all windows"), ("ssamba_nano_s16", ""), ("vim", ""),
            }
            select new Trial
            {
                Model = arm.Item1,
                Label = arm.Item2,
                FrontEnd = "mel-64",
                Training = Regularised with
                {
                    Budget = budget,
                    EvaluateEvery = 4,
                    Sampling = new() { Window = arm.Item2 == "" ? WindowChoice.Random : WindowChoice.All },
                },
            }]);

    /// <summary>Both questions at once, small: two models by two front-ends by three seeds under one budget, in a few minutes on two cores.</summary>
    public static Ablation Demo { get; } = new(
        "demo",
        "Two architectures by two representations at 1200 training clips each, small enough for a first look: who wins where, and at what price?",
        [.. from model in new[] { "mobilenetv3_small_100", "tsresnet18" }
            from frontEnd in new[] { "mel-64", "expand-and-sparsify-64" }
            select new Trial { Model = model, FrontEnd = frontEnd, Training = new TrainingSettings { Budget = Budget.OfClips(1200) } }]);

    /// <summary>
    /// Expand-and-sparsify changed in one thing at a time, and in a few together, read by a linear layer, a small MLP and the time-series
    /// ResNet; the mel spectrogram that it starts from is the baseline. Small and short on purpose: 66 cells a seed.
    /// </summary>
    public static Ablation ExpandAndSparsify { get; } = new(
        "expand-and-sparsify",
        "What makes a sparse expanded code good: its width, its sparsity, its window, its projection or its rule? And for which head?",
        [.. from model in new[] { "linear", "mlp", "tsresnet18" }
            from frontEnd in ExpansionArms.All.Keys.Prepend(ExpansionArms.Base).Prepend("mel-64")
            select new Trial
            {
                Model = model,
                FrontEnd = frontEnd,
                Training = new TrainingSettings { Budget = Budget.OfEpochs(20), EvaluateEvery = 10, HeadLearningRateFactor = 10 }, // a linear readout is all head
            }]);

    /// <summary>
    /// The recipe for environmental sound from scratch: a narrow ResNet that reads low bands too, trained long on halves of the clips that are never
    /// heard twice alike. It takes any data set in ESC layout: <c>bird run esc10 --fold all --data NAME</c>.
    /// </summary>
    public static Ablation Esc10 { get; } = new(
        "esc10",
        "How well are ten classes of environmental sound told apart from scratch, every fold held out once, within half an hour of four cores?",
        [
            new Trial
            {
                Data = "esc10",
                Model = "resnet10_w32",
                FrontEnd = "mel-64",
                Features = FrontEndNamed("mel-64") with { Mel = FrontEndNamed("mel-64").Mel with { MinHz = 20, MaxHz = 16_000 } },
                Training = new TrainingSettings
                {
                    Budget = Budget.OfEpochs(500),
                    EvaluateEvery = 500,
                    WindowSeconds = 2.5,
                    BatchSize = 16,
                    LearningRate = 2e-3,
                    WeightDecay = 0.05,
                    Ema = new() { Decay = 0.995 },
                    Augmentation = new AugmentationSettings
                    {
                        TimeShift = new() { Probability = 1 },
                        Speed = new() { Probability = 0.5, MinFactor = 0.8, MaxFactor = 1.25 },
                        Equaliser = new() { Probability = 0.5 },
                        Noise = new() { Probability = 0.3, MinSnrDb = 10 },
                        HighPass = new() { Probability = 0.15 },
                        LowPass = new() { Probability = 0.15 },
                        Reverberation = new() { Probability = 0.15 },
                    },
                },
            },
        ])
    {
        Seeds = [1],
    };

    /// <summary>Regularised well: small data sets are learnt by heart otherwise.</summary>
    internal static TrainingSettings Regularised => new()
    {
        Augmentation = new AugmentationSettings
        {
            TimeShift = new() { Probability = 1 },
            Mixup = new() { Probability = 0.8, Alpha = 0.8 },
            SpecAugment = new() { FrequencyMasks = 2 },
        },
        DropRate = 0.2,
        DropPathRate = 0.1,
        WeightDecay = 0.05,
    };

    /// <summary>What helps a classifier that was trained on clean focal recordings to work on soundscapes, one method at a time.</summary>
    public static Ablation DomainShift { get; } = new(
        "domain-shift",
        "What brings a classifier from clean focal recordings to noisy soundscapes: its norms, its training sound, its labels, its features or its weights?",
        DomainShiftArms.All);

    /// <summary>
    /// From no regularisation at all, each kind by itself, then all of them, for small state-space models and for a time-series ResNet.
    /// </summary>
    public static Ablation Regularisation { get; } = new(
        "regularisation",
        "Do small state-space models become competitive once they are regularised as they need it?",
        [.. from model in new[] { "ssamba_nano_s16", "vim", "tsresnet18" }
            from arm in new (string Label, Func<TrainingSettings, TrainingSettings> Change)[]
            {
                ("none", t => t),
                ("time shift", t => t with { Augmentation = t.Augmentation with { TimeShift = new() { Probability = 1 } } }),
                ("mixup", t => t with { Augmentation = t.Augmentation with { Mixup = new() { Probability = 0.8, Alpha = 0.8 } } }),
                ("SpecAugment", t => t with { Augmentation = t.Augmentation with { SpecAugment = new() { Probability = 1, FrequencyMasks = 2 } } }),
                ("drop path", t => t with { DropPathRate = 0.2 }),
                ("dropout", t => t with { DropRate = 0.4 }),
                ("weight decay", t => t with { WeightDecay = 0.2 }),
                ("averaged weights", t => t with { Ema = new() { Decay = 0.99 } }),
                ("all", t => Regularised with { Budget = t.Budget, EvaluateEvery = t.EvaluateEvery, DropPathRate = 0.2, Ema = new() { Decay = 0.99 } }),
            }
            select new Trial
            {
                Model = model,
                FrontEnd = "mel-64",
                Label = arm.Label,
                Training = arm.Change(new()
                {
                    Budget = Budget.OfEpochs(40),
                    EvaluateEvery = 4,
                    Augmentation = AugmentationSettings.Off,
                    DropRate = 0,
                    WeightDecay = 0,
                }),
            }]);

    static FrontEndSettings FrontEndNamed(string name) => Features.FrontEnds.Named(name);

    /// <summary>All of them, in the order of the list.</summary>
    public static IReadOnlyList<Ablation> All { get; } = [Demo, Budgets, DomainShift, Esc10, FrontEnds, ExpandAndSparsify, Models, Regularisation];

    /// <summary>The ablation of that name; an unknown one is an error that lists near names.</summary>
    public static Ablation Named(string name) =>
        All.FirstOrDefault(a => a.Name == name)
        ?? throw new ArgumentException(NearNames.Unknown("ablation", name, All.Select(a => a.Name)));
}
