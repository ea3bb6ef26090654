using System.Diagnostics;

namespace BirdResearch.Training;

/// <summary>Counts clips and tells the listener how far the training is.</summary>
sealed class Pace(BudgetMeter meter, IReadOnlyList<EpochRow> rows, IProgress<TrainingProgress>? listener)
{
    readonly Stopwatch _sinceReport = Stopwatch.StartNew();
    readonly long _before = rows.Sum(r => r.Clips);
    readonly double _secondsBefore = rows.Sum(r => r.Seconds);
    long _clips;
    double _seconds;

    public void Add(long clips, double seconds) => (_clips, _seconds) = (_clips + clips, _seconds + seconds);

    public void Report(int epoch, long clips, double seconds)
    {
        if (_sinceReport.ElapsedMilliseconds < 200) return;
        _sinceReport.Restart();
        listener?.Report(Progress(epoch + 1, _before + _clips + clips, _secondsBefore + _seconds + seconds, (_clips + clips) / (_seconds + seconds), null));
    }

    public void Report(EpochRow row) =>
        listener?.Report(Progress(row.Epoch, _before + _clips, _secondsBefore + _seconds, _seconds > 0 ? _clips / _seconds : 0, row));

    TrainingProgress Progress(int epoch, long clips, double seconds, double clipsPerSecond, EpochRow? row)
    {
        var share = meter.Share(clips, seconds);
        return new(epoch, meter.Epochs(rows), clips, meter.Clips ?? (share > 0 ? (long)(clips / share) : clips), clipsPerSecond, row);
    }
}
