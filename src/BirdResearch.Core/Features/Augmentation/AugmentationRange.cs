namespace BirdResearch.Features;

/// <summary>The range check of augmentation settings.</summary>
static class AugmentationRange
{
    /// <summary>An error that names the setting, its value and its range; NaN is out of every range.</summary>
    public static void Check(string setting, double value, double low, double high)
    {
        if (!(value >= low && value <= high))
            throw new ArgumentException(
                FormattableString.Invariant($"The setting training.augmentation.{setting} is {value}: it must lie between {low} and {high}."));
    }
}
