namespace BirdResearch.Features;

/// <summary>Filters one after the other.</summary>
static class Cascade
{
    /// <summary>Filters in place through every section.</summary>
    public static void Filter(ReadOnlySpan<Biquad> sections, Span<float> sound)
    {
        foreach (var section in sections) section.Filter(sound);
    }

    /// <summary>A frequency that a filter at that rate can have.</summary>
    public static double Within(double hz, int sampleRate) => Math.Min(hz, 0.45 * sampleRate);

    /// <summary>The range check of an order.</summary>
    public static void CheckOrder(string setting, int order)
    {
        AugmentationRange.Check(setting, order, 2, 16);
        if (order % 2 != 0) throw new ArgumentException($"The setting training.augmentation.{setting} is {order}: it must be even.");
    }
}
