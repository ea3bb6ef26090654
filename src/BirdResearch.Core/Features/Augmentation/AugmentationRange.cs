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

    /// <summary>The same for both ends of a range that is drawn from; the upper end must not lie below the lower one.</summary>
    public static void Check(string lowSetting, double lowValue, string highSetting, double highValue, double low, double high)
    {
        Check(lowSetting, lowValue, low, high);
        Check(highSetting, highValue, low, high);
        if (highValue < lowValue)
            throw new ArgumentException(FormattableString.Invariant(
                $"The setting training.augmentation.{lowSetting} is {lowValue}, above training.augmentation.{highSetting}, which is {highValue}."));
    }
}
