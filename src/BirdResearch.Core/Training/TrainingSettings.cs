namespace BirdResearch.Training;

/// <summary>How a model is trained; the defaults are the baseline of every ablation.</summary>
public sealed record TrainingSettings
{
    /// <summary>Passes over the training recordings; each pass takes one window of every recording.</summary>
    public int Epochs { get; init; } = 30;

    /// <summary>Clips in one step.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>Length of a window in seconds.</summary>
    public double WindowSeconds { get; init; } = 5;

    /// <summary>Peak learning rate of AdamW.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Decoupled weight decay; biases and norms are left out.</summary>
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>Share of the steps in which the learning rate rises linearly, before its cosine fall to zero.</summary>
    public double WarmupShare { get; init; } = 0.1;

    /// <summary><c>bce</c> (one yes or no per class) or <c>ce</c> (softmax cross-entropy); null takes what the data set's labelling asks for.</summary>
    public string? Loss { get; init; }

    /// <summary>Share of label mass spread over the other classes, in [0, 1).</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>Probability that a clip is mixed with another clip of its batch.</summary>
    public double MixupProbability { get; init; } = 0.5;

    /// <summary>Both parameters of the Beta distribution that mixup's weight is drawn from.</summary>
    public double MixupAlpha { get; init; } = 0.4;

    /// <summary>Probability that a clip gets SpecAugment's masks.</summary>
    public double SpecAugmentProbability { get; init; } = 1;

    /// <summary>SpecAugment frequency masks per clip.</summary>
    public int FrequencyMasks { get; init; } = 1;

    /// <summary>Largest share of the rows that one frequency mask covers.</summary>
    public double FrequencyMaskShare { get; init; } = 0.15;

    /// <summary>SpecAugment time masks per clip.</summary>
    public int TimeMasks { get; init; } = 2;

    /// <summary>Largest share of the frames that one time mask covers.</summary>
    public double TimeMaskShare { get; init; } = 0.15;

    /// <summary>Dropout before the classifier.</summary>
    public double DropRate { get; init; } = 0.1;

    /// <summary>Stochastic depth at the last block.</summary>
    public double DropPathRate { get; init; }

    /// <summary>Largest global norm of the gradient; 0 switches clipping off.</summary>
    public double ClipNorm { get; init; } = 5;

    /// <summary>Windows of one recording that evaluation averages, at most.</summary>
    public int EvaluationWindows { get; init; } = 6;

    /// <summary>safetensors file to start from; null starts from the model's own initialisation.</summary>
    public string? Pretrained { get; init; }
}
