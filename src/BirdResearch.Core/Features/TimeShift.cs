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

    /// <param name="probability">Probability that a clip is shifted, in [0, 1], by any number of samples alike.</param>
    public TimeShift(double probability)
    {
        AugmentationRange.Check("time-shift's probability", probability, 0, 1);
        _probability = probability;
    }

    /// <summary>Shifts the rows of B x T samples in place.</summary>
    public void Apply(float[] samples, int rows, AugmentationStep step, AugmentationCounts counts)
    {
        var length = samples.Length / rows;
        var shifted = 0;
        for (var row = 0; row < rows; row++)
        {
            var random = step.RandomOf(Name, row);
            if (random.NextDouble() >= _probability) continue;
            Turn(samples.AsSpan(row * length, length), random.NextInt(length));
            shifted++;
        }
        counts.Add(Name, shifted, rows);
    }

    /// <summary>Moves every sample <paramref name="by"/> places later, around the end.</summary>
    static void Turn(Span<float> clip, int by)
    {
        clip[..^by].Reverse();
        clip[^by..].Reverse();
        clip.Reverse();
    }
}
