using System.Text.Json;
using System.Text.Json.Nodes;
using BirdResearch.Data;
using BirdResearch.Features;
using BirdResearch.Naming;

namespace BirdResearch.Experiments;

/// <summary>Changes any setting of a trial by its name, as the command line and sweeps do.</summary>
public static class TrialSettings
{
    /// <summary>
    /// Applies <c>path=value</c>, such as <c>training.learning_rate=3e-4</c> or <c>features.expansion.k=64</c>. The last part of the path
    /// alone is enough where it is unique. An unknown path is an error that lists near names.
    /// </summary>
    public static Trial Set(Trial trial, string assignment) =>
        Set(trial with { Features = trial.Features ?? FrontEnds.Named(trial.FrontEnd) }, trial.Features is null, assignment);

    /// <summary>The same for a pretraining.</summary>
    public static PretrainingTrial Set(PretrainingTrial trial, string assignment) =>
        Set(trial with { Features = trial.Features ?? FrontEnds.Named(trial.FrontEnd) }, trial.Features is null, assignment);

    /// <summary>The same for what the synthetic birds are made from, such as <c>species=30</c> or <c>noises=rain, wind</c>.</summary>
    public static SyntheticBirdsSettings Set(SyntheticBirdsSettings settings, string assignment) => Set(settings, false, assignment);

    /// <summary>Sets one value of a trial whose front-end is written out; it is left to the catalogue again unless it was changed.</summary>
    static T Set<T>(T trial, bool featuresAreTheCatalogues, string assignment)
    {
        var equals = assignment.IndexOf('=');
        if (equals < 1) throw new ArgumentException($"'{assignment}' is not a setting; write path=value, such as training.learning_rate=3e-4.");
        var (name, text) = (assignment[..equals].Trim(), assignment[(equals + 1)..].Trim());

        var whole = JsonSerializer.SerializeToNode(trial, RunStore.Json)!.AsObject();
        var paths = Paths(whole, "").ToList();
        var matches = paths.Contains(name) ? [name] : paths.Where(p => p.EndsWith("." + name, StringComparison.Ordinal)).ToList();
        if (matches.Count == 0) throw new ArgumentException(NearNames.Unknown("setting", name, paths));
        if (matches.Count > 1) throw new ArgumentException($"'{name}' could be {string.Join(" or ", matches)}; write it in full.");

        var parts = matches[0].Split('.');
        var node = parts[..^1].Aggregate(whole, (at, part) => at[part]!.AsObject());
        node[parts[^1]] = Parse(text);
        if (!matches[0].StartsWith("features.", StringComparison.Ordinal) && featuresAreTheCatalogues) whole["features"] = null;
        try
        {
            return whole.Deserialize<T>(RunStore.Json)!;
        }
        catch (JsonException e)
        {
            throw new ArgumentException($"'{text}' is not a value for {matches[0]}: {e.Message}", e);
        }
    }

    static IEnumerable<string> Paths(JsonObject node, string prefix) =>
        node.SelectMany(pair => pair.Value is JsonObject inner ? Paths(inner, prefix + pair.Key + ".") : [prefix + pair.Key]);

    static JsonNode? Parse(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }
}
