using System.CommandLine;
using System.Globalization;
using BirdResearch.Inference.Submission;
using BirdResearch.Metrics;

namespace BirdResearch.Cli.Verbs;

/// <summary><c>bird score SUBMISSION --truth FILE</c>: the metrics of a submission.</summary>
public static class ScoreVerb
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var submission = new Argument<string>("SUBMISSION") { Description = "CSV with row_id and a probability per class" };
        var truth = new Option<string>("--truth") { Description = "CSV with row_id and 0 or 1 per class, or row_id and birds (codes, or nocall)", Required = true };
        var classes = new Option<bool>("--classes") { Description = "Also a line per class" };
        return new Command("score",
            """
            Scores a submission against the truth, rows joined by id: BirdCLEF 2024's macro ROC-AUC over classes with positives, macro mAP (cmAP) and others.

            Example:
              bird score submission.csv --truth birds/soundscape_truth.csv
            """)
        { submission, truth, classes }.Does((p, _) =>
        {
            var scores = SubmissionScoring.Join(p.GetRequiredValue(submission), p.GetRequiredValue(truth));
            var scored = Enumerable.Range(0, scores.Classes.Count).Count(c => scores.Positives(c) > 0);
            Screen.Line($"{scores.Ids.Count} rows; {scored} of {scores.Classes.Count} classes have positives, {scored} count");
            Screen.Table(["metric", "value>"],
            [
                ["macro ROC-AUC (BirdCLEF 2024)", Number(Ranking.MacroRocAuc(scores))],
                ["cmAP (macro mAP)", Number(Ranking.MeanAveragePrecision(scores))],
                ["padded cmAP (BirdCLEF 2023)", Number(Ranking.PaddedMeanAveragePrecision(scores))],
                ["micro mAP", Number(Ranking.MicroMeanAveragePrecision(scores))],
            ]);
            if (!p.GetValue(classes)) return 0;
            var (precisions, areas) = (Ranking.AveragePrecisions(scores), Ranking.RocAucs(scores));
            Screen.Table(["class", "positives>", "ROC-AUC>", "AP>"], scores.Classes.Select((name, c) => (IReadOnlyList<string>)
                [name, $"{scores.Positives(c)}", Number(areas[c]), Number(precisions[c])]));
            return 0;
        });
    }

    static string Number(double value) => double.IsNaN(value) ? "" : value.ToString("0.0000", CultureInfo.InvariantCulture);
}
