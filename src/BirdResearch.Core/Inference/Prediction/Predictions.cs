using BirdResearch.Inference.Submission;

namespace BirdResearch.Inference.Prediction;

/// <summary>What each member said of each row: probabilities in the columns of the plan. Different rows may be filled from several threads at once.</summary>
public sealed class Predictions
{
    readonly float[][] _scores;   // per member: rows x columns
    readonly bool[][] _scored;    // per member: rows
    readonly int[][] _columns;    // per member: column of each of its classes, or -1

    /// <param name="plan">Rows and columns.</param>
    /// <param name="members">Who scores; one that knows no column is an error that names it.</param>
    public Predictions(SubmissionPlan plan, IReadOnlyList<Member> members)
    {
        if (members.Count == 0) throw new ArgumentException("A prediction needs at least one model.");
        (Plan, Members) = (plan, members);
        var place = plan.Columns.Select((name, i) => (name, i)).ToDictionary(c => c.name, c => c.i);
        _columns = [.. members.Select(m => m.Model.Card.Classes.Select(c => place.GetValueOrDefault(c, -1)).ToArray())];
        for (var m = 0; m < members.Count; m++)
            if (_columns[m].All(c => c < 0))
                throw new ArgumentException(
                    $"{members[m].Name} knows none of the {plan.Columns.Count} columns ({string.Join(", ", plan.Columns.Take(5))} ...); " +
                    $"its classes are {string.Join(", ", members[m].Model.Card.Classes.Take(5))} ...");
        _scores = [.. members.Select(_ => new float[plan.Rows.Count * plan.Columns.Count])];
        _scored = [.. members.Select(_ => new bool[plan.Rows.Count])];
        Prior = PriorOf(plan, members, _columns);
    }

    /// <summary>Rows and columns.</summary>
    public SubmissionPlan Plan { get; }

    /// <summary>Who scores.</summary>
    public IReadOnlyList<Member> Members { get; }

    /// <summary>Columns that no member knows.</summary>
    public IReadOnlyList<string> UnknownColumns =>
        [.. Plan.Columns.Where((_, c) => !_columns.Any(known => known.Contains(c)))];

    /// <summary>What a row of sound that nobody heard gets: the mean of the members' class shares in training.</summary>
    public IReadOnlyList<float> Prior { get; }

    /// <summary>Whether a member has scored a row.</summary>
    public bool IsScored(int member, int row) => _scored[member][row];

    /// <summary>A member's probabilities of a row; of no meaning where it has not scored it.</summary>
    public ReadOnlySpan<float> Of(int member, int row) => _scores[member].AsSpan(row * Plan.Columns.Count, Plan.Columns.Count);

    /// <summary>Whether a member knows a column.</summary>
    public bool Knows(int member, int column) => _columns[member].Contains(column);

    /// <summary>Keeps what a member says of a row, in the order of its own classes.</summary>
    public void Set(int member, int row, ReadOnlySpan<float> probabilities)
    {
        var to = _scores[member].AsSpan(row * Plan.Columns.Count, Plan.Columns.Count);
        var columns = _columns[member];
        for (var c = 0; c < columns.Length; c++)
            if (columns[c] >= 0) to[columns[c]] = probabilities[c];
        Volatile.Write(ref _scored[member][row], true);
    }

    /// <summary>Puts back what <see cref="Of"/> gave in an earlier run.</summary>
    internal void Restore(int member, int row, ReadOnlySpan<float> columns)
    {
        columns.CopyTo(_scores[member].AsSpan(row * Plan.Columns.Count, Plan.Columns.Count));
        Volatile.Write(ref _scored[member][row], true);
    }

    static float[] PriorOf(SubmissionPlan plan, IReadOnlyList<Member> members, int[][] columns)
    {
        var (sums, weights) = (new double[plan.Columns.Count], new double[plan.Columns.Count]);
        for (var m = 0; m < members.Count; m++)
            for (var c = 0; c < columns[m].Length; c++)
                if (columns[m][c] is >= 0 and var at)
                {
                    sums[at] += members[m].Model.Card.Prior[c];
                    weights[at]++;
                }
        return [.. sums.Select((sum, c) => weights[c] > 0 ? (float)Math.Clamp(sum / weights[c], 0, 1) : 0)];
    }
}
