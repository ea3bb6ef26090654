namespace BirdResearch.Audio;

/// <summary>Mono sound: samples in [-1, 1] (louder is kept, not clipped) at a rate in Hz.</summary>
public sealed class Waveform
{
    /// <summary>Wraps <paramref name="samples"/> without copying them.</summary>
    public Waveform(float[] samples, int sampleRate)
    {
        ArgumentNullException.ThrowIfNull(samples);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sampleRate);
        Samples = samples;
        SampleRate = sampleRate;
    }

    /// <summary>The samples, one per instant.</summary>
    public float[] Samples { get; }

    /// <summary>Samples per second, in Hz.</summary>
    public int SampleRate { get; }

    /// <summary>Length in seconds.</summary>
    public double Seconds => (double)Samples.Length / SampleRate;
}
