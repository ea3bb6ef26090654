using BirdResearch.Data;

namespace BirdResearch.Inference.Detections;

/// <summary>Readable names of classes, from a table such as BirdCLEF's <c>taxonomy.csv</c>.</summary>
/// <param name="Common">Common names by class.</param>
/// <param name="Scientific">Scientific names by class.</param>
public sealed record SpeciesNames(IReadOnlyDictionary<string, string> Common, IReadOnlyDictionary<string, string> Scientific)
{
    /// <summary>No names: classes stand for themselves.</summary>
    public static SpeciesNames None { get; } = new(new Dictionary<string, string>(), new Dictionary<string, string>());

    /// <summary>Reads a table with the columns <c>primary_label</c>, <c>common_name</c> and, where it has it, <c>scientific_name</c>.</summary>
    public static SpeciesNames Read(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no table of names '{path}'; --taxonomy takes a CSV with primary_label and common_name.", path);
        var rows = CsvTable.Read(path, "primary_label", "common_name").Rows;
        return new SpeciesNames(Of("common_name"), Of("scientific_name"));

        Dictionary<string, string> Of(string column)
        {
            var names = new Dictionary<string, string>();
            foreach (var row in rows)
                if (row.OrNull(column) is { } name) names[row.Text("primary_label")] = name;
            return names;
        }
    }
}
