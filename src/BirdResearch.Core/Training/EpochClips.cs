using BirdResearch.Data;

namespace BirdResearch.Training;

/// <summary>The clips of each epoch: recordings with labels, some of which make room for windows that models labelled. Pure functions of seed and epoch.</summary>
/// <param name="labelled">Recordings with labels.</param>
/// <param name="pseudoLabelled">Windows with the labels of models.</param>
/// <param name="share">Most of an epoch that is pseudo-labelled, in (0, 1).</param>
/// <param name="seed">What is drawn from.</param>
sealed class EpochClips(IReadOnlyList<Clip> labelled, IReadOnlyList<Clip> pseudoLabelled, double share, long seed)
{
    /// <summary>As many clips as there are labelled ones.</summary>
    public IReadOnlyList<Clip> Of(int epoch)
    {
        var room = Math.Min(pseudoLabelled.Count, (int)Math.Round(share * labelled.Count));
        return room == 0 ? labelled : [.. Drawn(labelled, labelled.Count - room, "labelled", epoch), .. Drawn(pseudoLabelled, room, "pseudo-labelled", epoch)];
    }

    ReadOnlySpan<Clip> Drawn(IReadOnlyList<Clip> clips, int count, string what, int epoch)
    {
        Clip[] all = [.. clips];
        new CounterRandom(seed, CounterRandom.KeyOf(what), epoch).Shuffle<Clip>(all);
        return all.AsSpan(0, count);
    }
}
