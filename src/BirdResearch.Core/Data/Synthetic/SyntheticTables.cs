using System.Globalization;
using System.Text;

namespace BirdResearch.Data;

/// <summary>The csv files of the BirdCLEF layout, by name, from a plan.</summary>
static class SyntheticTables
{
    const string License = "Creative Commons Zero 1.0";
    const string Source = "BirdResearch synthetic-birds";

    public static IEnumerable<(string Name, string Text)> All(SyntheticPlan plan)
    {
        var codes = plan.Species.Select(s => s.Code).Order(StringComparer.Ordinal).ToArray();
        yield return ("taxonomy.csv", Table(
            ["primary_label", "scientific_name", "common_name"],
            plan.Species.OrderBy(s => s.Code, StringComparer.Ordinal)
                .Select(s => new object[] { s.Code, s.ScientificName, s.CommonName })));
        yield return ("train_metadata.csv", Table(
            [
                "primary_label", "secondary_labels", "type", "latitude", "longitude", "scientific_name", "common_name", "author", "license",
                "rating", "url", "filename",
            ],
            plan.Focal.OrderBy(f => f.File, StringComparer.Ordinal).Select(f => new object[]
            {
                f.Species.Code, f.Background is null ? "[]" : $"['{f.Background.Code}']", f.Calls ? "['call']" : "['song']",
                f.Place is var (latitude, _) ? latitude : "", f.Place is var (_, longitude) ? longitude : "", f.Species.ScientificName,
                f.Species.CommonName, f.Author, License, Math.Round(f.SnrDb / 5) / 2 + 0.5, $"urn:birdresearch:synthetic-birds:{f.Id}",
                f.File,
            })));
        yield return ("soundscape_events.csv", Table(
            ["soundscape", "start", "end", "primary_label", "snr_db", "metres", "distant", "recording", "author", "license", "source_repository"],
            plan.Soundscapes.SelectMany(s => s.Events.Select(e => new object[]
            {
                s.Id, e.Start, e.End, e.Species.Code, e.SnrDb, Math.Round(e.Metres, 1), e.Distant ? 1 : 0, e.Individual, "synthetic", License, Source,
            }))));
        yield return ("soundscapes.csv", Table(
            ["soundscape", "seconds", "noise_layer", "reverb_seconds", "events"],
            plan.Soundscapes.Select(s => new object[]
            {
                s.Id, s.Seconds, s.Noises.ToString().ToLowerInvariant().Replace(",", ""), s.ReverbSeconds, s.Events.Count,
            })));

        var windows = plan.Soundscapes.SelectMany(s => s.Windows().Select(w => (Row: $"{s.Id}_{w.End}", w.Heard))).ToArray();
        yield return ("soundscape_labels.csv", Table(
            ["row_id", "birds"], windows.Select(w => new object[] { w.Row, w.Heard.Count == 0 ? "nocall" : string.Join(' ', w.Heard) })));
        yield return ("soundscape_truth.csv", Table(
            ["row_id", .. codes], windows.Select(w => (object[])[w.Row, .. codes.Select(c => w.Heard.Contains(c) ? 1 : 0)])));
        yield return ("sample_submission.csv", Table(
            ["row_id", .. codes], windows.Select(w => (object[])[w.Row, .. codes.Select(_ => Math.Round(1.0 / codes.Length, 6))])));
    }

    static string Table(IReadOnlyList<string> header, IEnumerable<object[]> rows)
    {
        var text = new StringBuilder().AppendJoin(',', header).Append('\n');
        foreach (var row in rows) text.AppendJoin(',', row.Select(Cell)).Append('\n');
        return text.ToString();
    }

    static string Cell(object value)
    {
        var text = Convert.ToString(value, CultureInfo.InvariantCulture)!;
        return text.AsSpan().IndexOfAny(",\"\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"")}\"";
    }
}
