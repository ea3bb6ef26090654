using System.CommandLine;
using System.Text.Json;
using BirdResearch.Data;
using BirdResearch.Experiments;
using BirdResearch.Naming;

namespace BirdResearch.Cli.Verbs;

/// <summary><c>bird runs</c>: what has been run, as a table.</summary>
public static class RunList
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var name = new Argument<string?>("ABLATION") { Description = "Only this ablation (default: all)", Arity = ArgumentArity.ZeroOrOne };
        var model = new Option<string?>("--model") { Description = "Only models whose name holds this" };
        var frontEnd = new Option<string?>("--front-end") { Description = "Only front-ends whose name holds this" };
        var data = new Option<string?>("--data") { Description = "Only this data set" };
        var seed = new Option<string?>("--seed") { Description = "Only these seeds, such as 1,2" };
        var fold = new Option<string?>("--fold") { Description = "Only these folds" };
        var budget = new Option<string?>("--budget") { Description = "Only this budget, such as '20 epochs'" };
        var state = new Option<string?>("--state") { Description = $"Only these: {string.Join(", ", Analysis.RunTable.States)}" };
        var sort = new Option<string?>("--sort") { Description = "Sort by a column, the largest number first, such as map or seconds (default: by name)" };
        var json = new Option<bool>("--json") { Description = "Print one JSON array and nothing else" };
        var csv = new Option<string?>("--csv") { Description = "Write the table into this file as well" };
        return new Command("runs",
            """
            Lists runs: finished ones, those that are planned or cut off, and stale ones, which were made by other settings, code or data than theirs.

            Examples:
              bird runs
              bird runs budgets --state unfinished
              bird runs front-ends --data birds --front-end mel --sort map
              bird runs models --csv runs.csv
            """)
        { name, model, frontEnd, data, seed, fold, budget, state, sort, json, csv }.Does((p, _) =>
        {
            var store = RunStore.Open();
            var ablations = Folders(store, p.GetValue(name));
            var wanted = Analysis.RunTable.filter(
                p.GetValue(model), p.GetValue(frontEnd), p.GetValue(data), Numbers("--seed", p.GetValue(seed)), Numbers("--fold", p.GetValue(fold)),
                p.GetValue(budget) is { } text ? Training.Budget.Parse(text).ToString() : null, p.GetValue(state));
            var rows = Analysis.RunTable.rows(wanted, p.GetValue(sort), ablations);
            if (p.GetValue(csv) is { } file) CsvTable.Write(file, [.. Analysis.RunTable.Keys], rows.Select(r => (IReadOnlyList<object?>)[.. r.Values]));
            if (p.GetValue(json))
            {
                var keys = Analysis.RunTable.Keys.ToList();
                Screen.Line(JsonSerializer.Serialize(rows.Select(r => keys.Zip(r.Values).ToDictionary(c => c.First, c => c.Second)), RunStore.Json));
                return 0;
            }
            Screen.Table([.. Analysis.RunTable.Heads], rows.Select(r => (IReadOnlyList<string>)[.. r.Cells]));
            Screen.Line();
            Screen.Line(Analysis.RunTable.counts(rows));
            return 0;
        });
    }

    static IReadOnlyList<string> Folders(RunStore store, string? name)
    {
        var known = store.Ablations();
        if (name is null) return [.. known.Select(store.AblationFolder)];
        var folder = store.AblationFolder(name);
        return Directory.Exists(folder) ? [folder] : throw new ArgumentException(NearNames.Unknown("ablation with runs", name, known));
    }

    static IReadOnlyList<int> Numbers(string option, string? text) =>
        [.. Verb.Items(text).Select(item => int.TryParse(item, out var number)
            ? number
            : throw new ArgumentException($"{option} holds '{item}'; it takes whole numbers such as 1,2."))];
}
