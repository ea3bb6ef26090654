using BirdResearch.Data;
using BirdResearch.Metrics;

namespace BirdResearch.Training;

/// <summary>A window of a soundscape with the labels that models gave it.</summary>
/// <param name="Window">The window, labelled, to be trained on like any clip.</param>
/// <param name="Score">The members' mean score of its first label.</param>
/// <param name="Members">Members that hear its first label.</param>
public sealed record PseudoLabel(Clip Window, double Score, int Members)
{
    /// <summary>
    /// The windows in which a class is heard, in their order: a class is heard where enough members give it a score of at least the threshold. Labels are
    /// those classes, by falling mean score.
    /// </summary>
    /// <param name="windows">What was scored.</param>
    /// <param name="members">Each member's scores of all windows, in their order.</param>
    /// <param name="settings">How many must agree, and whether targets are scores.</param>
    /// <param name="threshold">Least score.</param>
    public static IReadOnlyList<PseudoLabel> Of(IReadOnlyList<Clip> windows, IReadOnlyList<Scores> members, PseudoLabelSettings settings, double threshold)
    {
        var classes = members[0].Classes;
        var labels = new List<PseudoLabel>();
        for (var w = 0; w < windows.Count; w++)
        {
            var at = w * classes.Count;
            double MeanOf(int c) => members.Average(m => m.Values[at + c]);
            int Hearing(int c) => members.Count(m => m.Values[at + c] >= threshold);
            int[] heard = [.. Enumerable.Range(0, classes.Count).Where(c => Hearing(c) >= settings.Agree).OrderByDescending(MeanOf)];
            if (heard.Length == 0) continue;
            labels.Add(new(
                windows[w] with
                {
                    Labels = [.. heard.Select(c => classes[c])],
                    Targets = settings.Soft ? [.. Enumerable.Range(0, classes.Count).Select(c => (float)MeanOf(c))] : null,
                },
                MeanOf(heard[0]), Hearing(heard[0])));
        }
        return labels;
    }
}
