using System.Text.Json;

namespace BirdResearch.Inference;

/// <summary>How logits become scores in [0, 1].</summary>
public enum ScoreRule
{
    /// <summary>Each class for itself.</summary>
    Sigmoid,

    /// <summary>The classes share 1.</summary>
    Softmax,
}

/// <summary>What has to be known to use a trained model: it travels in the metadata of an ONNX file, so that the file can be used alone.</summary>
public sealed record ModelCard
{
    /// <summary>Version of the metadata.</summary>
    public const int Format = 1;

    const string FormatKey = "bird.format";

    /// <summary>What to call it in tables: the file's name, or the run's where the file is called model, with what follows after a dot.</summary>
    public required string Name { get; init; }

    /// <summary>Catalogue name of the model.</summary>
    public required string Model { get; init; }

    /// <summary>Catalogue name of the front-end.</summary>
    public required string FrontEnd { get; init; }

    /// <summary>The run that trained it.</summary>
    public required string Run { get; init; }

    /// <summary>Rate of the samples it takes, in Hz.</summary>
    public required int SampleRate { get; init; }

    /// <summary>Length of a window in seconds.</summary>
    public required double Seconds { get; init; }

    /// <summary>Class names in the order of the logits.</summary>
    public required IReadOnlyList<string> Classes { get; init; }

    /// <summary>How its logits become scores.</summary>
    public required ScoreRule Scores { get; init; }

    /// <summary>Share of training recordings per class: the best guess for sound that cannot be read.</summary>
    public required IReadOnlyList<double> Prior { get; init; }

    /// <summary>Settings of the front-end as JSON: what the graph does before the model.</summary>
    public required string Preprocessing { get; init; }

    /// <summary>What its convolutions reckon in where that is not float32: <see cref="Int8"/>, or null.</summary>
    public string? Quantised { get; init; }

    /// <summary>8-bit integers.</summary>
    public const string Int8 = "int8";

    /// <summary>Samples of a window.</summary>
    public int WindowSamples => (int)Math.Round(SampleRate * Seconds);

    /// <summary>As key and text, for the metadata of a file.</summary>
    public IReadOnlyDictionary<string, string> ToMetadata()
    {
        var metadata = new Dictionary<string, string>
        {
            [FormatKey] = JsonSerializer.Serialize(Format),
            ["model"] = Model,
            ["front_end"] = FrontEnd,
            ["run"] = Run,
            ["sample_rate"] = JsonSerializer.Serialize(SampleRate),
            ["seconds"] = JsonSerializer.Serialize(Seconds),
            ["classes"] = JsonSerializer.Serialize(Classes),
            ["scores"] = Scores == ScoreRule.Softmax ? "softmax" : "sigmoid",
            ["prior"] = JsonSerializer.Serialize(Prior),
            ["preprocessing"] = Preprocessing,
        };
        if (Quantised is { } form) metadata["quantised"] = form;
        return metadata;
    }

    /// <summary>Reads what <see cref="ToMetadata"/> wrote; anything missing or impossible is an error that names the file and the key.</summary>
    /// <param name="metadata">Keys and texts of the file.</param>
    /// <param name="path">The file, for messages and the card's name.</param>
    public static ModelCard FromMetadata(IReadOnlyDictionary<string, string> metadata, string path)
    {
        if (!metadata.TryGetValue(FormatKey, out var format))
            throw new InvalidDataException(
                $"'{path}' does not say what it takes: it lacks the metadata that 'bird export' writes. Export the run again with 'bird export RUN'.");
        if (format != JsonSerializer.Serialize(Format))
            throw new InvalidDataException($"'{path}' has metadata of format {format}; this version reads {Format}. Export the run again.");
        var classes = Json<string[]>("classes");
        var card = new ModelCard
        {
            Name = NameOf(Path.GetFileNameWithoutExtension(path)),
            Model = Text("model"),
            FrontEnd = Text("front_end"),
            Run = Text("run"),
            SampleRate = Json<int>("sample_rate"),
            Seconds = Json<double>("seconds"),
            Classes = classes,
            Scores = Text("scores") switch
            {
                "sigmoid" => ScoreRule.Sigmoid,
                "softmax" => ScoreRule.Softmax,
                var other => throw Wrong("scores", other, "sigmoid or softmax"),
            },
            Prior = Json<double[]>("prior"),
            Preprocessing = Text("preprocessing"),
            Quantised = metadata.GetValueOrDefault("quantised"),
        };
        if (card.Quantised is not (null or Int8)) throw Wrong("quantised", card.Quantised, $"{Int8}, or none");
        if (card.SampleRate is < 1000 or > 400_000) throw Wrong("sample_rate", Text("sample_rate"), "a rate in Hz");
        if (card.Seconds is not (> 0 and <= 600)) throw Wrong("seconds", Text("seconds"), "a length in seconds");
        if (classes.Length == 0 || classes.Distinct().Count() != classes.Length) throw Wrong("classes", Text("classes"), "class names, each once");
        if (card.Prior.Count != classes.Length || card.Prior.Any(p => p is not (>= 0 and <= 1)))
            throw Wrong("prior", Text("prior"), "a share in [0, 1] for each class");
        return card;

        // model.onnx and model.int8.onnx lie in the folder of a run: the run's name tells more.
        string NameOf(string file) => file == "model" || file.StartsWith("model.", StringComparison.Ordinal) ? Text("run") + file["model".Length..] : file;

        string Text(string key) => metadata.TryGetValue(key, out var text) ? text : throw Wrong(key, "missing", "a text");

        T Json<T>(string key)
        {
            var text = Text(key);
            try
            {
                return JsonSerializer.Deserialize<T>(text) ?? throw new JsonException("it holds null");
            }
            catch (JsonException)
            {
                throw Wrong(key, text, "JSON as 'bird export' writes it");
            }
        }

        InvalidDataException Wrong(string key, string text, string expected) =>
            new($"'{path}': the metadata '{key}' is '{(text.Length > 60 ? text[..60] + "..." : text)}'; expected {expected}. Export the run again.");
    }
}
