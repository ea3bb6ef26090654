using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using BirdResearch.Inference;
using BirdResearch.Inference.Detections;
using BirdResearch.Inference.Prediction;
using BirdResearch.Inference.Submission;

namespace BirdResearch.Cli.Verbs;

/// <summary><c>bird predict</c>: what is heard in recordings, as a submission or as a table of detections.</summary>
public static class Predict
{
    const string SampleName = "sample_submission.csv";

    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var files = new Argument<string[]>("RECORDING") { Description = "Recordings to listen to", Arity = ArgumentArity.ZeroOrMore };
        var test = new Option<string?>("--test") { Description = "Folder of recordings: makes a submission with a row for every window" };
        var models = new Option<string[]>("--model") { Description = "ONNX file, folder of a finished run, or ensemble.json; may be repeated", AllowMultipleArgumentsPerToken = true };
        var output = new Option<string?>("--out") { Description = "Submission (default: submission.csv), or folder of the tables of detections" };
        var sample = new Option<string?>("--sample") { Description = "Sample submission that decides columns and rows (default: sample_submission.csv in or above the test folder; 'none' for none)" };
        var window = new Option<double>("--window") { Description = "Seconds of a row's window", DefaultValueFactory = _ => 5 };
        var deadline = new Option<string?>("--deadline") { Description = "Everything must be written this long after the start, such as 120m; members are left out where time is short, never rows" };
        var workers = new Option<int?>("--workers") { Description = "Workers that decode and score side by side (default: one per core)" };
        var batch = new Option<int>("--batch") { Description = "Windows in one call of a model", DefaultValueFactory = _ => 8 };
        var rule = new Option<EnsembleRule?>("--rule") { Description = "What is averaged over models: probabilities (default), logits or ranks" };
        var smooth = new Option<string?>("--smooth") { Description = "Mixes each window with its neighbours by these weights, such as 0.1,0.2,0.4,0.2,0.1" };
        var boost = new Option<double?>("--file-boost") { Description = "Multiplies each score by the file's own highest of that class to this power, such as 0.5" };
        var threshold = new Option<double>("--threshold") { Description = "Least score of a detection", DefaultValueFactory = _ => 0.25 };
        var top = new Option<int>("--top") { Description = "Most species per window", DefaultValueFactory = _ => 3 };
        var format = new Option<string?>("--format") { Description = "Also write tables of detections: " + string.Join(", ", DetectionTables.Forms) };
        var taxonomy = new Option<string?>("--taxonomy") { Description = "CSV with primary_label, common_name and scientific_name, for readable names" };
        return new Command("predict",
            """
            Scores recordings with one model or several. With --test it writes a submission: a row for every window of every recording, columns in the
            order of the sample submission, complete and valid at any moment from the first second on. With recordings it prints what is heard and when.

            Examples:
              bird predict --test birds/soundscapes --model a.onnx b.onnx --out submission.csv
              bird predict --test test_soundscapes --model ensemble.json --deadline 115m
              bird predict dawn.ogg --model a.onnx
              bird predict *.wav --model a.onnx --format audacity,raven --out tables --taxonomy taxonomy.csv

            A recording that cannot be read gets rows too: the species' shares in training, and a line in the log (submission.log).
            """)
        { files, test, models, output, sample, window, deadline, workers, batch, rule, smooth, boost, threshold, top, format, taxonomy }.Does((p, cancellation) =>
        {
            var (recordings, folder) = (p.GetValue(files) ?? [], p.GetValue(test));
            if ((recordings.Length == 0) == (folder is null))
                throw new ArgumentException("Name recordings to listen to, or a folder with --test to make a submission; one of the two.");
            if (p.GetValue(window) is not (> 0 and <= 600)) throw new ArgumentException($"--window is {p.GetValue(window)}; it must be above 0 and at most 600 s.");
            RequireCount("--workers", p.GetValue(workers) ?? 1);
            RequireCount("--batch", p.GetValue(batch));
            RequireCount("--top", p.GetValue(top));
            var settings = new PredictorSettings
            {
                Workers = p.GetValue(workers) ?? Environment.ProcessorCount,
                BatchSize = p.GetValue(batch),
                Deadline = p.GetValue(deadline) is { } text ? DeadlineOf(TimeText.Parse(text, "--deadline")) : null,
            };
            var forms = Verb.Items(p.GetValue(format));
            foreach (var form in forms) _ = DetectionTables.ExtensionOf(form);
            var names = p.GetValue(taxonomy) is { } table ? SpeciesNames.Read(table) : SpeciesNames.None;

            using var members = MemberFiles.Open(p.GetValue(models) ?? []);
            var smoothing = p.GetValue(smooth) is { } kernel ? SmoothingOf(kernel) : null;
            var fileBoost = p.GetValue(boost) is { } power ? new FileBoost { Power = power } : null;
            var asked = folder is null ? null : SampleOf(p.GetValue(sample), folder);
            var found = folder is null ? TestFolder.OfFiles(recordings) : TestFolder.Open(folder, mayBeEmpty: asked is { Rows.Count: > 0 }, cancellation: cancellation);
            var plan = SubmissionPlan.Of(found, members.Classes, p.GetValue(window), asked);
            var predictions = new Predictions(plan, members.All);
            var combination = members.Combination(plan.Columns, p.GetValue(rule), smoothing, fileBoost);
            _ = combination.Combine(predictions); // settings that do not fit are told before anything is scored
            if (folder is not null) return Submit(predictions, combination, p.GetValue(output) ?? "submission.csv", settings, cancellation);
            var heard = Listen(found, predictions, combination, settings, p.GetValue(threshold), p.GetValue(top), names, cancellation);
            foreach (var form in forms) Save(heard, form, p.GetValue(output) ?? ".", recordings);
            return 0;
        });
    }

    static int Submit(Predictions predictions, Combination combination, string output, PredictorSettings settings, CancellationToken cancellation)
    {
        var (clock, plan) = (Stopwatch.StartNew(), predictions.Plan);
        if (Path.GetDirectoryName(Path.GetFullPath(output)) is { } place) Directory.CreateDirectory(place);
        using var screen = new PredictionScreen(Path.ChangeExtension(output, ".log"));
        Screen.Line($"{plan.Recordings.Count} recordings, {plan.Rows.Count} windows of {plan.WindowSeconds.ToString(CultureInfo.InvariantCulture)} s, {plan.Columns.Count} classes, {predictions.Members.Count} models");
        foreach (var note in plan.Notes) screen.Note(note);
        if (predictions.UnknownColumns is { Count: > 0 } unknown)
            screen.Note($"No model knows {unknown.Count} of the columns; they are 0: {string.Join(", ", unknown.Take(10))}{(unknown.Count > 10 ? " ..." : "")}");

        using var journal = PredictionJournal.Open(output + ".journal", predictions);
        if (journal.Restored > 0) screen.Note($"{journal.Restored} window scores are there from an earlier run; going on from them.");
        Predictor? predictor = null;
        screen.Run(listener =>
        {
            predictor = new Predictor(predictions, settings, Keep, listener);
            predictor.Run(cancellation);
        });
        Show(predictor!, predictions);
        if (!predictor!.IsIncomplete) journal.Delete();
        else screen.Note("The deadline came before every model had scored every window; the table above tells how far each came. The same command goes on from there.");
        Screen.Line($"{output}: {plan.Rows.Count} rows, written after {TimeText.Of(clock.Elapsed.TotalSeconds)}");
        return 0;

        void Keep()
        {
            SubmissionFile.Write(output, plan, combination.Combine(predictions));
            journal.Save();
        }
    }

    static void Show(Predictor predictor, Predictions predictions)
    {
        var rows = predictor.RowsOf;
        Screen.Table(["model", "windows>", "ms per window and core>"], predictions.Members.Select((m, i) => (IReadOnlyList<string>)
            [m.Name, $"{rows[i]} of {predictions.Plan.Rows.Count}", TimeText.Milliseconds(predictor.Pace.PerRow(i))])
            .Append(["(decoding)", "", TimeText.Milliseconds(predictor.Pace.PerRow(Pace.Decoding))]));
    }

    static IReadOnlyList<Detection> Listen(
        TestFolder folder, Predictions predictions, Combination combination, PredictorSettings settings, double threshold, int top, SpeciesNames names, CancellationToken cancellation)
    {
        var plan = predictions.Plan;
        using var screen = new PredictionScreen(null);
        foreach (var note in plan.Notes) screen.Note(note);
        if (folder.Recordings.All(r => r.Trouble is not null)) throw new InvalidDataException("None of the recordings can be read.");
        screen.Run(listener => new Predictor(predictions, settings, () => { }, listener).Run(cancellation));
        var unheard = plan.Recordings.Where(r => Enumerable.Range(r.First, r.Rows.Count).All(row => Enumerable.Range(0, predictions.Members.Count).All(m => !predictions.IsScored(m, row)))).Select(r => r.Recording.Path).ToHashSet();
        var found = DetectionList.Of(plan, combination.Combine(predictions), threshold, top, names).Where(d => !unheard.Contains(d.File)).ToList();
        foreach (var recording in found.GroupBy(d => d.File))
        {
            Screen.Title(Path.GetFileName(recording.Key));
            Screen.Table(["from", "to", "species", "score>"], recording.Select(d => (IReadOnlyList<string>)
                [Clock(d.Start), Clock(d.End), d.CommonName == d.Class ? d.Class : $"{d.CommonName} ({d.Class})", d.Score.ToString("0.00", CultureInfo.InvariantCulture)]));
        }
        if (found.Count == 0) Screen.Line($"Nothing reaches a score of {threshold.ToString(CultureInfo.InvariantCulture)}; --threshold sets it.");
        return found;
    }

    static void Save(IReadOnlyList<Detection> heard, string form, string place, IReadOnlyList<string> recordings)
    {
        if (form == "csv") Written(Path.Combine(place, "detections.csv"), heard);
        else
            foreach (var recording in recordings)
                Written(Path.Combine(place, Path.GetFileNameWithoutExtension(recording) + DetectionTables.ExtensionOf(form)), [.. heard.Where(d => d.File == recording)]);

        void Written(string path, IReadOnlyList<Detection> detections)
        {
            DetectionTables.Write(path, form, detections);
            Screen.Line($"{path}: {detections.Count} detections");
        }
    }

    /// <summary>The sample submission that was named, or the one that lies in the test folder or above it.</summary>
    internal static SampleSubmission? SampleOf(string? named, string folder)
    {
        if (named == "none") return null;
        if (named is not null)
            return File.Exists(named) ? SampleSubmission.Read(named) : throw new FileNotFoundException($"There is no sample submission '{named}'.", named);
        var above = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))) ?? folder;
        var found = new[] { Path.Combine(folder, SampleName), Path.Combine(above, SampleName) }.FirstOrDefault(File.Exists);
        if (found is null) return null;
        Screen.Line($"Columns and rows follow {found} (--sample none for neither).");
        return SampleSubmission.Read(found);
    }

    /// <summary>The limit counts from the start of this program, not from here.</summary>
    static long DeadlineOf(TimeSpan limit)
    {
        var running = DateTime.Now - Process.GetCurrentProcess().StartTime;
        return Stopwatch.GetTimestamp() + (long)((limit - running).TotalSeconds * Stopwatch.Frequency);
    }

    static Smoothing SmoothingOf(string text)
    {
        double[] kernel = [.. Verb.Items(text).Select(item => double.TryParse(item, NumberStyles.Float, CultureInfo.InvariantCulture, out var weight)
            ? weight
            : throw new ArgumentException($"--smooth holds '{item}'; it takes weights such as 0.1,0.2,0.4,0.2,0.1."))];
        var smoothing = new Smoothing { Kernel = kernel };
        smoothing.Check();
        return smoothing;
    }

    static void RequireCount(string option, int value)
    {
        if (value is < 1 or > 1024) throw new ArgumentException($"{option} is {value}; it must be between 1 and 1024.");
    }

    static string Clock(double seconds) => seconds >= 3600
        ? TimeSpan.FromSeconds(seconds).ToString(@"h\:mm\:ss\.f", CultureInfo.InvariantCulture)
        : TimeSpan.FromSeconds(seconds).ToString(@"m\:ss\.f", CultureInfo.InvariantCulture);
}
