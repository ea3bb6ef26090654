using System.Globalization;
using BirdResearch.Data;

namespace BirdResearch.Experiments;

/// <summary>A setting of the synthetic world, and the levels that a robustness curve shows it at; all else stays as it is.</summary>
/// <param name="Name">
/// <c>snr_db</c> (level of every bird over what else is heard, in dB), <c>metres</c> (distance of every bird), or any setting of
/// <see cref="SyntheticBirdsSettings"/> such as <c>overlap</c>.
/// </param>
/// <param name="Values">The levels as they are written.</param>
public sealed record SyntheticKnob(string Name, IReadOnlyList<string> Values)
{
    static readonly IReadOnlyDictionary<string, string[]> Pairs = new Dictionary<string, string[]>
    {
        ["snr_db"] = ["lowest_snr_db", "highest_snr_db"],
        ["metres"] = ["nearest_metres", "farthest_metres"],
    };

    // What soundscapes are made from, and how many; a world of other species or another seed is another world.
    static readonly string[] Fixed = ["species", "seed", "sample_rate", "recordings_per_species", "soundscapes", "soundscape_seconds"];

    /// <summary>Reads <c>name=number,number,...</c>; a name that is no setting, and a value that it cannot have, are errors.</summary>
    public static SyntheticKnob Parse(string text)
    {
        var equals = text.IndexOf('=');
        string[] values = equals < 1 ? [] : text[(equals + 1)..].Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (values.Length == 0) throw new ArgumentException($"'{text}' is not a knob with its levels; write name=value,value, such as snr_db=-10,0,10,20.");
        var knob = new SyntheticKnob(text[..equals].Trim(), values);
        if (Fixed.Contains(knob.Name))
            throw new ArgumentException($"The knob '{knob.Name}' would make another world, not the same one at another level; turn snr_db, metres, overlap, reverberation or their like.");
        if (values.FirstOrDefault(v => !double.TryParse(v, NumberStyles.Float, CultureInfo.InvariantCulture, out _)) is { } word)
            throw new ArgumentException($"The level '{word}' of the knob '{knob.Name}' is not a number; a curve needs numbers.");
        if (values.GroupBy(v => v).FirstOrDefault(g => g.Count() > 1) is { } twice) throw new ArgumentException($"The knob '{knob.Name}' has the level {twice.Key} twice.");
        foreach (var value in values) knob.At(new(), value).Check();
        return knob;
    }

    /// <summary>The world at one level.</summary>
    public SyntheticBirdsSettings At(SyntheticBirdsSettings world, string value) =>
        Pairs.GetValueOrDefault(Name, [Name]).Aggregate(world, (settings, name) => TrialSettings.Set(settings, $"{name}={value}"));
}
