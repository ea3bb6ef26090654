using System.CommandLine;
using System.Globalization;
using BirdResearch.Inference.Prediction;
using BirdResearch.Inference.Submission;

namespace BirdResearch.Cli.Verbs;

/// <summary><c>bird rehearse</c>: minutes of a whole test, known before it starts.</summary>
public static class Rehearse
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var test = new Option<string>("--test") { Description = "Folder of recordings to take a sample from", Required = true };
        var models = new Option<string[]>("--model") { Description = "ONNX file, folder of a finished run, or ensemble.json; may be repeated", AllowMultipleArgumentsPerToken = true };
        var files = new Option<int?>("--files") { Description = "Recordings of the whole test (default: those of the folder)" };
        var minutes = new Option<double>("--minutes") { Description = "Minutes of each of them", DefaultValueFactory = _ => 4 };
        var deadline = new Option<string>("--deadline") { Description = "What must hold", DefaultValueFactory = _ => "120m" };
        var seconds = new Option<double>("--seconds") { Description = "How long to measure", DefaultValueFactory = _ => 30 };
        var sample = new Option<int>("--sample") { Description = "Most recordings in the sample", DefaultValueFactory = _ => 24 };
        var window = new Option<double>("--window") { Description = "Seconds of a row's window", DefaultValueFactory = _ => 5 };
        var workers = new Option<int?>("--workers") { Description = "Workers that decode and score side by side (default: one per core)" };
        var batch = new Option<int>("--batch") { Description = "Windows in one call of a model", DefaultValueFactory = _ => 8 };
        return new Command("rehearse",
            """
            Measures decoding and each model on a sample of the recordings, all cores busy as in the real run, and tells how long the whole test will
            take: each model by itself, all together, and which of them fit into the deadline.

            Examples:
              bird rehearse --test birds/soundscapes --model a.onnx b.onnx --files 1100 --minutes 4
              bird rehearse --test test_soundscapes --model ensemble.json --deadline 115m
            """)
        { test, models, files, minutes, deadline, seconds, sample, window, workers, batch }.Does((p, cancellation) =>
        {
            var settings = new PredictorSettings { Workers = p.GetValue(workers) ?? Environment.ProcessorCount, BatchSize = p.GetValue(batch) };
            var limit = TimeText.Parse(p.GetRequiredValue(deadline), "--deadline").TotalSeconds;
            if (p.GetValue(seconds) is not (>= 1 and <= 3600)) throw new ArgumentException($"--seconds is {p.GetValue(seconds)}; it must be between 1 and 3600.");
            if (p.GetValue(files) is < 1) throw new ArgumentException($"--files is {p.GetValue(files)}; it must be at least 1.");
            using var members = MemberFiles.Open(p.GetValue(models) ?? []);
            var folder = TestFolder.Open(p.GetRequiredValue(test), cancellation: cancellation);
            var rows = RowsOf(folder, members, p.GetValue(window), p.GetValue(files), p.GetValue(minutes));
            Screen.Line($"{(p.GetValue(files) is { } count ? $"{count} recordings of {p.GetValue(minutes).ToString(CultureInfo.InvariantCulture)} minutes" : $"{folder.Recordings.Count} recordings")}, {rows} windows, {settings.Workers} workers; measuring for {p.GetValue(seconds)} s ...");
            var pace = Rehearsal.Run(folder, members.All, settings, p.GetValue(window), p.GetValue(seconds), p.GetValue(sample), cancellation);
            Show(pace, members.All, rows, limit);
            return 0;
        });
    }

    static long RowsOf(TestFolder folder, MemberFiles members, double window, int? files, double minutes)
    {
        if (files is { } count) return count * (long)Math.Ceiling((minutes * 60 / window) - 1e-6);
        return SubmissionPlan.Of(folder, members.Classes, window).Rows.Count;
    }

    static void Show(Pace pace, IReadOnlyList<Member> members, long rows, double limit)
    {
        TimeSpread Of(IEnumerable<int> which) => pace.Predict(which.Select(m => (m, rows)).Append((Pace.Decoding, rows)));

        var all = Enumerable.Range(0, members.Count).ToList();
        Screen.Table(["model", "ms per window and core>", "alone, with decoding>", "fits alone"], all.Select(m => (IReadOnlyList<string>)
            [members[m].Name, TimeText.Milliseconds(pace.PerRow(m)), TimeText.Of(Of([m])), Of([m]).High <= limit ? "yes" : "no"])
            .Append(["(decoding)", TimeText.Milliseconds(pace.PerRow(Pace.Decoding)), TimeText.Of(Of([])), ""]));
        var kept = all.OrderByDescending(m => members[m].Value / Math.Max(1e-9, pace.PerRow(m))).ToList();
        Screen.Line($"All {members.Count} together: {TimeText.Of(Of(all))}, the limit is {TimeText.Of(limit)}.");
        while (kept.Count > 0 && Of(kept).High > limit) kept.RemoveAt(kept.Count - 1);
        if (kept.Count == members.Count) Screen.Line("They fit.");
        else if (kept.Count == 0) Screen.Warn("None fits. Use smaller models, or more cores.");
        else
            Screen.Warn($"They do not fit. These do, by value per second: {string.Join(", ", kept.Select(m => members[m].Name))} ({TimeText.Of(Of(kept))}). " +
                $"Left out: {string.Join(", ", all.Except(kept).Select(m => members[m].Name))}.");
    }
}
