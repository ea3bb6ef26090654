using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using BirdResearch.Data;
using BirdResearch.Experiments;

namespace BirdResearch.Cli.Verbs;

/// <summary><c>bird synthetic FOLDER</c>: a world of invented birds with known truth, as hard as one likes.</summary>
public static class Synthetic
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var folder = new Argument<string?>("FOLDER") { Description = "Where the data set goes: a new or empty folder, or one made before", Arity = ArgumentArity.ZeroOrOne };
        var set = new Option<string[]>("--set") { Description = "Any knob, such as species=30 or lowest_snr_db=-10; may be repeated" };
        var gallery = new Option<string?>("--gallery") { Description = "Write six examples with spectrograms into this folder instead" };
        return new Command("synthetic",
            """
            Makes synthetic birds: clean focal recordings, noisy soundscapes, and the exact truth about who sings when, how far and how loud.
            Equal knobs give equal data; a data set that was cut short is finished. Without FOLDER it lists the knobs.

            Examples:
              bird synthetic
              bird synthetic data/far --set nearest_metres=60 --set farthest_metres=200
              bird synthetic data/rain --set noises=rain --set fewest_noises=1 --set highest_snr_db=3
              bird run models --data far
            """)
        { folder, set, gallery }.Does((p, cancellation) =>
        {
            var settings = (p.GetValue(set) ?? []).Aggregate(new SyntheticBirdsSettings(), TrialSettings.Set);
            if (p.GetValue(gallery) is { } examples)
            {
                SyntheticGallery.Write(examples, cancellation);
                Screen.Line($"Six examples: {Path.Combine(examples, "README.md")}");
                return 0;
            }
            if (p.GetValue(folder) is not { } target)
            {
                Screen.Table(["knob", "default"], Knobs().Select(k => (IReadOnlyList<string>)[k.Name, k.Value]));
                return 0;
            }
            SyntheticBirds.Write(target, settings, DataScreen.Steps(), cancellation);
            DataScreen.Show(Datasets.Open(target));
            Screen.Line($"Truth: {Path.Combine(target, "soundscape_events.csv")}, per window {Path.Combine(target, "soundscape_truth.csv")}");
            return 0;
        });
    }

    static IEnumerable<(string Name, string Value)> Knobs() =>
        JsonSerializer.SerializeToNode(new SyntheticBirdsSettings(), RunStore.Json)!.AsObject()
            .Select(pair => (pair.Key, pair.Value is JsonValue value ? value.ToString() : ""));
}
