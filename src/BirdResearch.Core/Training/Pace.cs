using System.Diagnostics;

namespace BirdResearch.Training;

/// <summary>Counts clips and tells the listener how far the training is.</summary>
sealed class Pace(int epochs, int clipsPerEpoch, IReadOnlyList<EpochRow> rows, IProgress<TrainingProgress>? listener)
{
    readonly Stopwatch _sinceReport = Stopwatch.StartNew();
    readonly long _before = rows.Sum(r => r.Clips);
    long _clips;
    double _seconds;

    public void Add(long clips, double seconds) => (_clips, _seconds) = (_clips + clips, _seconds + seconds);

    public void Report(int epoch, long clips, double seconds)
    {
        if (_sinceReport.ElapsedMilliseconds < 200) return;
        _sinceReport.Restart();
        listener?.Report(new TrainingProgress(
            epoch + 1, epochs, _before + _clips + clips, (long)epochs * clipsPerEpoch, (_clips + clips) / (_seconds + seconds), null));
    }

    public void Report(EpochRow row) => listener?.Report(new TrainingProgress(
        row.Epoch, epochs, _before + _clips, (long)epochs * clipsPerEpoch, _seconds > 0 ? _clips / _seconds : 0, row));
}
