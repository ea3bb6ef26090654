using BirdResearch.Data;
using BirdResearch.Features;

namespace BirdResearch.Training;

/// <summary>How a model is trained; the defaults are the baseline of every ablation.</summary>
public sealed record TrainingSettings
{
    /// <summary>What the training may spend; each epoch takes one window of every recording.</summary>
    public Budget Budget { get; init; } = Budget.OfEpochs(60);

    /// <summary>Clips in one step.</summary>
    public int BatchSize { get; init; } = 8;

    /// <summary>Length of a window in seconds.</summary>
    public double WindowSeconds { get; init; } = 5;

    /// <summary>Peak learning rate of AdamW.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>
    /// Factor on the learning rate for every layer further from the head, so that early layers change less: BEiT's and timm's
    /// layer-wise decay. 1 switches it off.
    /// </summary>
    public double LayerDecay { get; init; } = 1;

    /// <summary>Factor on the learning rate of the head, which starts afresh where the other layers come pretrained.</summary>
    public double HeadLearningRateFactor { get; init; } = 1;

    /// <summary>Decay rate of AdamW's first moment.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay rate of AdamW's second moment.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>
    /// Format of matrix products, forward and backward: <c>fp32</c>, <c>bf16</c>, or <c>auto</c>, which takes bf16 where a trial at the start of the
    /// training finds it faster. Weights, norms and states stay in float32 either way.
    /// </summary>
    public string Precision { get; init; } = "fp32";

    /// <summary>Decoupled weight decay; biases and norms are left out.</summary>
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>Share of the steps in which the learning rate rises linearly, before its cosine fall to zero.</summary>
    public double WarmupShare { get; init; } = 0.1;

    /// <summary>
    /// <c>bce</c> (one yes or no per class), <c>ce</c> (softmax cross-entropy), <c>focal</c> or <c>asymmetric</c>; null takes what the data set's
    /// labelling asks for.
    /// </summary>
    public string? Loss { get; init; }

    /// <summary>Numbers of the focal loss.</summary>
    public FocalSettings Focal { get; init; } = new();

    /// <summary>Numbers of the asymmetric loss.</summary>
    public AsymmetricSettings Asymmetric { get; init; } = new();

    /// <summary>Share of label mass spread over the other classes, in [0, 1).</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>Which windows of which recordings are trained on, and with which labels.</summary>
    public SamplingSettings Sampling { get; init; } = new();

    /// <summary>Windows without any class among the training samples.</summary>
    public NoCallSettings NoCall { get; init; } = new();

    /// <summary>What changes the training samples.</summary>
    public AugmentationSettings Augmentation { get; init; } = new();

    /// <summary>Dropout before the classifier.</summary>
    public double DropRate { get; init; } = 0.1;

    /// <summary>
    /// Factor on the classifier's initial weights, where it starts untrained. timm draws them for a thousand classes; with ten they
    /// are so large that the first epochs are spent on unlearning them.
    /// </summary>
    public double HeadScale { get; init; } = 0.1;

    /// <summary>Stochastic depth at the last block.</summary>
    public double DropPathRate { get; init; }

    /// <summary>Largest global norm of the gradient; 0 switches clipping off.</summary>
    public double ClipNorm { get; init; } = 5;

    /// <summary>
    /// Batches whose gradients make one optimiser step: the step of one batch as large, without its memory. Batch norm still sees one batch at a
    /// time. The last step of an epoch takes what is left.
    /// </summary>
    public int Accumulate { get; init; } = 1;

    /// <summary>The running average of weights that is evaluated and kept in place of the weights themselves.</summary>
    public EmaSettings Ema { get; init; } = new();

    /// <summary>The equal average of the weights of the last part of training that is evaluated and kept in place of the weights themselves.</summary>
    public SwaSettings Swa { get; init; } = new();

    /// <summary>Whether steps look for weights around which the loss is flat.</summary>
    public SharpnessSettings Sharpness { get; init; } = new();

    /// <summary>Which epoch's weights are kept, and whether training may end early.</summary>
    public StoppingSettings Stopping { get; init; } = new();

    /// <summary>Rounds of training on labels that models gave to soundscapes without any.</summary>
    public PseudoLabelSettings PseudoLabels { get; init; } = new();

