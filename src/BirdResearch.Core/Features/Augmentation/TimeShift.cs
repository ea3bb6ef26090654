using BirdResearch.Data;

namespace BirdResearch.Features;

/// <summary>
/// Turns a clip around: what leaves at its end comes in at its start. A recording as long as the window has no other place to be cut
/// from, and without this a network learns where in the window a sound lies.
/// </summary>
public sealed class TimeShift
{
    /// <summary>Its name among <see cref="AugmentationCounts"/>.</summary>
    public const string Name = "time-shift";

    readonly double _probability;

    /// <param name="settings">Probability that a clip is shifted, by any number of samples alike.</param>
    public TimeShift(TimeShiftSettings settings)
    {
        AugmentationRange.Check("time_shift.probability", settings.Probability, 0, 1);
        _probability = settings.Probability;
    }

    /// <summary>Shifts one window in place.</summary>
    public void Apply(SampleKey key, Span<float> window, AugmentationCounts counts)
    {
        var random = key.RandomFor(Name);
        var applies = random.NextDouble() < _probability;
        if (applies) Turn(window, random.NextInt(window.Length));
        counts.Add(Name, applies ? 1 : 0, 1);
    }

    /// <summary>Moves every sample <paramref name="by"/> places later, around the end.</summary>
    static void Turn(Span<float> clip, int by)
    {
        clip[..^by].Reverse();
        clip[^by..].Reverse();
        clip.Reverse();
    }
}
