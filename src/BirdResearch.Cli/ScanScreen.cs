using System.Globalization;
using BirdResearch.Data;
using Spectre.Console;

namespace BirdResearch.Cli;

/// <summary>A scan on the terminal.</summary>
public static class ScanScreen
{
    const int MostLines = 40;

    /// <summary>Scans with progress.</summary>
    public static ScanResult Run(string name, ScanSettings settings, IReadOnlyList<string> worker, CancellationToken cancellation) =>
        !Screen.IsLive
            ? DatasetScan.Run(name, settings, worker, new Steps(), cancellation)
            : AnsiConsole.Progress().AutoClear(true).Start(context =>
            {
                var task = context.AddTask($"Scanning {Markup.Escape(name)}", autoStart: true);
                return DatasetScan.Run(name, settings, worker, new Bar(task), cancellation);
            });

    /// <summary>What was found, in tables and lines.</summary>
    public static void Show(ScanResult result, string tables)
    {
        var decoded = result.Measures.Count(m => m.Frames > 0);
        Screen.Line($"{result.Name}: {result.Files.Count} files, {decoded} with sound, {Hours(result.Measures.Sum(m => m.Seconds))}; " +
            $"{string.Join(", ", result.Measures.Where(m => m.Frames > 0).CountBy(m => $"{m.SampleRate} Hz").OrderByDescending(c => c.Value).Take(6).Select(c => $"{c.Value} at {c.Key}"))}");
        if (result.Findings.Count > 0)
            Screen.Table(["rule", "severity", "files>", "first"], result.Counts.Select(c => (IReadOnlyList<string>)[c.Rule, c.Severity.ToString().ToLowerInvariant(), $"{c.Files}", c.First]));
        Finding[] errors = [.. result.Findings.Where(f => f.Severity == Severity.Error)];
        foreach (var finding in errors.Take(MostLines)) Screen.Line($"  {finding.File}: {finding.Rule}: {finding.Detail}");
        if (errors.Length > MostLines) Screen.Line($"  ... and {errors.Length - MostLines} more");
        ShowLeaks(result);
        Screen.Line($"All measurements and findings: {tables}");
    }

    /// <summary>Brings the quarantine list up to date and says what it does.</summary>
    public static void Write(ScanResult result, string path)
    {
        if (Folders.Recordings is { } shared && IsBelow(path, shared))
            throw new InvalidOperationException($"{path} lies in the shared folder of recordings, where nothing is written. Name another place with --out.");
        var (old, isNew) = (QuarantineList.Read(path), !File.Exists(path));
        var list = old.With(result.ToQuarantine);
        if (list.Lines.Count == 0 && isNew)
        {
            Screen.Line("Nothing to leave out, so no quarantine list is written.");
            return;
        }
        list.Write();
        var kept = list.Lines.Count(l => !l.LeavesOut);
        Screen.Line($"Quarantine list: {path} ({list.Lines.Count - kept} left out{(kept > 0 ? $", {kept} kept by hand" : "")}). It is text; edit it as its first lines say.");
        if (Path.GetFullPath(path) != Path.GetFullPath(QuarantineList.PathFor(result.Root, result.Name)))
            Screen.Warn($"Training looks for it in {QuarantineList.PathFor(result.Root, result.Name)}; it does not see this one.");
    }

    static void ShowLeaks(ScanResult result)
    {
        var across = result.Shared.Count(s => s.Leaks);
        if (result.Shared.Count > 0) Screen.Line($"{result.Shared.Count} pairs of files have sound in common, {across} of them across a split.");
        foreach (var kind in result.Leaks.GroupBy(l => l.Kind))
        {
            var first = kind.First();
            var folds = first.Folds.Count > 0 ? $", folds {string.Join(" and ", first.Folds)}" : "";
            Screen.Line($"On both sides of a split: {kind.Count()} {kind.Key.Replace('_', ' ')}{(kind.Count() == 1 ? "" : "s")}, first: {first.What} ({first.Files.Count} files{folds}).");
        }
    }

    static string Hours(double seconds) =>
        seconds < 5400 ? string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:0.0} minutes") : string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:0.0} hours");

    static bool IsBelow(string path, string folder) =>
        Path.GetFullPath(path).StartsWith(Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    sealed class Bar(ProgressTask task) : IProgress<(int Done, int Total)>
    {
        public void Report((int Done, int Total) value)
        {
            task.MaxValue = value.Total;
            task.Value = value.Done;
        }
    }

    sealed class Steps : IProgress<(int Done, int Total)>
    {
        readonly Lock _lock = new();
        int _tenths = -1;

        public void Report((int Done, int Total) value)
        {
            var tenths = value.Total == 0 ? 10 : value.Done * 10 / value.Total;
            lock (_lock)
            {
                if (tenths <= _tenths) return;
                _tenths = tenths;
                Screen.Line($"  {value.Done}/{value.Total} files");
            }
        }
    }
}
