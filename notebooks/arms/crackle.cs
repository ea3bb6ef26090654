using BirdResearch.Data;
using BirdResearch.Experiments;
using BirdResearch.Features;

/// <summary>Clicks at random places, as a loose plug makes them.</summary>
public sealed class Crackle(AddedSettings settings, int sampleRate) : WindowAugmentation("crackle", settings.Probability)
{
    const double ClicksPerSecond = 10;

    protected override bool Change(SampleKey key, CounterRandom random, Span<float> window)
    {
        var clicks = (int)(ClicksPerSecond * window.Length / sampleRate);
        for (var i = 0; i < clicks; i++)
            window[random.NextInt(window.Length)] += (float)random.NextDouble(-settings.Amount, settings.Amount);
        return clicks > 0;
    }
}

public sealed class CrackleArm : IArm
{
    public string Label => "crackle";

    public void Register() => AddedAugmentations.Add("crackle", (settings, sampleRate) => new Crackle(settings, sampleRate));

    public Trial On(Trial baseline) => baseline with
    {
        Training = baseline.Training with
        {
            Augmentation = baseline.Training.Augmentation with { Added = new() { Name = "crackle", Probability = 0.5, Amount = 0.2 } },
        },
    };
}
