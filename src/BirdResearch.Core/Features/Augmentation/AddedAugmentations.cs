using BirdResearch.Naming;

namespace BirdResearch.Features;

/// <summary>Augmentations of a window that somebody's own file adds, by name; <see cref="AddedSettings"/> switch one on.</summary>
public static class AddedAugmentations
{
    static readonly Dictionary<string, Func<AddedSettings, int, WindowAugmentation>> _all = [];

    /// <summary>Names of those that were added.</summary>
    public static IReadOnlyList<string> Names
    {
        get
        {
            lock (_all) return [.. _all.Keys.Order(StringComparer.Ordinal)];
        }
    }

    /// <summary>Adds one, or puts it in the place of one of the same name.</summary>
    /// <param name="name">What <c>training.augmentation.added.name</c> calls it.</param>
    /// <param name="make">Makes it from its settings and the sample rate in Hz.</param>
    public static void Add(string name, Func<AddedSettings, int, WindowAugmentation> make)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        lock (_all) _all[name] = make;
    }

    /// <summary>The one that the settings name; none where they name none. An unknown name is an error that lists near ones.</summary>
    internal static IEnumerable<WindowAugmentation> Of(AddedSettings settings, int sampleRate)
    {
        if (settings.Name is not { } name) return [];
        lock (_all)
            return _all.TryGetValue(name, out var make)
                ? [make(settings, sampleRate)]
                : throw new ArgumentException($"{NearNames.Unknown("added augmentation", name, Names)} Name the file that adds it: bird run ... --arm FILE.");
    }
}
