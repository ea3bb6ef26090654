namespace BirdResearch.Training;

/// <summary>One line of a pretraining's <c>epochs.csv</c>; null where an epoch was not validated.</summary>
/// <param name="Epoch">Counted from 1.</param>
/// <param name="Seconds">Training time of this epoch, validation excluded.</param>
/// <param name="Clips">Windows learned from in this epoch.</param>
/// <param name="LearningRate">Learning rate of its last step.</param>
/// <param name="Nce">Mean InfoNCE over its windows.</param>
/// <param name="Mse">Mean squared error of the hidden patches.</param>
/// <param name="MaskedAccuracy">Share of hidden patches that were told apart, in [0, 1].</param>
/// <param name="ValidationNce">InfoNCE on held-out recordings, more patches hidden.</param>
/// <param name="ValidationMse">Squared error on held-out recordings.</param>
/// <param name="ValidationMaskedAccuracy">Masked accuracy on held-out recordings.</param>
public sealed record PretrainingRow(
    int Epoch, double Seconds, long Clips, double LearningRate, double Nce, double Mse, double MaskedAccuracy,
    double? ValidationNce, double? ValidationMse, double? ValidationMaskedAccuracy)
{
    /// <summary>Windows per second of training time.</summary>
    public double ClipsPerSecond => Clips / Seconds;
}

/// <summary>How far a pretraining is; reported a few times a second.</summary>
/// <param name="Epoch">Epoch under way, counted from 1.</param>
/// <param name="Epochs">Epochs in all.</param>
/// <param name="ClipsDone">Windows learned from so far, those of earlier sittings included.</param>
/// <param name="ClipsTotal">Windows in all.</param>
/// <param name="ClipsPerSecond">Speed of the epoch under way.</param>
/// <param name="Finished">The epoch that has just ended, or null within one.</param>
public sealed record PretrainingProgress(int Epoch, int Epochs, long ClipsDone, long ClipsTotal, double ClipsPerSecond, PretrainingRow? Finished);
