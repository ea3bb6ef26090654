using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using BirdResearch.Audio;
using BirdResearch.Claims;
using BirdResearch.Files;

namespace BirdResearch.Data;

/// <summary>
/// The embedded data set <c>synthetic-birds</c>: invented birds, each with a grammar of its own, as clean focal recordings to train on and
/// as noisy soundscapes with exact truth to test on, in the layout of BirdCLEF 2024. A window of 5 s counts as positive for a species
/// when one of its songs overlaps it by at least 0.4 s.
/// </summary>
public static class SyntheticBirds
{
    const int Version = 2;   // of the generator: another one makes other sound from the same settings
    const string Mark = "synthetic.json", Unfinished = "synthetic.partial.json", Making = "synthetic.claim", Start = "synthetic.";

    static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter() },
    };

    /// <summary>
    /// Makes the data set in a folder: missing sound in parallel, then the csv files, then <c>synthetic.json</c>, which says that it is
    /// whole. Returns at once where that has been done with equal settings, finishes what was cut short to the same data, and makes
    /// everything anew for other settings. A folder that holds anything else is left alone with an error.
    /// </summary>
    /// <param name="folder">Made if missing.</param>
    /// <param name="settings">What to make; null for the defaults.</param>
    /// <param name="progress">Files done and in all, reported from the working threads.</param>
    /// <param name="cancellation">Stops between two files; what is done stays.</param>
    public static void Write(
        string folder, SyntheticBirdsSettings? settings = null, IProgress<(int Done, int Total)>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        settings ??= new();
        settings.Check();
        var plan = new SyntheticPlan(settings);
        var sound = new SyntheticSound(settings);
        string In(params string[] parts) => Path.Combine([folder, .. parts]);
        (string Path, Func<Waveform> Make)[] files =
        [
            .. plan.Focal.Select(f => (In("train_audio", f.File), (Func<Waveform>)(() => sound.Make(f)))),
            .. plan.Soundscapes.Select(s => (In("soundscapes", $"{s.Id}.ogg"), (Func<Waveform>)(() => sound.Make(s)))),
            .. plan.Unlabelled.Select(s => (In("unlabeled_soundscapes", $"{s.Id}.ogg"), (Func<Waveform>)(() => sound.Make(s)))),
            .. plan.NoCall.Select(s => (In("nocall", $"{s.Id}.ogg"), (Func<Waveform>)(() => sound.Make(s)))),
        ];
        var tables = SyntheticTables.All(plan).ToArray();
        var mark = MarkOf(settings);
        bool Whole() => Holds(Path.Combine(folder, Mark), mark) && !File.Exists(Path.Combine(folder, Unfinished)) &&
            files.All(f => File.Exists(f.Path)) && tables.All(t => File.Exists(Path.Combine(folder, t.Name)));

        if (Whole()) return;
        RefuseForeign(Directory.CreateDirectory(folder).FullName);
        using var claim = Claim.Wait(Path.Combine(folder, Making), ClaimHolder.Here(), Whole, cancellation: cancellation);
        if (claim is null) return;   // another process was faster
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, claim.Lost);
        Begin(folder, mark, tables.Select(t => t.Name));

        var missing = files.Where(f => !File.Exists(f.Path)).ToArray();
        var done = files.Length - missing.Length;
        progress?.Report((done, files.Length));
        // Soundscapes first, one by one: they take longest, and no thread is left alone with one at the end.
        var queue = Partitioner.Create(missing.Reverse(), EnumerablePartitionerOptions.NoBuffering);
        try
        {
            var options = new ParallelOptions { CancellationToken = stop.Token, MaxDegreeOfParallelism = Environment.ProcessorCount };
            Parallel.ForEach(queue, options, file =>
            {
                AudioFile.Write(file.Path, file.Make(), AudioFormat.OggVorbis, quality: 0.5);
                progress?.Report((Interlocked.Increment(ref done), files.Length));
            });
        }
        catch (OperationCanceledException) when (claim.Lost.IsCancellationRequested)
        {
            claim.Check();   // says why
            throw;
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);   // a full disk, say: once is enough
        }
        claim.Check();
        foreach (var (name, text) in tables) WholeFile.Write(Path.Combine(folder, name), text);
        File.Move(Path.Combine(folder, Unfinished), Path.Combine(folder, Mark), overwrite: true);
        claim.Complete();
    }

    static void RefuseForeign(string folder)
    {
        if (File.Exists(Path.Combine(folder, Mark)) || File.Exists(Path.Combine(folder, Unfinished))) return;
        if (Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName).FirstOrDefault(name => name?.StartsWith(Start, StringComparison.Ordinal) == false) is { } other)
            throw new IOException(
                $"{folder} holds '{other}' but no {Mark}: it is no synthetic data set and stays as it is. Name an empty or a new folder.");
    }

    /// <summary>What a folder was made from; null where it holds no finished data set of this version of the generator.</summary>
    public static SyntheticBirdsSettings? SettingsOf(string folder)
    {
        var path = Path.Combine(folder, Mark);
        if (!File.Exists(path)) return null;
        var mark = JsonNode.Parse(File.ReadAllText(path));
        return mark?["version"]?.GetValue<int>() == Version ? mark["settings"].Deserialize<SyntheticBirdsSettings>(Json) : null;
    }

    static string MarkOf(SyntheticBirdsSettings settings)
    {
        var mark = JsonSerializer.SerializeToNode(new { Version, Settings = settings }, Json)!.AsObject();
        // Younger than the generator: data sets without any are whole as they are.
        if (settings.NoCallRecordings == 0) mark["settings"]!.AsObject().Remove("no_call_recordings");
        return mark.ToJsonString(Json) + "\n";
    }

    /// <summary>Leaves the folder with the mark of an unfinished generation and nothing that belongs to another one.</summary>
    static void Begin(string folder, string mark, IEnumerable<string> tables)
    {
        var (finished, unfinished) = (Path.Combine(folder, Mark), Path.Combine(folder, Unfinished));
        var known = File.Exists(finished) || File.Exists(unfinished);
        var same = Holds(unfinished, mark) || (!File.Exists(unfinished) && Holds(finished, mark));
        if (!same && known)
        {
            // The mark of what was here goes last, so that a stop in between is still known as ours.
            foreach (var name in (string[])["train_audio", "soundscapes", "unlabeled_soundscapes", "nocall"])
            {
                if (Directory.Exists(Path.Combine(folder, name))) Directory.Delete(Path.Combine(folder, name), recursive: true);
            }
            foreach (var name in tables) File.Delete(Path.Combine(folder, name));
        }
        foreach (var torn in Directory.EnumerateFiles(folder, $"*{WholeFile.Unfinished}", SearchOption.AllDirectories).ToArray()) File.Delete(torn);
        WholeFile.Write(unfinished, mark);
        File.Delete(finished);
    }

    static bool Holds(string path, string text) => File.Exists(path) && File.ReadAllText(path) == text;
}
