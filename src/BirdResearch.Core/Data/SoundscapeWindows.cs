using BirdResearch.Audio;

namespace BirdResearch.Data;

/// <summary>Labelled windows of soundscapes, each ending at the second that its row names.</summary>
static class SoundscapeWindows
{
    const double Seconds = 5;

    /// <summary>A clip for every window whose file is there; the last window of a file keeps the file's true end.</summary>
    /// <param name="root">Folder of the data set.</param>
    /// <param name="rows">The truth, by soundscape and time.</param>
    /// <param name="classes">Labels outside them are not in the truth.</param>
    /// <param name="sizes">Receives the length in bytes of every file that is kept.</param>
    /// <param name="notes">Receives what was left out and why.</param>
    public static IReadOnlyList<Clip> From(
        string root, IReadOnlyList<SoundscapeRow> rows, IReadOnlyList<string> classes, Dictionary<string, long> sizes, List<string> notes)
    {
        if (rows.Count == 0) return [];
        var (files, known, clips) = (SoundscapeFiles.ByStem(root), classes.ToHashSet(), new List<Clip>(rows.Count));
        var (missing, unreadable, beyond) = (new List<string>(), new List<string>(), new List<string>());
        foreach (var soundscape in rows.GroupBy(r => r.Stem))
        {
            if (!files.TryGetValue(soundscape.Key, out var file)) missing.Add(soundscape.Key);
            else if (Length(root, file, unreadable) is { } length)
            {
                sizes[file] = new FileInfo(Path.Combine(root, file)).Length;
                beyond.AddRange(soundscape.Where(row => Start(row) >= length).Select(row => row.Id));
                clips.AddRange(soundscape.Where(row => Start(row) < length).Select(row => new Clip
                {
                    Id = row.Id,
                    File = file,
                    Labels = [.. row.Labels.Where(known.Contains)],
                    Group = row.Stem,
                    StartSeconds = Start(row),
                    Seconds = Math.Min(row.EndSecond, length) - Start(row),
                }));
            }
        }
        var all = rows.Select(r => r.Stem).Distinct().Count();
        if (missing.Count == all)
            throw new InvalidDataException(
                $"All {all} labelled soundscapes are missing, first: {missing[0]}. " +
                $"They belong in {string.Join(" or ", SoundscapeFiles.Folders)} below {root}.");
        Note($"{missing.Count} of {all} labelled soundscapes are missing", missing);
        Note($"{unreadable.Count} of {all} labelled soundscapes cannot be read", unreadable);
        Note($"{beyond.Count} labelled windows begin after the end of their file", beyond);
        string[] outside = [.. rows.SelectMany(r => r.Labels).Where(l => !known.Contains(l)).CountBy(l => l)
            .OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key} ({l.Value})")];
        if (outside.Length > 0)
            notes.Add($"Labels of soundscapes outside the classes are kept out of the truth: {string.Join(", ", outside)}.");
        return clips;

        void Note(string what, List<string> which)
        {
            if (which.Count > 0) notes.Add($"{what}, first: {which[0].TrimEnd('.')}. Their windows are left out.");
        }
    }

    static double Start(SoundscapeRow row) => Math.Max(0, row.EndSecond - Seconds);

    static double? Length(string root, string file, List<string> unreadable)
    {
        try
        {
            return AudioFile.Probe(SafePath.Inside(root, file)).Seconds;
        }
        catch (AudioFileException e)
        {
            unreadable.Add($"{file}: {e.Reason}");
            return null;
        }
    }
}
