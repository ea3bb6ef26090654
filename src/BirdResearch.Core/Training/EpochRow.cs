using BirdResearch.Features;

namespace BirdResearch.Training;

/// <summary>One line of <c>epochs.csv</c>; null where an epoch was not evaluated.</summary>
/// <param name="Epoch">Counted from 1.</param>
/// <param name="Seconds">Training time of this epoch, evaluation excluded.</param>
/// <param name="Clips">Clips trained on in this epoch.</param>
/// <param name="LearningRate">Learning rate of its last step.</param>
/// <param name="TrainLoss">Mean loss over its steps, augmentation included.</param>
/// <param name="TrainMap">Macro mAP on training recordings, without augmentation.</param>
/// <param name="FocalLoss">Mean loss on the held-out recordings.</param>
/// <param name="FocalMap">Macro mAP on the held-out recordings.</param>
/// <param name="FocalAuc">Macro ROC-AUC on the held-out recordings.</param>
public sealed record EpochRow(
    int Epoch, double Seconds, long Clips, double LearningRate, double TrainLoss,
    double? TrainMap, double? FocalLoss, double? FocalMap, double? FocalAuc)
{
    /// <summary>Share of <see cref="Seconds"/> in which the training step stood still until its batch was read, in [0, 1].</summary>
    public double WaitingShare { get; init; }

    /// <summary>Whether it was followed by an evaluation.</summary>
    public bool Evaluated { get; init; }

    /// <summary>How often each augmentation was offered and applied in this epoch; kept in the checkpoint with the row.</summary>
    public IReadOnlyDictionary<string, AugmentationCount> Augmentations { get; init; } = new Dictionary<string, AugmentationCount>();
}

/// <summary>How far a training is; reported a few times a second.</summary>
/// <param name="Epoch">Epoch under way, counted from 1.</param>
/// <param name="Epochs">Epochs in all.</param>
/// <param name="ClipsDone">Clips trained so far, those of earlier sittings included.</param>
/// <param name="ClipsTotal">Clips in all.</param>
/// <param name="ClipsPerSecond">Speed of the training steps of this sitting.</param>
/// <param name="Finished">The epoch that has just ended, or null within one.</param>
public sealed record TrainingProgress(int Epoch, int Epochs, long ClipsDone, long ClipsTotal, double ClipsPerSecond, EpochRow? Finished);
