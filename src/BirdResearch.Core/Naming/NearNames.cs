namespace BirdResearch.Naming;

/// <summary>Names that resemble a mistyped one, for the errors of every catalogue.</summary>
public static class NearNames
{
    const int Listed = 5;
    const int LongestCompared = 100;

    /// <summary>
    /// The candidates nearest to <paramref name="name"/>, best first: at most five that are within a third of its letters by edit
    /// distance, or that begin with it or contain it. Empty when nothing is near.
    /// </summary>
    public static IReadOnlyList<string> Of(string name, IEnumerable<string> candidates)
    {
        var wanted = Plain(name);
        if (wanted.Length is 0 or > LongestCompared) return [];
        var allowed = Math.Max(2, wanted.Length / 3);
        var near = from candidate in candidates.Distinct(StringComparer.Ordinal)
                   let plain = Plain(candidate)
                   where plain.Length is > 0 and <= LongestCompared
                   let inside = wanted.Length > 2 && plain.Contains(wanted, StringComparison.Ordinal)
                   let distance = EditDistance(wanted, plain)
                   where inside || (distance <= allowed && distance < Math.Max(wanted.Length, plain.Length) - 1)
                   orderby Math.Min(distance, inside ? 1 : int.MaxValue), distance, candidate
                   select candidate;
        return [.. near.Take(Listed)];
    }

    /// <summary>One sentence or two for an unknown name: what was asked for, then near names, or all of them when none is near.</summary>
    /// <param name="what">The kind of thing, such as <c>model</c> or <c>data set</c>.</param>
    /// <param name="name">The name that was given.</param>
    /// <param name="candidates">Every name that would have been right.</param>
    public static string Unknown(string what, string name, IEnumerable<string> candidates)
    {
        var all = candidates.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        var near = Of(name, all);
        var hint = near.Count > 0 ? $"Did you mean {Listing(near)}?" : $"There are: {string.Join(", ", all)}.";
        return $"There is no {what} '{name}'. {(all.Length == 0 ? "" : hint)}".TrimEnd();
    }

    /// <summary>
    /// Least number of single letters to insert, remove, replace or swap with their neighbour to turn one text into the other.
    /// </summary>
    public static int EditDistance(string a, string b)
    {
        var (twoAbove, above, row) = (new int[b.Length + 1], new int[b.Length + 1], new int[b.Length + 1]);
        for (var j = 0; j <= b.Length; j++) above[j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var replace = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                row[j] = Math.Min(replace, 1 + Math.Min(above[j], row[j - 1]));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = Math.Min(row[j], twoAbove[j - 2] + 1);
            }
            (twoAbove, above, row) = (above, row, twoAbove);
        }
        return above[b.Length];
    }

    static string Listing(IReadOnlyList<string> names) =>
        names.Count == 1 ? names[0] : $"{string.Join(", ", names.Take(names.Count - 1))} or {names[^1]}";

    // Case and separators are what is most often mistyped: efficientnet-b0, EfficientNet_B0.
    static string Plain(string name) =>
        string.Concat(name.Where(c => !char.IsWhiteSpace(c) && c is not ('-' or '_' or '.'))).ToLowerInvariant();
}
