using BirdResearch.Experiments;
using BirdResearch.Notebooks.Cells;

namespace BirdResearch.Notebooks.Display;

/// <summary>Runs a grid of trials from a cell: what <c>bird run</c> does, with the progress below the cell.</summary>
public static class Study
{
    /// <summary>
    /// Trains what is missing of a grid and reads back the rest, once per trial as it stands; records in the grid's order. Interrupting the cell stops at
    /// the next step, and what was finished is kept.
    /// </summary>
    /// <param name="grid">The grid, such as <c>Ablations.Demo.OverSeeds(2)</c>; its name is the folder of its runs.</param>
    /// <param name="store">Where runs lie; null takes <c>results/</c>.</param>
    public static IReadOnlyList<RunRecord> Run(Ablation grid, RunStore? store = null)
    {
        store ??= RunStore.Open();
        var interruption = Cell.Interruption;
        using var progress = new StudyProgress(grid.Trials);
        var runner = new TrialRunner(store);
        foreach (var data in grid.Trials.Select(t => t.Data).Distinct()) _ = runner.Open(data, progress.OfData(data), interruption);
        runner.Check(grid);
        AblationPlan.Add(store, runner, grid, "a notebook");
        return runner.RunAll(grid.Name, grid.Trials, progress.Of, interruption);
    }
}
