namespace BirdResearch.Metrics;

/// <summary>How well scores put the true before the false: average precision and the area under the ROC curve, in double.</summary>
public static class Ranking
{
    /// <summary>
    /// Average precision over distinct scores, <c>AP = sum_n (R_n - R_(n-1)) P_n</c> as scikit-learn has it: equal scores move together,
    /// nothing is interpolated. NaN when nothing is true.
    /// </summary>
    public static double AveragePrecision(ReadOnlySpan<bool> truth, ReadOnlySpan<double> scores)
    {
        var (labels, values, positives) = Ascending(truth, scores);
        if (positives == 0) return double.NaN;
        var sum = 0.0;
        long seen = 0, found = 0;
        for (var i = values.Length - 1; i >= 0;)
        {
            var tied = values[i];
            var before = found;
            for (; i >= 0 && values[i] == tied; i--, seen++)
                if (labels[i]) found++;
            if (found > before) sum += (double)(found - before) * found / seen;
        }
        return sum / positives;
    }

    /// <summary>
    /// Area under the ROC curve: the share of (true, false) pairs in which the true one scores higher, a tie counting one half.
    /// NaN unless both labels occur.
    /// </summary>
    public static double RocAuc(ReadOnlySpan<bool> truth, ReadOnlySpan<double> scores)
    {
        var (labels, values, positives) = Ascending(truth, scores);
        long negatives = values.Length - positives, below = 0;
        if (positives == 0 || negatives == 0) return double.NaN;
        var won = 0.0;
        for (var i = 0; i < values.Length;)
        {
            var tied = values[i];
            long tiedTrue = 0, tiedFalse = 0;
            for (; i < values.Length && values[i] == tied; i++)
                if (labels[i]) tiedTrue++;
                else tiedFalse++;
            won += tiedTrue * (below + 0.5 * tiedFalse);
            below += tiedFalse;
        }
        return won / ((double)positives * negatives);
    }

    /// <summary>Average precision of each class, in the order of <see cref="Scores.Classes"/>; NaN for a class without positives.</summary>
    public static double[] AveragePrecisions(Scores scores) => PerClass(scores, AveragePrecision);

    /// <summary>ROC-AUC of each class, in the order of <see cref="Scores.Classes"/>; NaN for a class that lacks a label.</summary>
    public static double[] RocAucs(Scores scores) => PerClass(scores, RocAuc);

    /// <summary>Macro mAP (cmAP): the mean average precision of the classes that have positives. NaN when none has.</summary>
    public static double MeanAveragePrecision(Scores scores) => MeanOfDefined(AveragePrecisions(scores));

    /// <summary>Micro mAP: the average precision of all cells of the matrix as one list. NaN when nothing is true.</summary>
    public static double MicroMeanAveragePrecision(Scores scores) => AveragePrecision(scores.Truth, scores.Values);

    /// <summary>Sample mAP: the mean over rows that have positives of the average precision across classes. NaN when no row has.</summary>
    public static double SampleMeanAveragePrecision(Scores scores)
    {
        var classes = scores.Classes.Count;
        var perRow = new double[scores.Ids.Count];
        for (var row = 0; row < perRow.Length; row++)
            perRow[row] = AveragePrecision(scores.Truth.Slice(row * classes, classes), scores.Values.Slice(row * classes, classes));
        return MeanOfDefined(perRow);
    }

    /// <summary>
    /// Padded cmAP of BirdCLEF 2023: before the macro mean over all classes, each class gets <paramref name="rows"/> rows more, true and
    /// with score 1, so that rare classes weigh less and empty ones count. The values should be probabilities, at most 1.
    /// </summary>
    public static double PaddedMeanAveragePrecision(Scores scores, int rows = 5) =>
        MeanOfDefined(PaddedAveragePrecisions(scores, rows));

    /// <summary>The class-wise average precisions behind <see cref="PaddedMeanAveragePrecision"/>.</summary>
    public static double[] PaddedAveragePrecisions(Scores scores, int rows = 5)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        return PerClass(scores, (truth, values) =>
        {
            var paddedTruth = new bool[truth.Length + rows];
            var paddedValues = new double[values.Length + rows];
            truth.CopyTo(paddedTruth);
            values.CopyTo(paddedValues);
            paddedTruth.AsSpan(truth.Length).Fill(true);
            paddedValues.AsSpan(values.Length).Fill(1);
            return AveragePrecision(paddedTruth, paddedValues);
        });
    }

    /// <summary>
    /// Macro ROC-AUC of BirdCLEF 2024: the mean over the classes that have positives. NaN when one of these has nothing but positives,
    /// where the official code stops with an error, and when no class has positives.
    /// </summary>
    public static double MacroRocAuc(Scores scores)
    {
        var withPositives = RocAucs(scores).Where((_, index) => scores.Positives(index) > 0).ToArray();
        return withPositives.Length == 0 ? double.NaN : withPositives.Average();
    }

    /// <summary>Macro ROC-AUC over the classes where both labels occur, for sets where <see cref="MacroRocAuc"/> is undefined.</summary>
    public static double MacroRocAucOfMixedClasses(Scores scores) => MeanOfDefined(RocAucs(scores));

    /// <summary>
    /// Share of rows whose one true class scores highest; of equal scores the class that comes first is taken. NaN without rows.
    /// A row that has not exactly one true class is an error.
    /// </summary>
    public static double Accuracy(Scores scores)
    {
        int classes = scores.Classes.Count, rows = scores.Ids.Count, right = 0;
        for (var row = 0; row < rows; row++)
        {
            var truth = scores.Truth.Slice(row * classes, classes);
            var values = scores.Values.Slice(row * classes, classes);
            if (truth.Count(true) != 1)
                throw new ArgumentException(
                    $"Accuracy needs one true class per row, but row '{scores.Ids[row]}' ({scores.Domain}) has {truth.Count(true)}: " +
                    "use mAP or ROC-AUC for clips with several labels or none.");
            var best = 0;
            for (var i = 1; i < classes; i++)
                if (values[i] > values[best]) best = i;
            if (truth[best]) right++;
        }
        return rows == 0 ? double.NaN : (double)right / rows;
    }

    delegate double ColumnMetric(ReadOnlySpan<bool> truth, ReadOnlySpan<double> values);

    static double[] PerClass(Scores scores, ColumnMetric metric)
    {
        int classes = scores.Classes.Count, rows = scores.Ids.Count;
        var truth = new bool[rows];
        var values = new double[rows];
        var results = new double[classes];
        for (var column = 0; column < classes; column++)
        {
            for (var row = 0; row < rows; row++)
                (truth[row], values[row]) = (scores.Truth[row * classes + column], scores.Values[row * classes + column]);
            results[column] = metric(truth, values);
        }
        return results;
    }

    static double MeanOfDefined(double[] values)
    {
        var defined = values.Where(v => !double.IsNaN(v)).ToArray();
        return defined.Length == 0 ? double.NaN : defined.Average();
    }

    static (bool[] Labels, double[] Values, long Positives) Ascending(ReadOnlySpan<bool> truth, ReadOnlySpan<double> scores)
    {
        if (truth.Length != scores.Length)
            throw new ArgumentException($"Each score needs its label: there are {truth.Length} labels and {scores.Length} scores.");
        for (var i = 0; i < scores.Length; i++)
            if (double.IsNaN(scores[i]))
                throw new ArgumentException($"Score {i} of {scores.Length} is NaN and cannot be ranked: the model has diverged.");
        var (labels, values) = (truth.ToArray(), scores.ToArray());
        Array.Sort(values, labels);
        return (labels, values, labels.AsSpan().Count(true));
    }
}
