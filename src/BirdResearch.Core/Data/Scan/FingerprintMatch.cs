namespace BirdResearch.Data;

/// <summary>The stretches that two fingerprints have in common when one is laid over the other.</summary>
/// <param name="First">Index of one fingerprint.</param>
/// <param name="Second">Index of the other, greater than the first.</param>
/// <param name="Offset">Frames by which the second's start lies behind the first's.</param>
/// <param name="From">First frame of the first that belongs to a common stretch.</param>
/// <param name="To">Last such frame.</param>
/// <param name="Matched">Sounding frames in common stretches.</param>
/// <param name="Errors">Share of their sure bits that differ.</param>
public sealed record FingerprintMatch(int First, int Second, int Offset, int From, int To, int Matched, double Errors)
{
    const int Reach = 15;   // errors are averaged over a second
    const int LeastFrames = 16;

    /// <summary>Lays the second over the first with its start at frame <paramref name="offset"/>; null where too little is in common.</summary>
    internal static FingerprintMatch? At(
        IReadOnlyList<Fingerprint> all, int first, int second, int offset, ScanSettings settings)
    {
        var (a, b) = (all[first], all[second]);
        var (from, to) = (Math.Max(0, offset), Math.Min(a.Frames, b.Frames + offset));
        var length = to - from;
        if (length < LeastFrames) return null;

        var (differing, compared) = (new int[length + 1], new int[length + 1]);   // sums up to each frame
        for (var i = 0; i < length; i++)
        {
            var (d, c) = a.Compare(from + i, b, from + i - offset);
            (differing[i + 1], compared[i + 1]) = (differing[i] + d, compared[i] + c);
        }
        var (matched, lowest, highest, wrong, right) = (0, -1, -1, 0, 0);
        for (var i = 0; i < length; i++)
        {
            var (low, high) = (Math.Max(0, i - Reach), Math.Min(length, i + Reach + 1));
            var bits = compared[high] - compared[low];
            var own = compared[i + 1] - compared[i];
            if (own == 0 || differing[high] - differing[low] > settings.MatchErrors * bits) continue;
            if (lowest < 0) lowest = from + i;
            (highest, matched) = (from + i, matched + 1);
            (wrong, right) = (wrong + differing[i + 1] - differing[i], right + own);
        }
        return matched >= Needed(a, b, settings) ? new(first, second, offset, lowest, highest, matched, (double)wrong / right) : null;
    }

    /// <summary>Sounding frames that the two must have in common.</summary>
    internal static int Needed(Fingerprint a, Fingerprint b, ScanSettings settings)
    {
        var shorter = Math.Min(a.Sounding, b.Sounding);
        return (int)Math.Max(LeastFrames, Math.Min(settings.MatchSeconds / Fingerprint.HopSeconds, 0.5 * shorter));
    }
}
