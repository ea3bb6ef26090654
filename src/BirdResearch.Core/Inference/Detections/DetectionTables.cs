using System.Globalization;
using BirdResearch.Data;
using BirdResearch.Files;
using BirdResearch.Naming;

namespace BirdResearch.Inference.Detections;

/// <summary>Writes detections in the forms that listeners open: Audacity's label track, Raven's selection table, a CSV.</summary>
public static class DetectionTables
{
    // Raven draws a box; a model that hears the whole band gives the box no other limits.
    const double LowHz = 0, HighHz = 15_000;

    /// <summary>Names of the forms.</summary>
    public static IReadOnlyList<string> Forms { get; } = ["csv", "audacity", "raven"];

    /// <summary>Extension of a form's files, as BirdNET's users know them.</summary>
    public static string ExtensionOf(string form) => form switch
    {
        "csv" => ".csv",
        "audacity" => ".labels.txt",
        "raven" => ".selections.txt",
        _ => throw new ArgumentException(NearNames.Unknown("form of table", form, Forms)),
    };

    /// <summary>Writes one file, beside its place and renamed. Detections are of one recording, except in a CSV, which may hold many.</summary>
    public static void Write(string path, string form, IReadOnlyList<Detection> detections)
    {
        switch (form)
        {
            case "csv":
                CsvTable.Write(path, ["file", "start_s", "end_s", "class", "scientific_name", "common_name", "score"], detections.Select(d =>
                    (object?[])[d.File, d.Start, d.End, d.Class, d.ScientificName, d.CommonName, Math.Round(d.Score, 4)]));
                break;
            case "audacity":
                WholeFile.Write(path, beside => File.WriteAllLines(beside, detections.Select(d => Tabs(d.Start.ToString("0.000000", CultureInfo.InvariantCulture),
                    d.End.ToString("0.000000", CultureInfo.InvariantCulture), $"{Line(d.CommonName)} {d.Score.ToString("0.00", CultureInfo.InvariantCulture)}"))));
                break;
            case "raven":
                WholeFile.Write(path, beside => File.WriteAllLines(beside, detections.Select((d, i) => Tabs(i + 1, "Spectrogram 1", 1, d.Start, d.End, LowHz, HighHz, Line(d.CommonName), d.Class, Math.Round(d.Score, 4), d.File, d.Start))
                    .Prepend(Tabs("Selection", "View", "Channel", "Begin Time (s)", "End Time (s)", "Low Freq (Hz)", "High Freq (Hz)", "Common Name", "Species Code", "Confidence", "Begin Path", "File Offset (s)"))));
                break;
            default:
                throw new ArgumentException(NearNames.Unknown("form of table", form, Forms));
        }
    }

    static string Tabs(params object[] cells) => string.Join('\t', cells.Select(c => string.Format(CultureInfo.InvariantCulture, "{0}", c)));

    static string Line(string text) => text.Replace('\t', ' ').Replace('\n', ' ');
}
