using System.Globalization;

namespace BirdResearch.Experiments;

/// <summary>What is said of trials and runs while they are worked on.</summary>
public static class RunWords
{
    /// <summary>A trial in a line: model, front-end, fold and seed, and the arm's name where it has one.</summary>
    public static string Label(Trial trial) =>
        $"{trial.Model} {trial.FrontEnd}{(trial.Label == "" ? "" : $" {trial.Label}")}{(trial.Fold is { } fold ? $" f{fold}" : "")} s{trial.Seed}";

    /// <summary>A run's mAP in every held-out domain.</summary>
    public static string Score(RunRecord record) => string.Join(", ", record.Scores.Where(s => s.Key != "train" && s.Value.Map is not null)
        .Select(s => string.Create(CultureInfo.InvariantCulture, $"{s.Key} mAP {s.Value.Map:0.000}")));

    /// <summary>Seconds that are left, in seconds or minutes.</summary>
    public static string Left(double seconds) => seconds < 90 ? $"{seconds:0} s left" : string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:0.0} min left");
}
