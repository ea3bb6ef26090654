using System.Globalization;

namespace BirdResearch.Inference.Submission;

/// <summary>The rows of one recording.</summary>
/// <param name="Recording">The recording.</param>
/// <param name="First">Place of its first row among all rows.</param>
/// <param name="Rows">Its rows, in time order.</param>
public sealed record PlannedRecording(TestRecording Recording, int First, IReadOnlyList<SubmissionRow> Rows);

/// <summary>
/// Which rows a submission has, known before anything is scored: for every recording a row per window, its last one as long as the sound that
/// is left. Recordings stand in the order of their names. A sample submission decides the rows of the recordings that it names.
/// </summary>
public sealed class SubmissionPlan
{
    // Encoders add or lose a few milliseconds: less than this much sound is no window of its own, and a window short of it is whole.
    const double Slack = 0.1;

    SubmissionPlan(IReadOnlyList<string> columns, IReadOnlyList<PlannedRecording> recordings, double windowSeconds, IReadOnlyList<string> notes)
    {
        (Columns, Recordings, WindowSeconds, Notes) = (columns, recordings, windowSeconds, notes);
        Rows = [.. recordings.SelectMany(r => r.Rows)];
    }

    /// <summary>Class columns.</summary>
    public IReadOnlyList<string> Columns { get; }

    /// <summary>Recordings with their rows, in the order of the file.</summary>
    public IReadOnlyList<PlannedRecording> Recordings { get; }

    /// <summary>All rows, in the order of the file.</summary>
    public IReadOnlyList<SubmissionRow> Rows { get; }

    /// <summary>Length of a row's window.</summary>
    public double WindowSeconds { get; }

    /// <summary>What the log should say: recordings that cannot be read, and how their rows were found.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>Plans the rows.</summary>
    /// <param name="folder">What there is to score.</param>
    /// <param name="classes">Columns where no sample submission says.</param>
    /// <param name="windowSeconds">Length of a row's window.</param>
    /// <param name="sample">The competition's sample submission, or null.</param>
    public static SubmissionPlan Of(TestFolder folder, IReadOnlyList<string> classes, double windowSeconds = 5, SampleSubmission? sample = null)
    {
        var notes = new List<string>(folder.Notes);
        var usual = Usual([.. folder.Recordings.Where(r => r.Seconds is not null).Select(r => Ends(r.Seconds!.Value, windowSeconds).Count)]);
        var found = folder.Recordings.ToDictionary(r => r.Stem);
        var named = sample?.Rows ?? new Dictionary<string, IReadOnlyList<(string, double)>>();
        foreach (var stem in named.Keys.Where(s => !found.ContainsKey(s)))
            found[stem] = new TestRecording(null, stem, null, $"is not in {folder.Path}, though the sample submission names it");

        var (recordings, first) = (new List<PlannedRecording>(), 0);
        foreach (var recording in found.Values.OrderBy(r => r.Stem, StringComparer.Ordinal))
        {
            IReadOnlyList<SubmissionRow> rows;
            if (named.TryGetValue(recording.Stem, out var asked))
            {
                rows = [.. asked.OrderBy(a => a.Item2).Select(a => new SubmissionRow(a.Item1, Math.Max(0, a.Item2 - windowSeconds), a.Item2))];
                if (recording.Trouble is { } trouble) notes.Add($"{recording.Path ?? recording.Stem}: {trouble.TrimEnd('.')}. Its {rows.Count} rows get the prior.");
            }
            else
            {
                rows = recording.Seconds is { } seconds ? Windows(Ends(seconds, windowSeconds)) : Windows([.. Enumerable.Range(1, usual).Select(i => i * windowSeconds)]);
                if (recording.Trouble is { } trouble)
                    notes.Add($"{recording.Path}: {trouble.TrimEnd('.')}. It gets {usual} rows of the prior, as many as most recordings have.");
            }
            recordings.Add(new PlannedRecording(recording, first, rows));
            first += rows.Count;

            IReadOnlyList<SubmissionRow> Windows(IReadOnlyList<double> ends) =>
                [.. ends.Select((end, i) => new SubmissionRow($"{recording.Stem}_{end.ToString("0.##", CultureInfo.InvariantCulture)}", i * windowSeconds, end))];
        }
        return new SubmissionPlan(sample?.Columns ?? classes, recordings, windowSeconds, notes);
    }

    /// <summary>Ends of the windows of a recording: multiples of the window's length, and the recording's own end where sound is left.</summary>
    static IReadOnlyList<double> Ends(double seconds, double window)
    {
        var whole = (int)Math.Floor((seconds + Slack) / window);
        List<double> ends = [.. Enumerable.Range(1, whole).Select(i => i * window)];
        if (whole == 0 || seconds - (whole * window) >= Slack) ends.Add(Math.Max(0.01, Math.Round(seconds, 2)));
        return ends;
    }

    static int Usual(IReadOnlyList<int> counts) => counts.Count == 0 ? 1 : counts.CountBy(c => c).OrderByDescending(c => c.Value).ThenByDescending(c => c.Key).First().Key;
}
