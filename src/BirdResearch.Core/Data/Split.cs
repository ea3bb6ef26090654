namespace BirdResearch.Data;

/// <summary>Recordings to train on and recordings held out, with no group on both sides.</summary>
public sealed record Split
{
    /// <summary>Recordings to train on, ordered by id.</summary>
    public required IReadOnlyList<Clip> Train { get; init; }

    /// <summary>Recordings held out, ordered by id; empty where no group can be spared.</summary>
    public required IReadOnlyList<Clip> Validation { get; init; }

    /// <summary>The fold that is held out.</summary>
    public required int Fold { get; init; }

    /// <summary>Every fold that can be.</summary>
    public required IReadOnlyList<int> Folds { get; init; }

    /// <summary>What keeps recordings together: <c>given folds</c>, <c>author</c> or <c>recording</c>.</summary>
    public required string Rule { get; init; }

    /// <summary>Classes that no training recording has as its label.</summary>
    public required IReadOnlyList<string> ClassesWithoutTraining { get; init; }

    /// <summary>Classes that no held-out recording has as its label; their validation score is undefined.</summary>
    public required IReadOnlyList<string> ClassesWithoutValidation { get; init; }

    /// <summary>One line for a log: counts of both sides, fold and rule, and the classes that one side lacks.</summary>
    public override string ToString()
    {
        var line = $"fold {Fold} of {string.Join(", ", Folds)} by {Rule}: " +
            $"{Train.Count} recordings to train, {Validation.Count} to validate";
        if (ClassesWithoutTraining.Count > 0) line += $"; nothing to train: {Few(ClassesWithoutTraining)}";
        if (ClassesWithoutValidation.Count > 0) line += $"; nothing to validate: {Few(ClassesWithoutValidation)}";
        return line;
    }

    static string Few(IReadOnlyList<string> classes) =>
        classes.Count <= 8 ? string.Join(", ", classes) : $"{string.Join(", ", classes.Take(6))} and {classes.Count - 6} more";
}
