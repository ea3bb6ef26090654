namespace BirdResearch.Inference.Prediction;

/// <summary>A time that is predicted, with the interval in which 95 of 100 such times should lie.</summary>
/// <param name="Seconds">The best guess.</param>
/// <param name="Low">Lower end.</param>
/// <param name="High">Upper end.</param>
public readonly record struct TimeSpread(double Seconds, double Low, double High);

/// <summary>
/// What a row costs: seconds of one worker, measured while all of them work, for decoding and for each member. From it follows how long any set of
/// members takes for any number of rows. May be used from several threads at once.
/// </summary>
/// <param name="members">Number of members.</param>
/// <param name="workers">Workers that share the rows.</param>
public sealed class Pace(int members, int workers)
{
    // Machines drift (other work, heat) in ways that the spread of short measurements does not show; this much is allowed for.
    const double Drift = 0.03;

    /// <summary>The part that every row costs, whoever scores it.</summary>
    public const int Decoding = -1;

    readonly Tally[] _tallies = [.. Enumerable.Range(0, members + 1).Select(_ => new Tally())];
    readonly Lock _lock = new();

    /// <summary>Adds a measurement.</summary>
    /// <param name="member">A member's number, or <see cref="Decoding"/>.</param>
    /// <param name="rows">Rows of a stretch of sound.</param>
    /// <param name="seconds">What they took one worker.</param>
    public void Add(int member, int rows, double seconds)
    {
        lock (_lock) _tallies[member + 1].Add(rows, seconds);
    }

    /// <summary>A worker's seconds per row, or 0 where nothing was measured.</summary>
    public double PerRow(int member)
    {
        lock (_lock) return _tallies[member + 1].Mean;
    }

    /// <summary>How long all workers together take.</summary>
    /// <param name="rows">Rows for each part: decoding (<see cref="Decoding"/>) and members.</param>
    public TimeSpread Predict(IEnumerable<(int Member, long Rows)> rows)
    {
        var (mean, variance) = (0.0, 0.0);
        lock (_lock)
            foreach (var (member, count) in rows)
            {
                var tally = _tallies[member + 1];
                mean += tally.Mean * count;
                variance += tally.VarianceOfMean * count * count;
            }
        var half = 1.96 * Math.Sqrt(variance + (mean * mean * Drift * Drift));
        return new TimeSpread(mean / workers, Math.Max(0, mean - half) / workers, (mean + half) / workers);
    }

    /// <summary>Weighted mean of seconds per row with the variance of that mean (ratio estimator).</summary>
    sealed class Tally
    {
        double _rows, _seconds, _rows2, _cross, _seconds2;

        public int Count { get; private set; }

        public double Mean => _rows > 0 ? _seconds / _rows : 0;

        public double VarianceOfMean
        {
            get
            {
                if (Count == 0) return 0;
                if (Count == 1) return 0.25 * Mean * Mean;   // one measurement says little: half of it either way
                var residual = Math.Max(0, _seconds2 - (2 * Mean * _cross) + (Mean * Mean * _rows2));
                return residual * Count / (Count - 1) / (_rows * _rows);
            }
        }

        public void Add(int rows, double seconds)
        {
            Count++;
            _rows += rows;
            _seconds += seconds;
            _rows2 += (double)rows * rows;
            _cross += rows * seconds;
            _seconds2 += seconds * seconds;
        }
    }
}
