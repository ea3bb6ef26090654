using BirdResearch.Data;
using BirdResearch.Experiments;
using BirdResearch.Notebooks.Cells;

namespace BirdResearch.Notebooks.Display;

/// <summary>Runs, grids and data sets by what a reader asks of them first.</summary>
static class RunForm
{
    public static MimeBundle Of(object value) => (value switch
    {
        RunRecord run => OfRun(run),
        Trial trial => Table.Of("Trial", Facts(trial)),
        Ablation grid => OfGrid(grid),
        Dataset data => Table.Of($"Data set {data.Name}",
            ("classes", data.Classes.Count), ("recordings", data.Focal.Count), ("labelled soundscape windows", data.Soundscapes.Count),
            ("soundscapes without labels", data.Unlabelled.Count), ("labels", data.Labelling), ("grouped by", data.GroupedBy), ("left out", data.LeftOut.Count)),
        _ => throw new ArgumentException($"{value.GetType()} is no run, trial, ablation or data set."),
    }).Bundle();

    /// <summary>Runs, a row each.</summary>
    public static MimeBundle OfRuns(IReadOnlyList<RunRecord> runs)
    {
        string[] domains = [.. runs.SelectMany(r => r.Scores.Keys).Distinct().Where(d => d != "train")];
        return Rows("", [.. Facts(new Trial()).Select(f => f.Item1), .. domains.Select(d => $"mAP, {d}"), "ROC-AUC", "parameters (M)", "training (s)"],
        [
            .. runs.Select(r => (object?[])
            [
                .. Facts(r.Trial).Select(f => f.Item2), .. domains.Select(d => (object?)r.Scores.GetValueOrDefault(d)?.Map),
                r.Scores.GetValueOrDefault("focal")?.RocAuc, r.Model.Parameters / 1e6, r.Cost.TrainSeconds,
            ]),
        ]).Bundle();
    }

    static (string, object?)[] Facts(Trial trial) =>
    [
        ("label", trial.Label == "" ? null : trial.Label), ("model", trial.Model), ("front-end", trial.FrontEnd), ("data", Path.GetFileName(trial.Data)),
        ("fold", trial.Fold), ("seed", trial.Seed), ("budget", trial.Training.Budget),
    ];

    static Table OfRun(RunRecord run) => Table.Of(run.Name,
    [
        .. Facts(run.Trial),
        .. run.Scores.Where(s => s.Value.Map is not null).Select(s => ($"mAP, {s.Key}", (object?)s.Value.Map)),
        .. run.Scores.Where(s => s.Value.RocAuc is not null).Select(s => ($"ROC-AUC, {s.Key}", (object?)s.Value.RocAuc)),
        ("parameters (M)", run.Model.Parameters / 1e6), ("training (s)", run.Cost.TrainSeconds), ("training (clips/s)", run.Cost.TrainClipsPerSecond),
        ("finished (UTC)", run.Cost.Finished), ("machine", run.Machine.Cpu),
    ]);

    static Table OfGrid(Ablation grid) => Rows(
        $"{grid.Name}: {grid.Question}", [.. Facts(new Trial()).Select(f => f.Item1)], [.. grid.Trials.Select(trial => Facts(trial).Select(f => f.Item2).ToArray())]);

    /// <summary>Rows without the columns that none of them fills.</summary>
    static Table Rows(string title, string[] heads, object?[][] rows)
    {
        var used = Enumerable.Range(0, heads.Length).Where(c => rows.Any(row => row[c] is not null)).ToList();
        object?[][] kept = [.. rows.Select(row => used.Select(c => row[c]).ToArray())];
        var isLong = kept.Length > Table.MostRows;
        return new Table([.. used.Select(c => heads[c])], isLong ? kept[..Table.FirstRows] : kept, isLong ? kept[^Table.LastRows..] : [], kept.Length) { Title = title };
    }
}
