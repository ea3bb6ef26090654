using BirdResearch.Naming;

namespace BirdResearch.Features;

/// <summary>Colour of a noise: how its power falls or rises with frequency.</summary>
public enum NoiseColour
{
    /// <summary>Alike at all frequencies.</summary>
    White,

    /// <summary>3 dB less an octave up.</summary>
    Pink,

    /// <summary>6 dB less an octave up.</summary>
    Brown,

    /// <summary>3 dB more an octave up.</summary>
    Blue,

    /// <summary>6 dB more an octave up.</summary>
    Violet,
}

/// <summary>Colours by name.</summary>
public static class NoiseColours
{
    /// <summary>Exponent of the power's law: power goes as <c>f^e</c>.</summary>
    public static int Exponent(this NoiseColour colour) => colour switch
    {
        NoiseColour.Pink => -1,
        NoiseColour.Brown => -2,
        NoiseColour.Blue => 1,
        NoiseColour.Violet => 2,
        _ => 0,
    };

    /// <summary>Colours from their names, separated by spaces or commas; an unknown or missing name is an error.</summary>
    public static IReadOnlyList<NoiseColour> Named(string names)
    {
        string[] known = [.. Enum.GetNames<NoiseColour>().Select(n => n.ToLowerInvariant())];
        var asked = names.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries);
        if (asked.Length == 0)
            throw new ArgumentException($"The setting training.augmentation.noise.colours is empty: it must name some of {string.Join(", ", known)}.");
        return [.. asked.Select(name => known.Contains(name)
            ? Enum.Parse<NoiseColour>(name, ignoreCase: true)
            : throw new ArgumentException("The setting training.augmentation.noise.colours: " + NearNames.Unknown("colour", name, known)))];
    }
}
