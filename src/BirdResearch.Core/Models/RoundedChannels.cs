namespace BirdResearch.Models;

/// <summary>Channel counts that suit vector units: timm's <c>make_divisible</c>.</summary>
static class RoundedChannels
{
    const int Step = 8;

    /// <summary>The nearest multiple of 8, at least 8, or the next one where that would fall below <paramref name="limit"/> of what is wanted.</summary>
    public static long Of(double wanted, double limit = 0.9)
    {
        var rounded = Math.Max(Step, (long)(wanted + (Step / 2)) / Step * Step);
        return rounded < limit * wanted ? rounded + Step : rounded;
    }
}
