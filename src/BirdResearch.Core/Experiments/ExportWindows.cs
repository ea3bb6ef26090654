using BirdResearch.Data;
using BirdResearch.Inference;

namespace BirdResearch.Experiments;

/// <summary>Windows on which an exported model is compared with torch.</summary>
static class ExportWindows
{
    const int MostReal = 24;

    // Full scale down to below the last bit of 16-bit sound.
    static readonly double[] Levels = [1, 0.3, 0.1, 0.03, 0.01, 1e-3, 1e-4, 1e-5];

    /// <summary>Noise at several levels, tones in noise, clicks, a step and silence.</summary>
    public static IReadOnlyList<ExportWindow> Invented(ModelCard card)
    {
        var (samples, rate) = (card.WindowSamples, (double)card.SampleRate);
        var windows = new List<ExportWindow>();
        for (var seed = 1; seed <= 2; seed++)
            foreach (var level in Levels) windows.Add(new($"noise of level {level}", Noise(seed, level)));
        foreach (var hertz in new[] { 500.0, 2000, 0.3 * rate })
            windows.Add(new($"a tone of {hertz:0} Hz", [.. Noise(3, 0.02).Select((x, i) => x + (float)(0.4 * Math.Sin(2 * Math.PI * hertz * i / rate)))]));
        foreach (var place in new[] { 0, samples / 2, samples - 1 })
            windows.Add(new($"a click at sample {place}", [.. Enumerable.Range(0, samples).Select(i => i == place ? 1f : 0f)]));
        windows.Add(new("a recording that ends in mid-window", [.. Noise(4, 0.1).Select((x, i) => i < samples / 3 ? x : 0)]));
        windows.Add(new("silence", new float[samples]));
        return windows;

        float[] Noise(int seed, double level)
        {
            var random = new CounterRandom(seed, samples);
            return [.. Enumerable.Range(0, samples).Select(_ => (float)(level * ((2 * random.NextDouble()) - 1)))];
        }
    }

    /// <summary>Windows from recordings that were held out, evenly over the list, and from soundscapes where there are any.</summary>
    public static IReadOnlyList<ExportWindow> Real(TrainedModel model, Dataset data)
    {
        var reader = new WindowReader(data, model.Card.SampleRate, model.Card.Seconds);
        IEnumerable<Clip> Some(IReadOnlyList<Clip> clips, int most) =>
            Enumerable.Range(0, Math.Min(most, clips.Count)).Select(i => clips[(int)((long)i * clips.Count / Math.Min(most, clips.Count))]);
        return
        [
            .. Some(Splits.Of(data, model.Record.Trial.Fold).Validation, MostReal).Concat(Some(data.Soundscapes, MostReal / 3))
                .Select(clip => new ExportWindow(clip.Id, reader.Read(clip))),
        ];
    }
}
