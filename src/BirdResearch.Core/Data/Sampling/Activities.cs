using System.Collections.Concurrent;
using System.Globalization;

namespace BirdResearch.Data;

/// <summary>What <see cref="SignalDetector"/> found in the clips of a reader: made once, by the thread that first asks, and kept on disk.</summary>
sealed class Activities(WindowReader reader)
{
    readonly ConcurrentDictionary<(string Clip, double LowHz, double HighHz), Lazy<SoundActivity>> _known = new();

    public SoundActivity Of(Clip clip, double lowHz, double highHz)
    {
        var key = (clip.Id, lowHz, highHz);
        var found = _known.GetOrAdd(key, _ => new Lazy<SoundActivity>(() => Kept(clip, lowHz, highHz)));
        try
        {
            return found.Value;
        }
        catch
        {
            _known.TryRemove(KeyValuePair.Create(key, found));   // a Lazy would repeat a passing failure for ever
            throw;
        }
    }

    SoundActivity Kept(Clip clip, double lowHz, double highHz)
    {
        var key = reader.KeyOf(clip) is { } sound
            ? string.Create(CultureInfo.InvariantCulture, $"{sound}|activity {SignalDetector.Recipe}|{lowHz}-{highHz}")
            : null;
        var detector = new SignalDetector(reader.SampleRate, lowHz, highHz);
        if (key is not null && reader.Disk?.Read<float>(key) is { Length: > 0 } kept && kept.Length % 2 == 0)
            return new SoundActivity(detector.StepSamples, kept[..(kept.Length / 2)], kept[(kept.Length / 2)..]);

        var samples = 0L;
        reader.Read(clip, part =>
        {
            samples += part.Length;
            detector.Add(part);
        });
        var made = detector.Finish(samples);
        if (key is not null) reader.Disk?.Write<float>(key, [.. made.Energy, .. made.Signal]);
        return made;
    }
}
