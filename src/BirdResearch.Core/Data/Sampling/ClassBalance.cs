namespace BirdResearch.Data;

/// <summary>How often recordings of rare and of common classes come.</summary>
public enum ClassBalance
{
    /// <summary>Each once an epoch.</summary>
    None,

    /// <summary>
    /// Drawn with replacement, in proportion to 1 / sqrt(recordings of the class): the sampler of UCSD-E4E/acoustic-multiclass-training,
    /// which credits the winner of BirdCLEF 2023.
    /// </summary>
    InverseSqrt,

    /// <summary>
    /// Drawn with replacement, in proportion to (1 - beta) / (1 - beta^n) for a class of n recordings: Cui, Jia, Lin, Song and Belongie
    /// 2019, <i>Class-Balanced Loss Based on Effective Number of Samples</i>, equation 2.
    /// </summary>
    EffectiveNumber,
}
