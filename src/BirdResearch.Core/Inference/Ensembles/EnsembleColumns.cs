namespace BirdResearch.Inference;

/// <summary>One class of one member, in the measure that is averaged.</summary>
static class EnsembleColumns
{
    /// <summary>Writes the member's N values of one class; NaN where it says nothing.</summary>
    public static void Fill(MemberScores member, int column, EnsembleRule rule, Span<double> values)
    {
        var logits = member.Logits;
        var classes = member.Classes;
        for (var r = 0; r < values.Length; r++) values[r] = logits[(r * classes) + column];
        if (rule == EnsembleRule.Probabilities)
            for (var r = 0; r < values.Length; r++) values[r] = MemberScores.Probability(values[r]);
        if (rule == EnsembleRule.Ranks && member.IsWhole) ToRanks(values);
        else if (rule == EnsembleRule.Ranks) ToRanksAmongSaid(values);
    }

    static void ToRanksAmongSaid(Span<double> values)
    {
        var said = new List<int>();
        for (var r = 0; r < values.Length; r++)
            if (!double.IsNaN(values[r])) said.Add(r);
        var part = new double[said.Count];
        for (var i = 0; i < part.Length; i++) part[i] = values[said[i]];
        ToRanks(part);
        for (var i = 0; i < part.Length; i++) values[said[i]] = part[i];
    }

    /// <summary>Replaces values by their places, from 0.5 / N for the lowest to 1 - 0.5 / N; equal values share the mean of their places.</summary>
    public static void ToRanks(Span<double> values)
    {
        var order = new int[values.Length];
        for (var i = 0; i < order.Length; i++) order[i] = i;
        var sorted = values.ToArray();
        Array.Sort(sorted, order);
        for (var first = 0; first < sorted.Length;)
        {
            var next = first + 1;
            while (next < sorted.Length && sorted[next] == sorted[first]) next++;
            var place = (first + next) / 2.0 / sorted.Length;   // the mean of first + 0.5 ... next - 0.5
            for (var i = first; i < next; i++) values[order[i]] = place;
            first = next;
        }
    }
}
