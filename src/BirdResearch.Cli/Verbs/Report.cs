using System.CommandLine;
using BirdResearch.Experiments;
using BirdResearch.Naming;

namespace BirdResearch.Cli.Verbs;

/// <summary><c>bird report ABLATION</c>: draws what has been run.</summary>
public static class Report
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var name = new Argument<string?>("ABLATION") { Description = "Ablation with finished runs (default: list them)", Arity = ArgumentArity.ZeroOrOne };
        var figures = new Option<bool>("--figures") { Description = "Also write every figure as SVG and PNG into results/<ablation>/figures (needs Chromium, Chrome or Edge)" };
        var withoutSound = new Option<bool>("--without-sound") { Description = "Leave the recordings' sound out of the page, since recordings have licences; spectrograms stay" };
        var allowMissing = new Option<bool>("--allow-missing") { Description = "Draw figures although runs of the design are missing or stale" };
        var markdown = new Option<bool>("--markdown") { Description = "Print the table as Markdown and write nothing" };
        return new Command("report",
            """
            Draws the report of an ablation's finished runs into results/<ablation>/report.html: one file that needs no network.

            Examples:
              bird report                 what has been run
              bird report front-ends
              bird report models --markdown
              bird report models --figures            results/models/figures/*.svg and *.png
              bird report models --without-sound      a page that may be handed on
            """)
        { name, figures, withoutSound, allowMissing, markdown }.Does((p, _) =>
        {
            var store = RunStore.Open();
            if (p.GetValue(name) is not { } ablation)
            {
                Screen.Table(["ablation", "finished runs>"], store.Ablations().Select(a => (IReadOnlyList<string>)[a, $"{store.Runs(a).Count()}"]));
                return 0;
            }
            if (!store.Runs(ablation).Any())
                throw new ArgumentException(Ablations.All.Any(a => a.Name == ablation)
                    ? $"No run of '{ablation}' is finished yet. Start with: bird run {ablation}"
                    : NearNames.Unknown("finished ablation", ablation, store.Ablations()));
            var known = Ablations.All.FirstOrDefault(a => a.Name == ablation) ?? new Ablation(ablation, "", []);
            if (p.GetValue(markdown))
            {
                PrintMarkdown(store.AblationFolder(ablation));
                return 0;
            }
            var whole = Show(store, known, p.GetValue(withoutSound), p.GetValue(figures), p.GetValue(allowMissing));
            return whole || p.GetValue(allowMissing) ? 0 : Verb.Failed;
        });
    }

    static void PrintMarkdown(string folder)
    {
        static void Row(IEnumerable<string> cells) => Screen.Line($"| {string.Join(" | ", cells.Select(c => c.Replace("|", "\\|")))} |");
        var rows = Analysis.Summary.table(Analysis.Runs.load(folder));
        var heads = Analysis.Summary.heads(rows);
        Row(heads);
        Row(heads.Select((_, i) => i < 3 ? "---" : "---:"));
        foreach (var cells in Analysis.Summary.cells(rows)) Row(cells);
    }

    /// <summary>Prints the ablation's table, writes its report and says where it is.</summary>
    /// <param name="store">Where its runs are.</param>
    /// <param name="ablation">What is reported.</param>
    /// <param name="withoutSound">Whether the recordings' sound stays out of the page.</param>
    /// <param name="figures">Whether every figure is also written as a file.</param>
    /// <param name="allowMissing">Whether figures are drawn although runs of them are missing or stale.</param>
    /// <returns>Whether no run of the design is missing or stale.</returns>
    public static bool Show(RunStore store, Ablation ablation, bool withoutSound = false, bool figures = false, bool allowMissing = false)
    {
        var folder = store.AblationFolder(ablation.Name);
        var set = Analysis.Runs.load(folder);
        Screen.Line();
        var rows = Analysis.Summary.table(set);
        Screen.Table(
            [.. Analysis.Summary.heads(rows).Select((head, i) => i < 3 ? head : head + ">")],
            Analysis.Summary.cells(rows).Select(cells => (IReadOnlyList<string>)[.. cells]));
        foreach (var skipped in set.Skipped) Screen.Warn($"{skipped.Folder} was left out: {skipped.Reason}");
        var path = Analysis.Report.writeWith(Analysis.ReportOptions.Of(!withoutSound, allowMissing), folder, ablation.Name, ablation.Question);
        var problems = Analysis.Ledger.check(set);
        if (!problems.IsEmpty)
        {
            var (sentence, commands) = Analysis.Ledger.describe(problems);
            Screen.Warn($"Not whole: {sentence}{(allowMissing ? "" : " Figures that need these runs are not drawn; --allow-missing draws them.")}");
            foreach (var command in commands.Take(3)) Screen.Warn($"  {command}");
        }
        Screen.Line();
        Screen.Line($"Report: {Path.GetRelativePath(Environment.CurrentDirectory, path)}");
        if (!figures) return problems.IsEmpty;
        var drawn = FigureFiles.Write(path, Path.Combine(folder, "figures"));
        Screen.Line($"Figures: {drawn.Count}, as SVG and PNG, in {Path.GetRelativePath(Environment.CurrentDirectory, Path.Combine(folder, "figures"))}");
        Analysis.Markdown.addFigures(folder, drawn.Select(f => Tuple.Create(f.Name, f.Title)));
        return problems.IsEmpty;
    }
}
