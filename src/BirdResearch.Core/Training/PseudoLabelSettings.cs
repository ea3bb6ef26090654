namespace BirdResearch.Training;

/// <summary>
/// Rounds of training on labels that models gave to soundscapes without any. The budget pays for all trainings alike: with M members and R rounds
/// there are M R + 1, each with an equal part of it and a learning-rate schedule of its own; giving labels costs time, but no budget.
/// </summary>
public sealed record PseudoLabelSettings
{
    /// <summary>How often soundscapes are labelled and trained on, 0 to 3; 0 switches it off. The training before the first round has labels alone.</summary>
    public int Rounds { get; init; }

    /// <summary>A class is heard in a window where its score is at least this; a window in which none is heard is left out.</summary>
    public double Threshold { get; init; } = 0.5;

    /// <summary>The threshold of the second round and later; null keeps the first.</summary>
    public double? LaterThreshold { get; init; }

    /// <summary>Whether scores themselves, the members' mean, are the labels (soft), or a yes for each class that is heard and no for the others.</summary>
    public bool Soft { get; init; } = true;

    /// <summary>
    /// Share of an epoch's windows that are pseudo-labelled, where there are as many: they take the place of recordings, drawn anew each epoch, so that
    /// an epoch stays as long as it was. No window comes twice in an epoch.
    /// </summary>
    public double Share { get; init; } = 0.25;

    /// <summary>Models that give labels in each round, trained from seeds of their own; the last training has one.</summary>
    public int Members { get; init; } = 1;

    /// <summary>Members that must hear a class for it to count.</summary>
    public int Agree { get; init; } = 1;

    /// <summary>Whether each training begins from an untrained model (or the pretrained weights), or goes on from the round before.</summary>
    public bool Afresh { get; init; }

    /// <summary>Windows of soundscapes without labels that are scored, at most; evenly spread over all of them.</summary>
    public int Windows { get; init; } = 512;

    /// <summary>Trainings in all.</summary>
    internal int Trainings => (Members * Rounds) + 1;

    /// <summary>The threshold of a round, counted from 1.</summary>
    internal double ThresholdOf(int round) => round > 1 && LaterThreshold is { } later ? later : Threshold;

    /// <summary>Throws an error that names the first setting out of its range.</summary>
    public void Check()
    {
        Require("rounds", Rounds, Rounds is >= 0 and <= 3, "0 to 3");
        Require("threshold", Threshold, Threshold is > 0 and <= 1, "above 0 and at most 1");
        Require("later_threshold", LaterThreshold ?? 1, LaterThreshold is null or (> 0 and <= 1), "above 0 and at most 1");
        Require("share", Share, Share is > 0 and < 1, "above 0 and below 1");
        Require("members", Members, Members is >= 1 and <= 16, "1 to 16");
        Require("agree", Agree, Agree >= 1 && Agree <= Members, $"1 to members ({Members})");
        Require("windows", Windows, Windows >= 1, "at least 1");
    }

    static void Require(string name, double value, bool holds, string range)
    {
        if (!holds) throw new ArgumentException(FormattableString.Invariant($"training.pseudo_labels.{name} is {value}; it must be {range}."));
    }
}
