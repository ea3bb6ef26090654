using System.CommandLine;
using BirdResearch.Files;
using BirdResearch.Notebooks.Documents;
using BirdResearch.Notebooks.Languages;

namespace BirdResearch.Cli.Verbs;

/// <summary><c>bird notebook run FILE</c>: a notebook without a front-end.</summary>
public static class NotebookVerb
{
    /// <summary>The verb.</summary>
    public static Command Create() => new("notebook", "Notebooks in C# and F#; 'bird kernel install' opens them in VS Code and Jupyter.") { RunOne() };

    static Command RunOne()
    {
        var file = new Argument<string>("FILE") { Description = "An .ipynb or .dib file" };
        var parameters = new Option<string[]>("-p", "--parameter") { Description = "name=value for a name in the cell with the tag 'parameters'; may be repeated" };
        var output = new Option<string?>("-o", "--output") { Description = "Where the executed copy goes, an .ipynb file; the notebook itself may be named" };
        var html = new Option<string?>("--html") { Description = "Also write a page that needs no network (default: beside the copy)", Arity = ArgumentArity.ZeroOrOne };
        var pictures = new Option<bool>("--static-charts") { Description = "Give charts a still picture in the copy, for GitHub (needs Chromium, Chrome or Edge)" };
        var timeout = new Option<double?>("--timeout") { Description = "Seconds that a cell may run (default: as long as it takes)" };
        return new Command("run",
            """
            Runs a notebook's cells in order, in a fresh session, and stops at the first that fails.

            Examples:
              bird notebook run notebooks/03-models.ipynb --html
              bird notebook run notebooks/03-models.ipynb -p data=birds -p budget='20 epochs' -o birds.ipynb
              bird notebook run notebooks/03-models.ipynb -o notebooks/03-models.ipynb --static-charts    as the repository keeps it
            """)
        { file, parameters, output, html, pictures, timeout }.Does((p, cancellation) =>
        {
            var path = Path.GetFullPath(p.GetRequiredValue(file));
            var copy = p.GetValue(output) is { } given ? Path.GetFullPath(given) : null;
            if (copy is not null && Path.GetExtension(copy) != ".ipynb") throw new ArgumentException($"-o is '{copy}'; it must end in .ipynb.");
            if (p.GetValue(timeout) is { } seconds and not (> 0 and < 1e6)) throw new ArgumentException($"--timeout is {seconds}; it must be above 0.");
            var page = p.GetResult(html) is null ? null : Path.GetFullPath(p.GetValue(html) ?? Path.ChangeExtension(copy ?? path, ".html"));
            var notebook = Notebook.Open(path);
            NotebookParameters.Inject(notebook, p.GetValue(parameters) ?? []);
            Environment.CurrentDirectory = Path.GetDirectoryName(path)!; // as front-ends do it
            var runner = new NotebookRunner(language => new NotebookSession(language) { Notebook = Notebook.RequestsOf })
            {
                Timeout = p.GetValue(timeout) is { } limit ? TimeSpan.FromSeconds(limit) : null,
                Heard = (name, text) => (name == "stderr" ? Console.Error : Console.Out).Write(text),
            };
            var run = runner.Run(notebook, copy, new CellLines(), p.GetValue(pictures) ? AddPictures : null, cancellation).GetAwaiter().GetResult();
            if (page is not null)
            {
                WholeFile.Write(page, NotebookPage.Of(notebook, Path.GetDirectoryName(path)!, Path.GetFileName(path)));
                Screen.Line($"Page: {page}");
            }
            if (run.Path is { } written) Screen.Line($"Copy: {written}");
            if (run.IsWhole) return 0;
            cancellation.ThrowIfCancellationRequested();
            Screen.Error($"{Path.GetFileName(path)}: cell {run.FailedCell} failed: {run.Error!.Name}: {run.Error.Message}");
            foreach (var line in run.Error.Trace) Console.Error.WriteLine(line);
            Console.Error.WriteLine();
            Console.Error.WriteLine(notebook.Cells.Single(c => c.Count == run.FailedCell).Source);
            return Verb.Failed;
        });
    }

    static void AddPictures(Notebook notebook)
    {
        if (StaticCharts.Page(notebook) is not { } page) return;
        if (FigureFiles.Pictures(page) is { } pictures) StaticCharts.Add(notebook, pictures);
        else Screen.Warn("The charts have no still pictures: they are drawn by Chromium, Chrome or Edge, none of which is on the path.");
    }

    sealed class CellLines : IProgress<NotebookEvent>
    {
        public void Report(NotebookEvent value)
        {
            var first = value.Cell.Source.Split('\n').Select(l => l.Trim()).FirstOrDefault(l => l != "" && !l.StartsWith("#!", StringComparison.Ordinal)) ?? "";
            if (value.Elapsed is null) Screen.Line($"[{value.Number}/{value.Cells}] {first}");
            else if (value.Error is null) Screen.Line($"      {value.Elapsed.Value.TotalSeconds:0.0} s");
        }
    }
}
