using BirdResearch.Data;

namespace BirdResearch.Experiments;

/// <summary><c>robustness.csv</c> beside a run: its score at each level of each knob that was turned.</summary>
public static class RobustnessTable
{
    /// <summary>Name of the file.</summary>
    public const string FileName = "robustness.csv";

    /// <summary>The rows that a run's folder holds; none where no knob was turned yet.</summary>
    public static IReadOnlyList<RobustnessRow> Read(string folder)
    {
        var file = Path.Combine(folder, FileName);
        return File.Exists(file)
            ? [.. CsvTable.Read(file, "run", "knob", "value", "map", "low", "high", "recordings").Rows.Select(row => new RobustnessRow(
                row.Text("run"), row.Text("knob"), row.Text("value"), row.Number64("map"), row.Number64("low"), row.Number64("high"),
                row.Integer("recordings") ?? throw row.Wrong("recordings", "is empty")))]
            : [];
    }

    /// <summary>Puts a knob's rows in place of those that the file has of it; the other knobs' stay.</summary>
    public static void Write(string folder, string knob, IReadOnlyList<RobustnessRow> rows)
    {
        var others = Read(folder).Where(row => row.Knob != knob);
        CsvTable.Write(Path.Combine(folder, FileName), ["run", "knob", "value", "domain", "map", "low", "high", "recordings"],
            others.Concat(rows).Select(r => new object?[] { r.Run, r.Knob, r.Value, r.Domain, r.Map, r.Low, r.High, r.Recordings }));
    }
}
