namespace BirdResearch.Training;

/// <summary>What a round of pseudo-labels came to.</summary>
/// <param name="Round">Counted from 1.</param>
/// <param name="Members">Models that gave labels.</param>
/// <param name="Threshold">Least score.</param>
/// <param name="Windows">Windows scored.</param>
/// <param name="Kept">Windows in which a class is heard: those trained on.</param>
/// <param name="Highest">Highest mean score of any class in any window: how near the threshold was where little is kept.</param>
/// <param name="PerClass">Windows kept by the class that is heard best.</param>
/// <param name="FirstEpoch">The first epoch, as <c>epochs.csv</c> counts them, that was trained on these labels.</param>
/// <param name="Seconds">Time that scoring took, decoding included.</param>
public sealed record PseudoLabelRound(
    int Round, int Members, double Threshold, int Windows, int Kept, double Highest, IReadOnlyDictionary<string, int> PerClass, int FirstEpoch, double Seconds)
{
    /// <summary>A sentence for the reader.</summary>
    public override string ToString() => FormattableString.Invariant(
        $"round {Round} kept {Kept} of {Windows} windows (a score of {Threshold} or more; the highest was {Highest:0.000})");
}
