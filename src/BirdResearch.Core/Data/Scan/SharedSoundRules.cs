using System.Globalization;

namespace BirdResearch.Data;

/// <summary>What follows from sound that files have in common: which copy goes, which only shares a stretch.</summary>
static class SharedSoundRules
{
    /// <summary>
    /// Findings about the second of each pair; about both where their labels exclude each other, since nobody can say which one is right.
    /// A file that is quarantined already (<paramref name="bad"/>) makes no other one a duplicate.
    /// </summary>
    public static IEnumerable<Finding> Of(IReadOnlyList<SharedSound> shared, IReadOnlySet<string> bad, ScanSettings settings)
    {
        var gone = bad.ToHashSet();
        foreach (var pair in shared)
        {
            var (keep, drop) = (pair.First, pair.Second);
            if (gone.Contains(keep.File)) (keep, drop) = (drop, keep);
            if (gone.Contains(keep.File) || gone.Contains(drop.File)) continue;
            // Two test soundscapes with one background have truths of their own.
            var tests = keep.Role == ScanRole.Soundscape && drop.Role == ScanRole.Soundscape;
            var copy = pair.Exact || pair.Share >= settings.CopyShare && !tests;
            var relation = RelationOf(keep.Clip, drop.Clip);
            if (copy && relation == Relation.Excluding)
            {
                foreach (var (file, other) in new[] { (keep, drop), (drop, keep) })
                {
                    gone.Add(file.File);
                    yield return new(file.File, ScanRules.LabelConflict, Severity.Error,
                        $"is {Label(file)}, and {other.File} with the same sound is {Label(other)}; {Figures(pair)}");
                }
            }
            else if (copy && relation == Relation.Same || pair.Leaks)
            {
                gone.Add(drop.File);
                var rule = pair.Exact ? ScanRules.Duplicate : copy ? ScanRules.NearDuplicate : ScanRules.SharesSound;
                yield return new(drop.File, rule, Severity.Error, $"of {keep.File}; {Figures(pair)}");
            }
            else
            {
                var rule = pair.Exact ? ScanRules.Duplicate : copy ? ScanRules.NearDuplicate : ScanRules.SharesSound;
                yield return new(drop.File, rule, Severity.Warning, $"of {keep.File}; {Figures(pair)}");
            }
        }
    }

    enum Relation
    {
        Same,
        BothListed,
        Excluding,
    }

    static Relation RelationOf(Clip? a, Clip? b)
    {
        if (a is null || b is null || a.Labels[0] == b.Labels[0]) return Relation.Same;
        return Names(a, b.Labels[0]) && Names(b, a.Labels[0]) ? Relation.BothListed : Relation.Excluding;
    }

    static bool Names(Clip clip, string label) => clip.Labels.Contains(label) || clip.SecondaryLabels.Contains(label);

    static string Label(ScanFile file) => file.Clip?.Labels[0] ?? "unlabelled";

    static string Figures(SharedSound s)
    {
        var where = s.Folds.Count > 0 ? $"; on both sides of fold {string.Join(" and ", s.Folds)}" : s.Leaks ? "; one is tested on" : "";
        return s.Exact
            ? string.Create(CultureInfo.InvariantCulture, $"every sample of {s.Seconds:0.0} s{where}.")
            : string.Create(CultureInfo.InvariantCulture,
                $"{s.Seconds:0.0} s ({s.Share:P0} of the shorter) at {s.OffsetSeconds:+0.00;-0.00;0} s; waveforms correlate {s.Correlation:0.00}{where}.");
    }
}
