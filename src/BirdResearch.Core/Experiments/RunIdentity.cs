using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using BirdResearch.Features;

namespace BirdResearch.Experiments;

/// <summary>
/// What makes a run the run that it is: the settings in which its trial differs from the defaults, and the content of the data that it hears. A new setting whose
/// default changes nothing leaves earlier runs what they were. Where the data lies, what it or the arm is called, plays no part.
/// </summary>
public static class RunIdentity
{
    static readonly JsonObject _defaults = ToJson(new Trial { Features = new FrontEndSettings { Kind = "" } });

    /// <summary>Ten hexadecimal digits that change with anything that makes up a run.</summary>
    /// <param name="trial">A complete trial.</param>
    /// <param name="contentKey">Of its data, see <see cref="Data.Dataset.ContentKey"/>.</param>
    /// <param name="withoutLabelsKey">Of the sound without labels that it hears, see <see cref="SoundWithoutLabels.KeyOf"/>; null where it hears none.</param>
    /// <param name="recipe">See <see cref="RunStore.Recipe"/>.</param>
    /// <param name="pretrainedDigest">Of the weights that it starts from; their path plays no part.</param>
    public static string HashOf(Trial trial, string contentKey, string? withoutLabelsKey, int recipe, string? pretrainedDigest) =>
        HashOf(new
        {
            recipe,
            trial = Settings(trial),
            pretrainedDigest,
            contentKey = withoutLabelsKey is null ? contentKey : $"{contentKey} {withoutLabelsKey}",
        });

    /// <summary>Whether a record was made with just the settings of a trial; it was not where a default has changed since.</summary>
    public static bool Matches(RunRecord record, Trial trial) => JsonNode.DeepEquals(Settings(record.Trial), Settings(trial));

    /// <summary>Ten hexadecimal digits of a value's JSON.</summary>
    internal static string HashOf(object identity)
    {
        var text = JsonSerializer.Serialize(identity, new JsonSerializerOptions(RunStore.Json) { WriteIndented = false });
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..10];
    }

    /// <summary>The settings that differ from the defaults.</summary>
    static JsonObject Settings(Trial trial)
    {
        var settings = ToJson(trial with { Data = "", Label = "", Training = trial.Training with { Pretrained = null } });
        Prune(settings, _defaults);
        return settings;
    }

    static JsonObject ToJson(Trial trial) => JsonSerializer.SerializeToNode(trial, RunStore.Json)!.AsObject();

    static void Prune(JsonObject settings, JsonObject defaults)
    {
        foreach (var (key, value) in settings.ToList())
        {
            if (value is JsonObject inner && defaults[key] is JsonObject innerDefaults)
            {
                Prune(inner, innerDefaults);
                if (inner.Count == 0) settings.Remove(key);
            }
            else if (JsonNode.DeepEquals(value, defaults[key])) settings.Remove(key);
        }
    }
}
