using System.Globalization;

namespace BirdResearch.Data;

/// <summary>BirdCLEF's names of windows: <c>&lt;recording&gt;_&lt;end second&gt;</c>.</summary>
static class RowId
{
    /// <summary>The recording and the second, above 0, at which the window ends; null for a name of another form.</summary>
    public static (string Stem, double End)? Parts(string id)
    {
        var bar = id.LastIndexOf('_');
        return bar > 0
            && double.TryParse(id.AsSpan(bar + 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var end)
            && end > 0 ? (id[..bar], end) : null;
    }
}
