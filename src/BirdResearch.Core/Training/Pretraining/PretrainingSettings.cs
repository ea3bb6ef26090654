using System.Text.Json;

namespace BirdResearch.Training;

/// <summary>
/// How SSAMBA learns from sound without labels. The defaults are the published ones but for the batch (64 there), which memory decides and
/// the loss does not (it compares patches within a clip), and the schedule: published is a learning rate that halves when the masked accuracy
/// stops to rise over thousands of steps, here it is warm-up and cosine, which also ends well after hundreds.
/// </summary>
public sealed record PretrainingSettings
{
    /// <summary>Passes over the recordings.</summary>
    public int Epochs { get; init; } = 10;

    /// <summary>Windows in one step.</summary>
    public int BatchSize { get; init; } = 16;

    /// <summary>Length of a window in seconds.</summary>
    public double WindowSeconds { get; init; } = 10;

    /// <summary>A recording gives a window for every so many whole seconds of it in each epoch, and at least one; not below <see cref="WindowSeconds"/>.</summary>
    public double SecondsPerWindow { get; init; } = 20;

    /// <summary>Peak learning rate of AdamW.</summary>
    public double LearningRate { get; init; } = 1e-4;

    /// <summary>Share of the steps in which the learning rate rises linearly, before its cosine fall to zero.</summary>
    public double WarmupShare { get; init; } = 0.1;

    /// <summary>Decay rate of AdamW's first moment.</summary>
    public double Beta1 { get; init; } = 0.95;

    /// <summary>Decay rate of AdamW's second moment.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Decoupled weight decay.</summary>
    public double WeightDecay { get; init; } = 5e-8;

    /// <summary>Largest global norm of the gradient; 0, as published, switches clipping off.</summary>
    public double ClipNorm { get; init; }

    /// <summary>Share of a clip's patches that are hidden: 300 of the 512 of ten seconds.</summary>
    public double MaskedShare { get; init; } = 300.0 / 512;

    /// <summary>The same in validation: 400 of 512.</summary>
    public double ValidationMaskedShare { get; init; } = 400.0 / 512;

    /// <summary>Patches along the side of the smallest square that is hidden at once.</summary>
    public int SmallestCluster { get; init; } = 3;

    /// <summary>Patches along the side of the largest.</summary>
    public int LargestCluster { get; init; } = 5;

    /// <summary>Weight of the squared error of reconstruction beside the InfoNCE loss.</summary>
    public double ReconstructionWeight { get; init; } = 10;

    /// <summary>Stochastic depth at the last layer.</summary>
    public double DropPathRate { get; init; } = 0.1;

    /// <summary>Number format of matrix products: <c>fp32</c> or <c>bf16</c>.</summary>
    public string Precision { get; init; } = "fp32";

    /// <summary>Share of the sound that is held out to validate on where no fold is.</summary>
    public double ValidationShare { get; init; } = 0.05;

    /// <summary>Windows to validate on, at most.</summary>
    public int ValidationWindows { get; init; } = 128;

    /// <summary>Epochs between two validations; the last epoch is always validated.</summary>
    public int ValidateEvery { get; init; } = 1;

    /// <summary>Whether the epoch with that index, counted from 0, is followed by a validation.</summary>
    public bool ValidatesAfter(int epoch) => epoch + 1 == Epochs || (epoch + 1) % ValidateEvery == 0;

    /// <summary>Throws an error that names the first setting out of its range.</summary>
    public void Check()
    {
        Require(nameof(Epochs), Epochs, Epochs >= 1, "at least 1");
        Require(nameof(BatchSize), BatchSize, BatchSize >= 2, "at least 2");
        Require(nameof(WindowSeconds), WindowSeconds, WindowSeconds is > 0 and <= 600, "above 0 and at most 600");
        Require(nameof(SecondsPerWindow), SecondsPerWindow, SecondsPerWindow >= WindowSeconds, $"at least window_seconds, {WindowSeconds}");
        Require(nameof(LearningRate), LearningRate, LearningRate is > 0 and < 10, "above 0 and below 10");
        Require(nameof(WarmupShare), WarmupShare, WarmupShare is >= 0 and < 1, "at least 0 and below 1");
        Require(nameof(Beta1), Beta1, Beta1 is >= 0 and < 1, "at least 0 and below 1");
        Require(nameof(Beta2), Beta2, Beta2 is >= 0 and < 1, "at least 0 and below 1");
        Require(nameof(WeightDecay), WeightDecay, WeightDecay is >= 0 and < 10, "at least 0 and below 10");
        Require(nameof(ClipNorm), ClipNorm, ClipNorm >= 0, "at least 0");
        Require(nameof(MaskedShare), MaskedShare, MaskedShare is > 0 and < 1, "above 0 and below 1");
        Require(nameof(ValidationMaskedShare), ValidationMaskedShare, ValidationMaskedShare is > 0 and < 1, "above 0 and below 1");
        Require(nameof(SmallestCluster), SmallestCluster, SmallestCluster >= 1, "at least 1");
        Require(nameof(LargestCluster), LargestCluster, LargestCluster >= SmallestCluster, $"at least smallest_cluster, {SmallestCluster}");
        Require(nameof(ReconstructionWeight), ReconstructionWeight, ReconstructionWeight >= 0, "at least 0");
        Require(nameof(DropPathRate), DropPathRate, DropPathRate is >= 0 and < 1, "at least 0 and below 1");
        Require(nameof(ValidationShare), ValidationShare, ValidationShare is > 0 and < 1, "above 0 and below 1");
        Require(nameof(ValidationWindows), ValidationWindows, ValidationWindows >= 1, "at least 1");
        Require(nameof(ValidateEvery), ValidateEvery, ValidateEvery >= 1, "at least 1");
        ProductPrecision.Check(Precision);
    }

    static void Require(string name, double value, bool holds, string range)
    {
        if (!holds) throw new ArgumentException($"training.{JsonNamingPolicy.SnakeCaseLower.ConvertName(name)} is {value}; it must be {range}.");
    }
}
