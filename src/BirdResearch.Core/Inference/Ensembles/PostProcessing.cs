using System.Text.Json.Serialization;

namespace BirdResearch.Inference;

/// <summary>What is done to the scores of a model or an ensemble, in this order: calibration of each class, smoothing over time, the file's say.</summary>
public sealed record PostProcessing
{
    /// <summary>Makes scores of a class what they claim to be; null leaves them.</summary>
    public ClassCalibration? Calibration { get; init; }

    /// <summary>Mixes each window with its neighbours; null leaves them apart.</summary>
    public Smoothing? Smoothing { get; init; }

    /// <summary>Weighs windows by what the whole file says; null does not.</summary>
    public FileBoost? FileBoost { get; init; }

    /// <summary>Whether it asks which rows are one recording.</summary>
    [JsonIgnore]
    public bool NeedsRecordings => Smoothing is not null || FileBoost is not null;

    /// <summary>The scores after all of it, in [0, 1].</summary>
    /// <param name="scores">N x C scores in [0, 1], row-major; not changed.</param>
    /// <param name="classes">Number of classes C.</param>
    /// <param name="recordings">Which rows are one recording; needed for <see cref="Smoothing"/> and <see cref="FileBoost"/>.</param>
    public float[] Apply(float[] scores, int classes, IReadOnlyList<RecordingRows>? recordings)
    {
        var result = (float[])scores.Clone();
        Calibration?.Apply(result, classes);
        if (!NeedsRecordings) return result;
        if (recordings is null) throw new ArgumentException("Smoothing and file boost need to know which rows are one recording.");
        if (recordings.Any(r => r.Count < 0 || r.Start < 0 || (long)(r.Start + r.Count) * classes > scores.Length))
            throw new ArgumentException($"A recording's rows lie outside the {scores.Length / classes} that there are.");
        foreach (var recording in recordings)
        {
            var windows = result.AsSpan(recording.Start * classes, recording.Count * classes);
            Smoothing?.Apply(windows, classes);
            FileBoost?.Apply(windows, classes);
        }
        return result;
    }

    /// <summary>Throws an error that names the first setting out of its range.</summary>
    public void Check()
    {
        Calibration?.Check();
        Smoothing?.Check();
        FileBoost?.Check();
    }
}
