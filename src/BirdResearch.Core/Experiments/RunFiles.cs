using System.Globalization;
using BirdResearch.Claims;
using BirdResearch.Data;
using BirdResearch.Metrics;
using BirdResearch.Training;

namespace BirdResearch.Experiments;

/// <summary>The tables that a run leaves beside its record.</summary>
public static class RunFiles
{
    /// <summary>File of the last whole epoch, in the partial folder.</summary>
    public const string Checkpoint = "checkpoint.safetensors";

    /// <summary>The checkpoints in a folder: that of the training, and of those that came before it in rounds.</summary>
    public static IReadOnlyList<string> Checkpoints(string folder) => Directory.GetFiles(folder, "checkpoint*.safetensors");

    /// <summary>
    /// <c>sittings.csv</c> gains a line: who trains it from now on. What a predecessor that was cut off had half written goes.
    /// </summary>
    /// <param name="folder">The partial folder.</param>
    /// <param name="claim">The claim under which it is trained.</param>
    /// <param name="resumed">Whether it goes on from a checkpoint.</param>
    public static void Begin(string folder, Claim claim, bool resumed)
    {
        foreach (var torn in Directory.GetFiles(folder, "*.partial")) File.Delete(torn);
        var file = Path.Combine(folder, "sittings.csv");
        var (who, start) = (claim.Holder, File.Exists(file) ? "" : "claim,host,process,worker,started,resumed\n");
        File.AppendAllText(file, string.Create(CultureInfo.InvariantCulture,
            $"{start}{claim.Generation},{who.Host},{who.ProcessId},{who.Worker.Replace(',', ' ')},{DateTime.UtcNow:s}Z,{resumed}\n"));
    }

    /// <summary><c>epochs.csv</c>: a line per epoch; an empty cell was not measured.</summary>
    public static void WriteEpochs(string folder, IReadOnlyList<EpochRow> rows) =>
        CsvTable.Write(Path.Combine(folder, "epochs.csv"),
            ["epoch", "seconds", "clips", "learning_rate", "train_loss", "train_map", "focal_loss", "focal_map", "focal_auc", "waiting_share"],
            rows.Select(r => new object?[]
            {
                r.Epoch, r.Seconds, r.Clips, r.LearningRate, r.TrainLoss, r.TrainMap, r.FocalLoss, r.FocalMap, r.FocalAuc, r.WaitingShare,
            }));

    /// <summary><c>classes.csv</c>: a line per class; an empty cell is not defined.</summary>
    public static void WriteClasses(string folder, Dataset data, Split split, IReadOnlyDictionary<string, Evaluation> evaluations)
    {
        var (focal, soundscape) = (Columns("focal"), Columns("soundscape"));
        CsvTable.Write(Path.Combine(folder, "classes.csv"),
            ["class", "common_name", "train_recordings", "focal_support", "focal_ap", "focal_auc", "soundscape_support", "soundscape_ap", "soundscape_auc"],
            data.Classes.Select((name, c) => (object?[])
            [
                name, data.CommonNames.GetValueOrDefault(name, ""), split.Train.Count(clip => clip.Labels.Contains(name)),
                .. focal(c), .. soundscape(c),
            ]));

        Func<int, object?[]> Columns(string domain)
        {
            if (!evaluations.TryGetValue(domain, out var evaluation)) return _ => [null, null, null];
            var (precisions, areas) = (Ranking.AveragePrecisions(evaluation.Scores), Ranking.RocAucs(evaluation.Scores));
            return c => [evaluation.Scores.Positives(c), precisions[c].OrNull(), areas[c].OrNull()];
        }
    }

    /// <summary><c>pseudo_labels.csv</c>: a line per window and round that a model's labels were trained on, with the class that is heard best first.</summary>
    public static void WritePseudoLabels(string folder, IReadOnlyList<(int Round, PseudoLabel Label)> labels) =>
        CsvTable.Write(Path.Combine(folder, "pseudo_labels.csv"),
            ["round", "file", "start_seconds", "score", "members", "label"],
            labels.Select(l => (object?[])
            [
                l.Round, l.Label.Window.File, l.Label.Window.StartSeconds, l.Label.Score, l.Label.Members, string.Join(' ', l.Label.Window.Labels),
            ]));

    /// <summary><c>scores.&lt;domain&gt;.csv</c>: id, true classes, then a score per class.</summary>
    public static void WriteScores(string folder, Scores scores) =>
        CsvTable.Write(ScoresFile(folder, scores.Domain),
            ["id", "label", .. scores.Classes],
            Enumerable.Range(0, scores.Ids.Count).Select(r => (object?[])
            [
                scores.Ids[r],
                string.Join(' ', scores.Classes.Where((_, c) => scores.Truth[(r * scores.Classes.Count) + c])),
                .. Enumerable.Range(0, scores.Classes.Count).Select(c => (object)scores.Values[(r * scores.Classes.Count) + c]),
            ]));

    /// <summary>Place of the scores of a domain.</summary>
    public static string ScoresFile(string folder, string domain) => Path.Combine(folder, $"scores.{domain}.csv");

    /// <summary>Reads what <see cref="WriteScores"/> wrote.</summary>
    public static Scores ReadScores(string folder, string domain)
    {
        var file = ScoresFile(folder, domain);
        if (!File.Exists(file))
            throw new FileNotFoundException(
                $"'{folder}' has no scores.{domain}.csv. Scores are not committed: move the folder away and run the trial again to have them made.", file);
        var table = CsvTable.Read(file, "id", "label");
        string[] classes = [.. table.Header.Where(c => c is not ("id" or "label"))];
        var (truth, values) = (new bool[table.Rows.Count * classes.Length], new double[table.Rows.Count * classes.Length]);
        for (var r = 0; r < table.Rows.Count; r++)
        {
            var labels = table.Rows[r]["label"].Split(' ', StringSplitOptions.RemoveEmptyEntries).ToHashSet();
            for (var c = 0; c < classes.Length; c++)
            {
                truth[(r * classes.Length) + c] = labels.Contains(classes[c]);
                values[(r * classes.Length) + c] = table.Rows[r].Number64(classes[c]) ?? throw table.Rows[r].Wrong(classes[c], "is empty");
            }
        }
        return new Scores(domain, [.. table.Rows.Select(row => row.Text("id"))], classes, truth, values);
    }
}
