using BirdResearch.Audio;

namespace BirdResearch.Inference.Submission;

/// <summary>The recordings of a folder, in the order of their names, whatever order the folder gives them in.</summary>
public sealed record TestFolder(string Path, IReadOnlyList<TestRecording> Recordings, IReadOnlyList<string> Notes)
{
    static readonly string[] _sound = [".ogg", ".opus", ".oga", ".flac", ".wav", ".mp3", ".aif", ".aiff", ".w64"];

    /// <summary>Lists a folder and reads the header of each sound file. A file that cannot be read is kept, with the reason.</summary>
    /// <param name="path">The folder; files are told by their extension, folders below it are not looked into.</param>
    /// <param name="mayBeEmpty">Whether a folder without recordings is no error: a competition's may be, where the sample submission names the rows.</param>
    /// <param name="progress">Hears how many headers were read.</param>
    /// <param name="cancellation">Stops between two files.</param>
    public static TestFolder Open(
        string path, bool mayBeEmpty = false, IProgress<(int Done, int Total)>? progress = null, CancellationToken cancellation = default)
    {
        if (!Directory.Exists(path))
            throw new DirectoryNotFoundException($"There is no folder '{path}'; --test names the folder that holds the recordings.");
        string[] files = [.. Directory.EnumerateFiles(path)
            .Where(f => _sound.Contains(System.IO.Path.GetExtension(f).ToLowerInvariant()) && !System.IO.Path.GetFileName(f).StartsWith('.'))
            .Order(StringComparer.Ordinal)];
        if (files.Length == 0 && !mayBeEmpty) throw new InvalidDataException($"'{path}' holds no recording ({string.Join(", ", _sound)}).");
        return Of(path, files, progress, cancellation);
    }

    /// <summary>The same for files that are named one by one, in that order of names.</summary>
    public static TestFolder OfFiles(IReadOnlyList<string> files)
    {
        foreach (var file in files)
            if (!File.Exists(file)) throw new FileNotFoundException($"There is no recording '{file}'.", file);
        return Of("the files that were named", files, null, default);
    }

    static TestFolder Of(string path, IReadOnlyList<string> files, IProgress<(int Done, int Total)>? progress, CancellationToken cancellation)
    {
        var recordings = new TestRecording[files.Count];
        var done = 0;
        Parallel.For(0, files.Count, new ParallelOptions { CancellationToken = cancellation }, i =>
        {
            recordings[i] = Probe(files[i]);
            progress?.Report((Interlocked.Increment(ref done), files.Count));
        });
        var notes = new List<string>();
        var kept = new List<TestRecording>();
        foreach (var group in recordings.GroupBy(r => r.Stem).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            TestRecording[] same = [.. group.OrderBy(r => r.Trouble is not null).ThenBy(r => r.Path, StringComparer.Ordinal)];
            kept.Add(same[0]);
            foreach (var other in same[1..]) notes.Add($"{other.Path} is left out: its rows would be called like those of {same[0].Path}.");
        }
        return new TestFolder(path, kept, notes);
    }

    static TestRecording Probe(string file)
    {
        var stem = System.IO.Path.GetFileNameWithoutExtension(file);
        try
        {
            var info = AudioFile.Probe(file);
            return info.Frames > 0 ? new(file, stem, info.Seconds, null) : new(file, stem, null, "holds no samples");
        }
        catch (AudioFileException e)
        {
            return new(file, stem, null, e.Reason);
        }
    }
}
