namespace BirdResearch.Inference;

/// <summary>
/// For each class c the score sigmoid(slope_c x log odds + offset_c) (Platt 1999, Probabilistic outputs for support vector machines). It
/// keeps the order within a class and moves classes against each other.
/// </summary>
public sealed record ClassCalibration
{
    const int Steps = 50;
    const double LeastSlope = 0.05;

    /// <summary>Factor on the log odds, above 0, for each class.</summary>
    public required IReadOnlyList<double> Slopes { get; init; }

    /// <summary>Added to the log odds, for each class.</summary>
    public required IReadOnlyList<double> Offsets { get; init; }

    /// <summary>
    /// Fits it to validation rows by maximum likelihood. First one slope and offset for all classes together; then each class's own, held to
    /// those by a quadratic penalty that weighs as much as <paramref name="shrinkage"/> positives. A class without positives keeps the common ones.
    /// </summary>
    /// <param name="scores">N x C scores in [0, 1], row-major.</param>
    /// <param name="truth">N x C labels, row-major.</param>
    /// <param name="classes">Number of classes C.</param>
    /// <param name="shrinkage">Strength of the penalty, 0 or more.</param>
    public static ClassCalibration Fit(ReadOnlySpan<float> scores, ReadOnlySpan<bool> truth, int classes, double shrinkage = 10)
    {
        if (scores.Length != truth.Length || scores.Length == 0 || scores.Length % classes != 0)
            throw new ArgumentException($"Calibration needs a label for each score, in rows of {classes} classes; there are {scores.Length} scores and {truth.Length} labels.");
        var odds = new double[scores.Length];
        for (var i = 0; i < odds.Length; i++) odds[i] = MemberScores.LogOdds(scores[i]);
        var labels = truth.ToArray();
        var common = labels.Contains(true) ? Newton(odds, labels, (1, 0), 1e-3) : (1, 0);
        var (slopes, offsets) = (new double[classes], new double[classes]);
        var rows = odds.Length / classes;
        for (var c = 0; c < classes; c++)
        {
            var column = new double[rows];
            var own = new bool[rows];
            for (var r = 0; r < rows; r++) (column[r], own[r]) = (odds[(r * classes) + c], labels[(r * classes) + c]);
            (slopes[c], offsets[c]) = own.Contains(true) ? Newton(column, own, common, shrinkage) : common;
        }
        return new ClassCalibration { Slopes = slopes, Offsets = offsets };
    }

    /// <summary>Calibrates N x C scores, row-major, in place.</summary>
    public void Apply(Span<float> scores, int classes)
    {
        if (Slopes.Count != classes) throw new ArgumentException($"The calibration is for {Slopes.Count} classes, but there are {classes}.");
        for (var i = 0; i < scores.Length; i++)
            scores[i] = (float)MemberScores.Probability((Slopes[i % classes] * MemberScores.LogOdds(scores[i])) + Offsets[i % classes]);
    }

    /// <summary>Throws where it is none.</summary>
    public void Check()
    {
        if (Slopes.Count != Offsets.Count || Slopes.Any(s => s is not (> 0 and < double.PositiveInfinity)) || !Offsets.All(double.IsFinite))
            throw new ArgumentException("The calibration needs a slope above 0 and a finite offset for each class.");
    }

    /// <summary>Minimises sum log(1 + exp(-+(a z + b))) + k/2 ((a - a0)^2 + (b - b0)^2), which is convex, by damped Newton steps.</summary>
    static (double Slope, double Offset) Newton(double[] odds, bool[] truth, (double Slope, double Offset) prior, double k)
    {
        var (a, b) = prior;
        var loss = Loss(odds, truth, a, b, prior, k);
        for (var step = 0; step < Steps; step++)
        {
            var (ga, gb, haa, hab, hbb) = (k * (a - prior.Slope), k * (b - prior.Offset), k + 1e-9, 0.0, k + 1e-9);
            for (var i = 0; i < odds.Length; i++)
            {
                var p = MemberScores.Probability((a * odds[i]) + b);
                var (error, curve) = (p - (truth[i] ? 1 : 0), p * (1 - p));
                ga += error * odds[i];
                gb += error;
                haa += curve * odds[i] * odds[i];
                hab += curve * odds[i];
                hbb += curve;
            }
            var determinant = (haa * hbb) - (hab * hab);
            if (determinant <= 0) break;
            var (da, db) = (((hbb * ga) - (hab * gb)) / determinant, ((haa * gb) - (hab * ga)) / determinant);
            var moved = false;
            for (var damping = 1.0; damping > 1e-4 && !moved; damping /= 2)
            {
                var (na, nb) = (Math.Max(LeastSlope, a - (damping * da)), b - (damping * db));
                var next = Loss(odds, truth, na, nb, prior, k);
                if (next >= loss) continue;
                moved = loss - next > 1e-10 * Math.Abs(loss);
                (a, b, loss) = (na, nb, next);
                if (!moved) return (a, b);
            }
            if (!moved) break;
        }
        return (a, b);
    }

    static double Loss(double[] odds, bool[] truth, double a, double b, (double Slope, double Offset) prior, double k)
    {
        var sum = k / 2 * (((a - prior.Slope) * (a - prior.Slope)) + ((b - prior.Offset) * (b - prior.Offset)));
        for (var i = 0; i < odds.Length; i++)
        {
            var z = (a * odds[i]) + b;
            sum += Math.Max(z, 0) - (truth[i] ? z : 0) + Math.Log(1 + Math.Exp(-Math.Abs(z)));
        }
        return sum;
    }
}
