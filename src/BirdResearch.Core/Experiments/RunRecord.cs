using BirdResearch.Features;
using BirdResearch.Inference;
using BirdResearch.Training;

namespace BirdResearch.Experiments;

/// <summary>What a finished run leaves in <c>run.json</c>.</summary>
public sealed record RunRecord
{
    /// <summary>Version of this layout.</summary>
    public int Format { get; init; } = 1;

    /// <summary>The <see cref="RunStore.Recipe"/> that made it; null in records of versions that did not tell.</summary>
    public int? Recipe { get; init; }

    /// <summary>Digests of its tables as they were written, see <see cref="RunFreshness.Digests"/>; null in records of versions that did not tell.</summary>
    public IReadOnlyDictionary<string, string>? Files { get; init; }

    /// <summary>Ablation it belongs to.</summary>
    public required string Ablation { get; init; }

    /// <summary>Folder name: <c>model.front-end.data.f0.s1-hash</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Settings, complete (front-end numbers and fold filled in).</summary>
    public required Trial Trial { get; init; }

    /// <summary>What was trained.</summary>
    public required ModelFacts Model { get; init; }

    /// <summary>What it was trained on.</summary>
    public required DataFacts Data { get; init; }

    /// <summary>Scores of the weights of <see cref="Kept"/> by domain: <c>train</c>, <c>focal</c>, <c>soundscape</c>.</summary>
    public required IReadOnlyDictionary<string, DomainScores> Scores { get; init; }

    /// <summary>Which weights were kept, and how they were chosen; null in records of versions that always kept the last epoch's.</summary>
    public KeptWeights? Kept { get; init; }

    /// <summary>Number format of the products, and why; null in records of versions that did not tell.</summary>
    public PrecisionChoice? Precision { get; init; }

    /// <summary>The weights that it started from; null where it started from the model's own initialisation.</summary>
    public PretrainedFacts? Pretrained { get; init; }

    /// <summary>What the rounds of pseudo-labels came to; null where there were none.</summary>
    public IReadOnlyList<PseudoLabelRound>? PseudoLabels { get; init; }

    /// <summary>How the model was brought to the domain it is tested in; null where it was not.</summary>
    public AdaptationFacts? Adaptation { get; init; }

    /// <summary>How logits become scores; null in records of versions that did not tell.</summary>
    public ScoreRule? ScoreRule { get; init; }

    /// <summary>What it cost.</summary>
    public required RunCost Cost { get; init; }

    /// <summary>How often each augmentation was applied to a sample, of how often it was offered one.</summary>
    public IReadOnlyDictionary<string, AugmentationCount> Augmentations { get; init; } = new Dictionary<string, AugmentationCount>();

    /// <summary>Where it ran.</summary>
    public required Machine Machine { get; init; }
}

/// <summary>Size of a model.</summary>
/// <param name="Name">Catalogue name.</param>
/// <param name="Parameters">Trainable parameters.</param>
/// <param name="MultiplyAdds">Multiply-adds for one clip.</param>
/// <param name="Rows">Feature rows.</param>
/// <param name="Frames">Feature frames of one clip.</param>
public sealed record ModelFacts(string Name, long Parameters, long MultiplyAdds, long Rows, long Frames);

/// <summary>The data of a run.</summary>
/// <param name="Name">Data set.</param>
/// <param name="ContentKey">Its <see cref="Data.Dataset.ContentKey"/>.</param>
/// <param name="Classes">Number of classes.</param>
/// <param name="TrainRecordings">Recordings trained on.</param>
/// <param name="ValidationRecordings">Recordings held out.</param>
/// <param name="SoundscapeWindows">Labelled soundscape windows tested on.</param>
/// <param name="SplitRule">How the split was made, in words.</param>
public sealed record DataFacts(
    string Name, string ContentKey, int Classes, int TrainRecordings, int ValidationRecordings, int SoundscapeWindows, string SplitRule)
{
    /// <summary>Of the sound without labels that the run heard too, see <see cref="SoundWithoutLabels.KeyOf"/>; null where it heard none.</summary>
    public string? WithoutLabelsKey { get; init; }
}

/// <summary>Scores in one domain; null where a metric is undefined (no class has positives).</summary>
/// <param name="Rows">Recordings or windows scored.</param>
/// <param name="ScoredClasses">Classes with at least one positive.</param>
/// <param name="Map">Macro mAP over classes with positives (cmAP).</param>
/// <param name="MapMicro">AP over the flattened matrix.</param>
/// <param name="MapSamples">Mean AP over rows with positives.</param>
/// <param name="PaddedCmap">BirdCLEF 2023's cmAP, padded by five rows.</param>
/// <param name="RocAuc">BirdCLEF 2024's macro ROC-AUC, classes without positives left out.</param>
/// <param name="Accuracy">Share of single-label rows whose highest score is the true class.</param>
public sealed record DomainScores(
    int Rows, int ScoredClasses, double? Map, double? MapMicro, double? MapSamples, double? PaddedCmap, double? RocAuc, double? Accuracy);

/// <summary>Time spent.</summary>
/// <param name="TrainSeconds">Seconds in training steps, evaluation excluded.</param>
/// <param name="TrainClipsPerSecond">Clips trained per second of it.</param>
/// <param name="InferClipsPerSecond">Windows scored per second, decoding included.</param>
/// <param name="Steps">Optimiser steps.</param>
/// <param name="Clips">Clips trained on.</param>
/// <param name="Finished">When it ended, UTC.</param>
public sealed record RunCost(
    double TrainSeconds, double TrainClipsPerSecond, double InferClipsPerSecond, long Steps, long Clips, DateTime Finished)
{
    /// <summary>Share of <see cref="TrainSeconds"/> in which the training step stood still until its batch was read; null where it was not measured.</summary>
    public double? WaitingShare { get; init; }
}
