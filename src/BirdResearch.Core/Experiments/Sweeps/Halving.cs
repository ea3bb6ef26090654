using BirdResearch.Training;

namespace BirdResearch.Experiments;

/// <summary>
/// Successive halving (Jamieson and Talwalkar 2016): all candidates on a small part of the budget, the best share of them on a larger part, and so on
/// up to the whole. Each step trains afresh, since the learning rate falls by the budget. Candidates are chosen by focal validation: its score of the
/// winner flatters; that of other folds or of soundscapes does not.
/// </summary>
public sealed record Halving
{
    /// <summary>Of so many candidates one stays; the budget grows by the same factor.</summary>
    public int Eta { get; init; } = 3;

    /// <summary>Steps, the one on the whole budget included.</summary>
    public int Rungs { get; init; } = 3;

    /// <summary>Throws an error that names the first setting out of its range.</summary>
    public void Check()
    {
        if (Eta is < 2 or > 100) throw new ArgumentException($"--eta is {Eta}; it must be between 2 and 100.");
        if (Rungs is < 2 or > 20) throw new ArgumentException($"--rungs is {Rungs}; it must be between 2 and 20.");
    }

    /// <summary>Goes through the steps and returns the records of the last.</summary>
    /// <param name="grid">Candidates, each over its seeds and folds: what differs in more than that is another candidate.</param>
    /// <param name="run">Trains, or reads back, the trials of a grid and returns their records in its order.</param>
    /// <param name="told">Hears of each step before it is trained.</param>
    public IReadOnlyList<RunRecord> Run(Ablation grid, Func<Ablation, IReadOnlyList<RunRecord>> run, Action<Rung>? told = null)
    {
        Check();
        var candidates = grid.Trials.GroupBy(t => t with { Seed = 0, Fold = null }).Select(g => g.ToList()).ToList();
        for (var rung = 0; ; rung++)
        {
            var share = Math.Pow(Eta, rung + 1 - Rungs);
            var trials = candidates.SelectMany(c => c.Select(t => t with { Training = t.Training with { Budget = Part(t.Training.Budget, share) } })).ToList();
            told?.Invoke(new Rung(rung + 1, Rungs, candidates.Count, trials[0].Training.Budget));
            var records = run(grid with { Trials = trials });
            if (rung + 1 >= Rungs) return records;
            var (next, scored) = (0, new List<(List<Trial> Candidate, double Score)>());
            foreach (var candidate in candidates)
            {
                scored.Add((candidate, ScoreOf(records.Skip(next).Take(candidate.Count))));
                next += candidate.Count;
            }
            // A stable order: of equals the earlier candidate stays.
            candidates = [.. scored.OrderByDescending(s => s.Score).Take((candidates.Count + Eta - 1) / Eta).Select(s => s.Candidate)];
        }
    }

    /// <summary>Mean focal mAP; lowest where a run has none.</summary>
    static double ScoreOf(IEnumerable<RunRecord> records) =>
        records.Average(r => r.Scores.TryGetValue("focal", out var focal) && focal.Map is { } map ? map : double.NegativeInfinity);

    static Budget Part(Budget whole, double share) => whole.Unit is BudgetUnit.Epochs or BudgetUnit.Clips
        ? whole with { Amount = Math.Max(whole.Unit == BudgetUnit.Clips ? 2 : 1, Math.Round(whole.Amount * share)) }
        : whole with { Amount = whole.Amount * share };
}

/// <summary>A step of <see cref="Halving"/>.</summary>
/// <param name="Number">Counted from 1.</param>
/// <param name="Of">Steps in all.</param>
/// <param name="Candidates">Candidates that are still in.</param>
/// <param name="Budget">What each of their runs may spend.</param>
public sealed record Rung(int Number, int Of, int Candidates, Budget Budget)
{
    /// <summary>In words.</summary>
    public override string ToString() => $"Step {Number} of {Of}: {Candidates} candidates, {Budget} each.";
}
