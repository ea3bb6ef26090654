namespace BirdResearch.Data;

/// <summary>Measures files, each from the journal where it is there, and writes every new one into it.</summary>
static class FileMeasurer
{
    /// <summary>The measurements in the order of <paramref name="files"/>.</summary>
    /// <param name="files">Paths below the crew's root.</param>
    /// <param name="crew">Who decodes.</param>
    /// <param name="journal">Read from and written to.</param>
    /// <param name="progress">Told of files done out of all.</param>
    public static SoundMeasures[] Measure(IReadOnlyList<string> files, ScanCrew crew, ScanJournal journal, IProgress<(int Done, int Total)>? progress)
    {
        var measures = new SoundMeasures[files.Count];
        var open = new List<int>();
        for (var i = 0; i < files.Count; i++)
        {
            if (journal.Find(SoundExaminer.Start(crew.Root, files[i], crew.Settings)) is { } known) measures[i] = known;
            else open.Add(i);
        }
        var done = files.Count - open.Count;
        progress?.Report((done, files.Count));
        crew.ForEach(open, (hand, i) =>
        {
            measures[i] = hand.Examine(files[i], crew.Cancellation);
            journal.Add(measures[i]);
            progress?.Report((Interlocked.Increment(ref done), files.Count));
        });
        return measures;
    }
}
