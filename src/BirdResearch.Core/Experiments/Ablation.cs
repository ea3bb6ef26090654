using BirdResearch.Models;
using BirdResearch.Naming;
using BirdResearch.Training;

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

    /// <summary>The same grid once per seed of 1 to <paramref name="count"/>.</summary>
    public Ablation OverSeeds(int count) => count < 1
        ? throw new ArgumentException($"An ablation needs at least 1 seed, not {count}.")
        : Over([.. Enumerable.Range(1, count)]);

    /// <summary>The same grid with every trial on each of these data sets, names or folders; without any, as it is.</summary>
    public Ablation On(params IReadOnlyList<string> data) =>
        data.Count == 0 ? this : this with { Trials = [.. (from d in data from t in Trials select t with { Data = d }).Distinct()] };

    /// <summary>The same grid with another budget for every training.</summary>
    public Ablation WithBudget(Budget budget) => With(t => t with { Training = t.Training with { Budget = budget } });

    /// <summary>The same grid with another budget for every training, such as <c>20 epochs</c> or <c>5000 clips</c>.</summary>
    public Ablation WithBudget(string budget) => WithBudget(Budget.Parse(budget));

    /// <summary>
    /// The cells of these models; for one that none has, those of the first model, changed to it and to its own front-end where the first one read its own.
    /// Without any, as it is.
    /// </summary>
    public Ablation WithModels(params IReadOnlyList<string> models) => Only(models, t => t.Model, WithModel);

    /// <summary>The cells of these front-ends; for one that none has, those of the first front-end, changed to it. Without any, as it is.</summary>
    public Ablation WithFrontEnds(params IReadOnlyList<string> frontEnds) => Only(frontEnds, t => t.FrontEnd, (t, f) => t with { FrontEnd = f });

    /// <summary>The cells of the arms with these labels, in the order of the labels; without any, as it is. An unknown label is an error that lists near ones.</summary>
    public Ablation WithArms(params IReadOnlyList<string> labels)
    {
        foreach (var label in labels)
            if (Trials.All(t => t.Label != label))
                throw new ArgumentException(NearNames.Unknown($"arm of {Name}", label, Trials.Select(t => t.Label).Where(known => known.Length > 0)));
        return Only(labels, t => t.Label, (t, _) => t);
    }

    Ablation Only(IReadOnlyList<string> values, Func<Trial, string> get, Func<Trial, string, Trial> set) =>
        values.Count == 0
            ? this
            : this with
            {
                Trials =
                [
                    .. values.SelectMany(value => Trials.Any(t => get(t) == value)
                        ? Trials.Where(t => get(t) == value)
                        : Trials.Where(t => get(t) == get(Trials[0])).Select(t => set(t, value))).Distinct(),
                ],
            };

    static Trial WithModel(Trial trial, string model)
    {
        var readsItsOwn = trial.FrontEnd == Classifiers.Named(trial.Model).FrontEnd;
        return trial with { Model = model, FrontEnd = readsItsOwn ? Classifiers.Named(model).FrontEnd : trial.FrontEnd };
    }
}
