using System.Text.Json;
using System.Text.Json.Nodes;
using BirdResearch.Files;

namespace BirdResearch.Inference;

/// <summary>A member of an ensemble on disk.</summary>
/// <param name="Name">Its name in the ensemble.</param>
/// <param name="Files">Its models: ONNX files or folders of runs, relative to the ensemble's file.</param>
/// <param name="Value">What the ensemble's score would lose without it.</param>
/// <param name="SecondsPerFile">Predicted seconds for one recording, all its models together.</param>
public sealed record EnsembleMember(string Name, IReadOnlyList<string> Files, double Value, double SecondsPerFile);

/// <summary>An ensemble with the places of its models, as <c>bird ensemble</c> writes it and <c>bird predict</c> reads it.</summary>
/// <param name="Members">Where its members are.</param>
/// <param name="Classes">Classes in the order of the ensemble's class weights and calibration.</param>
/// <param name="Ensemble">Rule, weights and post-processing.</param>
/// <param name="Metric">What it was chosen by.</param>
/// <param name="Score">Its score on the validation rows.</param>
public sealed record EnsembleFile(
    IReadOnlyList<EnsembleMember> Members, IReadOnlyList<string> Classes, Ensemble Ensemble, string Metric, double Score)
{
    static readonly JsonSerializerOptions _layout = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes the file, beside its place and renamed.</summary>
    public void Write(string path)
    {
        var json = new JsonObject
        {
            ["members"] = JsonSerializer.SerializeToNode(Members, _layout),
            ["classes"] = JsonSerializer.SerializeToNode(Classes, _layout),
            ["metric"] = Metric,
            ["score"] = Score,
            ["ensemble"] = JsonNode.Parse(Ensemble.ToJson()),
        };
        WholeFile.Write(path, json.ToJsonString(_layout) + "\n");
    }

    /// <summary>Reads the file; one that describes no ensemble is an error that names it.</summary>
    public static EnsembleFile Read(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no ensemble '{path}'. Make one with 'bird ensemble'.", path);
        try
        {
            var json = JsonNode.Parse(File.ReadAllText(path))?.AsObject() ?? throw new JsonException("it is empty");
            T Part<T>(string key) => (json[key] ?? throw new JsonException($"it has no '{key}'")).Deserialize<T>(_layout)!;
            var file = new EnsembleFile(
                Part<EnsembleMember[]>("members"), Part<string[]>("classes"), Ensemble.FromJson(Part<JsonNode>("ensemble").ToJsonString(), path),
                Part<string>("metric"), Part<double>("score"));
            if (!file.Members.Select(m => m.Name).SequenceEqual(file.Ensemble.Members)) throw new JsonException("its members are not those of its ensemble");
            if (file.Members.Any(m => m.Files is null or { Count: 0 })) throw new JsonException("a member has no file");
            return file;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException)
        {
            throw new InvalidDataException($"'{path}' describes no ensemble: {e.Message.TrimEnd('.')}. Make it again with 'bird ensemble'.", e);
        }
    }

    /// <summary>The ensemble for other columns: classes are found by name, and a column that it does not know has common weights and no calibration.</summary>
    public Ensemble For(IReadOnlyList<string> columns)
    {
        var place = columns.Select(c => Classes.ToList().IndexOf(c)).ToArray();
        var calibration = Ensemble.PostProcessing.Calibration;
        return Ensemble with
        {
            ClassWeights = Ensemble.ClassWeights is { } weights ? [.. place.Select(at => at >= 0 ? weights[at] : Common())] : null,
            PostProcessing = Ensemble.PostProcessing with
            {
                Calibration = calibration is null ? null : new ClassCalibration
                {
                    Slopes = [.. place.Select(at => at >= 0 ? calibration.Slopes[at] : 1)],
                    Offsets = [.. place.Select(at => at >= 0 ? calibration.Offsets[at] : 0)],
                },
            },
        };

        IReadOnlyList<double> Common() => Ensemble.Weights.Count > 0 ? Ensemble.Weights : [.. Ensemble.Members.Select(_ => 1.0)];
    }
}
