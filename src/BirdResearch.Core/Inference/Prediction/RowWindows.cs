using BirdResearch.Audio;
using BirdResearch.Inference.Submission;

namespace BirdResearch.Inference.Prediction;

/// <summary>
/// Which windows of a recording a model hears for a row. A model of the row's own length hears the row, repeated where the recording ends before (as
/// in training); one of shorter windows hears several, evenly laid over the row; one of longer windows hears the row in the middle of its surroundings.
/// </summary>
/// <param name="seconds">Length of the model's window.</param>
/// <param name="rowSeconds">Length of a row's window.</param>
public sealed class RowWindows(double seconds, double rowSeconds)
{
    /// <summary>Windows per row.</summary>
    public int PerRow { get; } = (int)Math.Ceiling((rowSeconds / seconds) - 1e-6);

    /// <summary>Seconds of sound around a row that its windows may reach.</summary>
    public double Reach { get; } = Math.Max(0, seconds - rowSeconds);

    /// <summary>Copies one window of a row.</summary>
    /// <param name="row">The row.</param>
    /// <param name="index">0 to <see cref="PerRow"/> - 1.</param>
    /// <param name="sound">A stretch of the recording that holds the row and <see cref="Reach"/> on both sides, as far as the recording goes.</param>
    /// <param name="begin">Second of the recording at which it begins.</param>
    /// <param name="window">Receives the samples.</param>
    /// <returns>False where the recording holds no sound there.</returns>
    public bool Copy(SubmissionRow row, int index, Waveform sound, double begin, Span<float> window)
    {
        var start = row.Start;
        if (PerRow > 1) start += index * (rowSeconds - seconds) / (PerRow - 1);
        else if (seconds > rowSeconds + 1e-6)
            start = Math.Max(0, Math.Min(row.Start + ((rowSeconds - seconds) / 2), begin + sound.Seconds - seconds));
        var first = (long)Math.Round((start - begin) * sound.SampleRate);
        if (PerRow > 1 && first >= sound.Samples.Length) first = (long)Math.Round((row.Start - begin) * sound.SampleRate); // a short last row: its start again
        if (first < 0 || first >= sound.Samples.Length) return false;

        var there = sound.Samples.AsSpan((int)first, (int)Math.Min(window.Length, sound.Samples.Length - first));
        for (var at = 0; at < window.Length; at += there.Length) there[..Math.Min(there.Length, window.Length - at)].CopyTo(window[at..]);
        return true;
    }
}
