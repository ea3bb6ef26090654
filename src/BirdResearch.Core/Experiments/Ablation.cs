namespace BirdResearch.Experiments;

/// <summary>A named grid of trials that together answer a question.</summary>
/// <param name="Name">Kebab-case name; also its folder below <c>results</c>.</param>
/// <param name="Question">What it is meant to find out, in one sentence.</param>
/// <param name="Trials">Its cells; each says only what differs from the baseline.</param>
public sealed record Ablation(string Name, string Question, IReadOnlyList<Trial> Trials)
{
    /// <summary>Seeds that every cell is run with unless others are asked for: fewer than three say nothing of the spread between runs.</summary>
    public IReadOnlyList<int> Seeds { get; init; } = [1, 2, 3];

    /// <summary>The same grid with every trial changed.</summary>
    public Ablation With(Func<Trial, Trial> change) => this with { Trials = [.. Trials.Select(change)] };

    /// <summary>The same grid with the trials on one data set once per fold that is held out.</summary>
    public Ablation OverFolds(string data, IReadOnlyList<int> folds) => this with
    {
        Trials = [.. Trials.SelectMany(t => t.Data == data ? folds.Select(fold => t with { Fold = fold }) : [t])],
    };

    /// <summary>The same grid once per seed.</summary>
    public Ablation Over(IReadOnlyList<int> seeds) =>
        this with { Trials = [.. from seed in seeds from trial in Trials select trial with { Seed = seed }] };
}