    /// <summary>What brings a trained model to the domain that it is tested in.</summary>
    public AdaptationSettings Adaptation { get; init; } = new();

    /// <summary>Windows of one recording that evaluation averages, at most.</summary>
    public int EvaluationWindows { get; init; } = 6;

    /// <summary>Weight file to start from, safetensors or PyTorch's, or the folder of a run or pretraining that holds one; null starts from the model's own initialisation.</summary>
    public string? Pretrained { get; init; }

    /// <summary>Epochs between two evaluations; 0 spreads at most twenty over the budget. The last epoch is always evaluated.</summary>
    public int EvaluateEvery { get; init; }

    /// <summary>Throws an error that names the first setting out of its range.</summary>
    public void Check()
    {
        Budget.Check();
        Require(nameof(BatchSize), BatchSize, BatchSize >= 2, "at least 2 (batch norm needs more than one clip)");
        Require(nameof(WindowSeconds), WindowSeconds, WindowSeconds is > 0 and <= 600, "above 0 and at most 600");
        Require(nameof(LearningRate), LearningRate, LearningRate is > 0 and < 10, "above 0 and below 10");
        Require(nameof(WeightDecay), WeightDecay, WeightDecay is >= 0 and < 10, "at least 0 and below 10");
        Require(nameof(LayerDecay), LayerDecay, LayerDecay is > 0 and <= 1, "above 0 and at most 1");
        Require(nameof(HeadLearningRateFactor), HeadLearningRateFactor, HeadLearningRateFactor is > 0 and <= 1000, "above 0 and at most 1000");
        Require(nameof(Beta1), Beta1, Beta1 is >= 0 and < 1, "at least 0 and below 1");
        Require(nameof(Beta2), Beta2, Beta2 is >= 0 and < 1, "at least 0 and below 1");
        Require(nameof(Accumulate), Accumulate, Accumulate >= 1, "at least 1");
        ProductPrecision.Check(Precision, mayChoose: true);
        if (Loss is not null && !Training.Loss.Names.Contains(Loss))
            throw new ArgumentException($"training.loss is '{Loss}'; it must be one of {string.Join(", ", Training.Loss.Names)}, or null.");
        Focal.Check();
        Asymmetric.Check();
        Ema.Check();
        Swa.Check();
        if (Ema.Decay > 0 && Swa.Share > 0)
            throw new ArgumentException(FormattableString.Invariant(
                $"training.swa.share is {Swa.Share} and training.ema.decay is {Ema.Decay}; one average of weights can be kept: set the other to 0."));
        Sharpness.Check();
        Stopping.Check();
        Adaptation.Check();
        PseudoLabels.Check();
        Sampling.Check();
        NoCall.Check();
        if (PseudoLabels.Rounds > 0 && (Sampling.Window == WindowChoice.All || Sampling.MostPerClass > 0 || Sampling.LeastPerClass > 0))
            throw new ArgumentException(
                $"training.pseudo_labels.rounds is {PseudoLabels.Rounds}, but training.sampling sets the windows of an epoch (window=all, most_per_class or " +
                "least_per_class): pseudo-labelled windows take the place of whole recordings. Leave these at their defaults.");
        Augmentation.Check();
        Require(nameof(WarmupShare), WarmupShare, WarmupShare is >= 0 and < 1, "at least 0 and below 1");
        Require(nameof(LabelSmoothing), LabelSmoothing, LabelSmoothing is >= 0 and < 1, "at least 0 and below 1");
        Require(nameof(DropRate), DropRate, DropRate is >= 0 and < 1, "at least 0 and below 1");
        Require(nameof(DropPathRate), DropPathRate, DropPathRate is >= 0 and < 1, "at least 0 and below 1");
        Require(nameof(HeadScale), HeadScale, HeadScale is >= 0 and <= 10, "between 0 and 10");
        Require(nameof(ClipNorm), ClipNorm, ClipNorm >= 0, "at least 0");
        Require(nameof(EvaluationWindows), EvaluationWindows, EvaluationWindows >= 1, "at least 1");
        Require(nameof(EvaluateEvery), EvaluateEvery, EvaluateEvery >= 0, "at least 0");
    }

    static void Require(string name, double value, bool holds, string range)
    {
        if (!holds)
            throw new ArgumentException(
                $"training.{System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(name)} is {value}; it must be {range}.");
    }
}
