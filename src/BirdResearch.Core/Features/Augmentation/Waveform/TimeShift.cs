using BirdResearch.Data;

namespace BirdResearch.Features;

/// <summary>
/// Turns a clip around: what leaves at its end comes in at its start. A recording as long as the window has no other place to be cut
/// from, and without this a network learns where in the window a sound lies.
/// </summary>
/// <param name="settings">Probability that a clip is shifted, by any number of samples alike.</param>
public sealed class TimeShift(TimeShiftSettings settings) : WindowAugmentation(Name, settings.Probability)
{
    /// <summary>Its name among <see cref="AugmentationCounts"/>.</summary>
    public const string Name = "time-shift";

    /// <inheritdoc/>
    protected override bool Change(SampleKey key, CounterRandom random, Span<float> window)
    {
        Turn(window, random.NextInt(window.Length));
        return true;
    }

    /// <summary>Moves every sample <paramref name="by"/> places later, around the end.</summary>
    static void Turn(Span<float> clip, int by)
    {
        clip[..^by].Reverse();
        clip[^by..].Reverse();
        clip.Reverse();
    }
}
