namespace BirdResearch.Inference;

/// <summary>Rows that are the windows of one recording, in the order of time.</summary>
/// <param name="Start">Its first row.</param>
/// <param name="Count">How many rows it has.</param>
public readonly record struct RecordingRows(int Start, int Count)
{
    /// <summary>The recordings of rows that each name theirs. A recording whose rows lie apart is an error.</summary>
    public static IReadOnlyList<RecordingRows> Of(IReadOnlyList<string> recordings)
    {
        var runs = new List<RecordingRows>();
        var seen = new HashSet<string>();
        for (var row = 0; row < recordings.Count; row++)
        {
            if (row > 0 && recordings[row] == recordings[row - 1])
            {
                runs[^1] = runs[^1] with { Count = runs[^1].Count + 1 };
                continue;
            }
            if (!seen.Add(recordings[row])) throw new ArgumentException($"The windows of '{recordings[row]}' do not follow each other: sort rows by recording and time.");
            runs.Add(new RecordingRows(row, 1));
        }
        return runs;
    }
}
