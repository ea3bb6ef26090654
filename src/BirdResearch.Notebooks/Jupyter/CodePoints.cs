namespace BirdResearch.Notebooks.Jupyter;

/// <summary>Places in a text: the protocol counts code points, .NET counts UTF-16 units.</summary>
static class CodePoints
{
    /// <summary>UTF-16 units before a number of code points; the whole text where it has fewer.</summary>
    public static int ToUnits(string text, int points)
    {
        var at = 0;
        for (; points > 0 && at < text.Length; points--) at += IsPair(text, at) ? 2 : 1;
        return at;
    }

    /// <summary>Code points in the first UTF-16 units.</summary>
    public static int FromUnits(string text, int units)
    {
        var points = 0;
        for (var at = 0; at < Math.Min(units, text.Length); points++) at += IsPair(text, at) ? 2 : 1;
        return points;
    }

    static bool IsPair(string text, int at) => at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]);
}
