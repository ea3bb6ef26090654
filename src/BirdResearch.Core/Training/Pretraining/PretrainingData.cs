using System.Security.Cryptography;
using System.Text;
using BirdResearch.Audio;
using BirdResearch.Data;

namespace BirdResearch.Training;

/// <summary>
/// The sound of one or more data sets cut into stretches, each of which gives one window per epoch: training recordings and soundscapes
/// without labels. Labelled soundscapes are kept for testing, and with a fold its recordings are held out.
/// </summary>
public sealed class PretrainingData
{
    PretrainingData(IReadOnlyList<Dataset> sets, IReadOnlyList<Recording> train, IReadOnlyList<Recording> validation, PretrainingSettings settings)
    {
        Name = string.Join('+', sets.Select(s => s.Name));
        Train = [.. train.SelectMany(r => r.Stretches(settings.SecondsPerWindow))];
        var held = validation.SelectMany(r => r.Stretches(settings.SecondsPerWindow)).ToList();
        var count = Math.Min(held.Count, settings.ValidationWindows);
        Validation = [.. Enumerable.Range(0, count).Select(i => held[(int)((long)i * held.Count / count)])];
        (Recordings, Seconds) = (train.Count, train.Sum(r => r.Seconds));
        if (Train.Count < 2)
            throw new ArgumentException($"{Name} has {Train.Count} windows to learn from; pretraining needs at least two. Give it more sound, or no fold.");
        ContentKey = KeyOf(sets);
        Sound = new Dataset
        {
            Name = Name,
            Root = sets[0].Root,
            Layout = "sound",
            Classes = [],
            Focal = [.. Train, .. Validation],
            Labelling = Labelling.MultiLabel,
            GroupedBy = "recording",
            ContentKey = ContentKey,
        };
    }

    /// <summary>Names of the data sets, joined by +.</summary>
    public string Name { get; }

    /// <summary>Stretches to learn from.</summary>
    public IReadOnlyList<Clip> Train { get; }

    /// <summary>Stretches to validate on, from other recordings.</summary>
    public IReadOnlyList<Clip> Validation { get; }

    /// <summary>Recordings to learn from.</summary>
    public int Recordings { get; }

    /// <summary>Length of their sound in seconds.</summary>
    public double Seconds { get; }

    /// <summary>SHA-256 (hex) over what the data sets hold.</summary>
    public string ContentKey { get; }

    /// <summary>All stretches as a data set without classes, for a <see cref="WindowReader"/>.</summary>
    public Dataset Sound { get; }

    /// <summary>Plans a pretraining; the headers of all recordings are read.</summary>
    /// <param name="sets">The data sets.</param>
    /// <param name="fold">Fold that is held out in each of them, as in the training that will follow; null holds out a share of all recordings.</param>
    /// <param name="settings">Lengths and shares.</param>
    /// <param name="cancellation">Stops between two recordings.</param>
    public static PretrainingData Of(
        IReadOnlyList<Dataset> sets, int? fold, PretrainingSettings settings, CancellationToken cancellation = default)
    {
        if (sets.Count == 0) throw new ArgumentException("Pretraining needs at least one data set.");
        if (sets.GroupBy(s => s.Root).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new ArgumentException($"The data set '{twice.First().Name}' is given twice; name each once.");
        var (train, held) = (new List<Recording>(), new List<Recording>());
        foreach (var (index, set) in sets.Index())
        {
            var heldOut = fold is not null && set.Focal.Count > 0 ? Splits.Of(set, fold).Validation.ToHashSet() : [];
            var focal = set.Focal.OrderBy(c => c.Id, StringComparer.Ordinal).Select(c => (c.Id, c.File, c.Group, Held: heldOut.Contains(c)));
            var unlabelled = set.Unlabelled.Select(f => (Id: f, File: f, Group: f, Held: false));
            foreach (var (recording, isHeld) in focal.Concat(unlabelled).AsParallel().AsOrdered().WithCancellation(cancellation)
                .Select(r => (Recording.Of(set, index, r.Id, r.File, r.Group), r.Held)))
                (isHeld ? held : train).Add(recording);
        }
        if (held.Count == 0) HoldOut(train, held, settings.ValidationShare);
        return new PretrainingData(sets, train, held, settings);
    }

    /// <summary>Moves whole groups, in the order of their names' hashes, until that share of the sound is held out; at least one group stays.</summary>
    static void HoldOut(List<Recording> train, List<Recording> held, double share)
    {
        var wanted = share * train.Sum(r => r.Seconds);
        var groups = train.GroupBy(r => r.Group).OrderBy(g => (ulong)CounterRandom.KeyOf(g.Key)).ThenBy(g => g.Key, StringComparer.Ordinal).ToList();
        foreach (var group in groups.SkipLast(1))
        {
            if (held.Sum(r => r.Seconds) >= wanted) break;
            held.AddRange(group);
        }
        train.RemoveAll(new HashSet<Recording>(held).Contains);
    }

    static string KeyOf(IReadOnlyList<Dataset> sets)
    {
        var text = new StringBuilder();
        foreach (var set in sets)
        {
            text.AppendLine(set.ContentKey);
            foreach (var file in set.Unlabelled) text.AppendLine($"{file} {new FileInfo(Path.Combine(set.Root, file)).Length}");
        }
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    // Ids are made of the data set's place in the list, so that its name and folder change no random number.
    sealed record Recording(string Id, string Path, string Group, double Seconds)
    {
        public static Recording Of(Dataset set, int index, string id, string file, string group)
        {
            var path = System.IO.Path.Combine(set.Root, file);
            return new($"{index}/{id}", path, $"{index}/{group}", AudioFile.Probe(path).Seconds);
        }

        public IEnumerable<Clip> Stretches(double secondsPerWindow)
        {
            var count = (int)Math.Max(1, Math.Floor(Seconds / secondsPerWindow));
            for (var i = 0; i < count; i++)
                yield return new Clip
                {
                    Id = $"{Id}#{i}",
                    File = Path,
                    Labels = [],
                    Group = Group,
                    StartSeconds = i * Seconds / count,
                    Seconds = count == 1 ? null : Seconds / count,
                };
        }
    }
}
