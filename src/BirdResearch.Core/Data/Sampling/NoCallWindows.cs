namespace BirdResearch.Data;

/// <summary>What windows without any class are drawn from, and how many there are.</summary>
/// <param name="Clips">Recordings without labels, at least one.</param>
/// <param name="Share">Share of an epoch's windows, above 0.</param>
public sealed record NoCallWindows(IReadOnlyList<Clip> Clips, double Share)
{
    /// <summary>Name of their counter in a run's record.</summary>
    public const string Name = "no_call";

    readonly HashSet<string> _ids = [.. Clips.Select(c => c.Id)];

    /// <summary>
    /// What the settings ask for; null where the share is 0. A data set that has no such recordings, and one label per window, which has no
    /// word for none, are errors.
    /// </summary>
    /// <param name="settings">How many, and where from.</param>
    /// <param name="data">The data set.</param>
    /// <param name="split">What is held out is not drawn from.</param>
    /// <param name="oneLabel">Whether scores of a window sum to 1 (cross-entropy).</param>
    public static NoCallWindows? Of(NoCallSettings settings, Dataset data, Split split, bool oneLabel)
    {
        settings.Check();
        if (settings.Share == 0) return null;
        var asked = FormattableString.Invariant($"training.no_call.share is {settings.Share}, but ");
        if (oneLabel)
            throw new ArgumentException(asked + "cross-entropy gives every window exactly one class and cannot learn that there is none: set training.loss=bce, or the share to 0.");
        var source = SourceOf(settings, data);
        var clips = UnlabelledSoundscapes.Clips(source == NoCallSource.Recordings ? data.NoCall : data.Unlabelled, data, split);
        if (clips.Count > 0) return new(clips, settings.Share);
        throw new ArgumentException(asked + (settings.Source is null
            ? $"'{data.Name}' has neither recordings without calls nor soundscapes without labels. Put some into its nocall/ or unlabeled_soundscapes/, or set the share to 0."
            : source == NoCallSource.Recordings
                ? $"'{data.Name}' has no recordings that are known to hold no class. Put some into its nocall/, or set training.no_call.source=unlabelled, or the share to 0."
                : $"'{data.Name}' has no soundscapes without labels. Put some into its unlabeled_soundscapes/, or set the share to 0."));
    }

    /// <summary>Where they come from in a data set.</summary>
    public static NoCallSource SourceOf(NoCallSettings settings, Dataset data) =>
        settings.Source ?? (data.NoCall.Count > 0 ? NoCallSource.Recordings : NoCallSource.Unlabelled);

    /// <summary>Whether a clip of that id is one of them.</summary>
    public bool Has(string id) => _ids.Contains(id);

    /// <summary>
    /// The windows of an epoch with a share of them replaced, each window equally likely, by windows of <see cref="Clips"/>: a pure function of
    /// seed and epoch.
    /// </summary>
    internal IEnumerable<PlannedWindow> Among(IReadOnlyList<PlannedWindow> windows, long seed, int epoch)
    {
        var count = (int)Math.Round(Share * windows.Count);
        var kept = windows.OrderBy(w => w.Key!.Value.RandomFor("no call").NextBits())
            .ThenBy(w => w.Clip.Id, StringComparer.Ordinal).ThenBy(w => w.Key!.Value.Draw).Skip(count);
        var random = new CounterRandom(seed, CounterRandom.KeyOf("no call"), epoch);
        var draws = new Dictionary<string, int>();
        foreach (var window in kept) yield return window;
        for (var i = 0; i < count; i++)
        {
            var clip = Clips[random.NextInt(Clips.Count)];
            var draw = draws[clip.Id] = draws.GetValueOrDefault(clip.Id, -1) + 1;
            yield return new PlannedWindow(clip, 0, new SampleKey(seed, epoch, clip.Id, draw), Anywhere: true);
        }
    }
}
