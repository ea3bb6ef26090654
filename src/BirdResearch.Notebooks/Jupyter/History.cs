using System.Text.RegularExpressions;

namespace BirdResearch.Notebooks.Jupyter;

/// <summary>The cells of this session that were to be remembered. One thread uses it.</summary>
sealed class History
{
    readonly List<Line> _lines = [];

    /// <summary>Remembers a cell.</summary>
    public void Add(int count, string code, string? result) => _lines.Add(new(count, code, result));

    /// <summary>The content of a <c>history_reply</c>.</summary>
    public object Answer(WireMessage request)
    {
        var most = request.Number("n") ?? int.MaxValue;
        var found = request.Text("hist_access_type") switch
        {
            "tail" => _lines.TakeLast(most),
            "range" => Range(request.Number("session") ?? 0, request.Number("start") ?? 0, request.Number("stop") ?? int.MaxValue),
            "search" => Search(request.Text("pattern"), request.Flag("unique", false)).TakeLast(most),
            _ => [],
        };
        var withResults = request.Flag("output", false);
        return new { Status = "ok", History = found.Select(l => new object[] { 1, l.Count, withResults ? new[] { l.Code, l.Result } : l.Code }).ToArray() };
    }

    IEnumerable<Line> Range(int session, int start, int stop) =>
        session is 0 or 1 ? _lines.Where(l => l.Count >= start && l.Count < stop) : [];

    // A pattern is a glob: * and ? stand for any text and any character.
    IEnumerable<Line> Search(string pattern, bool isUnique)
    {
        var glob = new Regex("^" + Regex.Escape(pattern).Replace(@"\*", ".*").Replace(@"\?", ".") + "$", RegexOptions.Singleline | RegexOptions.NonBacktracking);
        var found = _lines.Where(l => glob.IsMatch(l.Code));
        return isUnique ? found.Reverse().DistinctBy(l => l.Code).Reverse() : found;
    }

    sealed record Line(int Count, string Code, string? Result);
}
