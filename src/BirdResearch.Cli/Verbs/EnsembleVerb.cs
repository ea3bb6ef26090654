using System.CommandLine;
using System.Globalization;
using BirdResearch.Audio;
using BirdResearch.Experiments;
using BirdResearch.Inference;
using BirdResearch.Inference.Prediction;
using BirdResearch.Inference.Submission;
using BirdResearch.Metrics;
using BirdResearch.Naming;

namespace BirdResearch.Cli.Verbs;

/// <summary><c>bird ensemble RUN...</c>: which models together, with which weights, within the time that there is.</summary>
public static class EnsembleVerb
{
    static readonly string[] _methods = ["greedy", "optimised", "alike"];

    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var runs = new Argument<string[]>("RUN") { Description = "Finished runs: folders, names, or parts of a name that no other run has", Arity = ArgumentArity.OneOrMore };
        var test = new Option<string?>("--test") { Description = "Folder of recordings to measure the time on (default: noise)" };
        var budget = new Option<string>("--budget") { Description = "Time for the whole test", DefaultValueFactory = _ => "120m" };
        var files = new Option<int>("--files") { Description = "Recordings of the test", DefaultValueFactory = _ => 1100 };
        var minutes = new Option<double>("--minutes") { Description = "Minutes of each of them", DefaultValueFactory = _ => 4 };
        var metric = new Option<EnsembleMetric>("--metric") { Description = "What is maximised: MeanAveragePrecision or RocAuc", DefaultValueFactory = _ => EnsembleMetric.RocAuc };
        var rule = new Option<EnsembleRule>("--rule") { Description = "What is averaged: probabilities, logits or ranks" };
        var weights = new Option<string>("--weights") { Description = "How weights are found: " + string.Join(", ", _methods), DefaultValueFactory = _ => "greedy" };
        var classWeights = new Option<double?>("--class-weights") { Description = "Weights for each class, shrunk towards the common ones by this many positives, such as 30" };
        var calibrate = new Option<bool>("--calibrate") { Description = "Calibrates each class on the validation rows" };
        var seconds = new Option<double>("--seconds") { Description = "How long to measure the time", DefaultValueFactory = _ => 30 };
        var workers = new Option<int?>("--workers") { Description = "Workers that decode and score side by side (default: one per core)" };
        var output = new Option<string>("--out") { Description = "The ensemble", DefaultValueFactory = _ => "ensemble.json" };
        return new Command("ensemble",
            """
            Chooses members for an ensemble under a budget of time. Runs that differ in their fold alone are one candidate, validated on every recording
            by the run that held it out. Each candidate's time is measured; of all subsets that fit, the one with the best validated score is taken, its
            weights fitted on the validation rows. Nothing is chosen by test recordings; what labelled soundscapes give is told at the end.

            A run with a model.onnx ('bird export') is measured both by onnxruntime and by torch, and the faster is taken.

            Examples:
              bird ensemble tf_efficientnet_b0.mel.birds.f0 tsresnet18.mel.birds.f0
              bird ensemble results/models/*.birds.* --test birds/soundscapes --budget 100m --out ensemble.json
            """)
        { runs, test, budget, files, minutes, metric, rule, weights, classWeights, calibrate, seconds, workers, output }.Does((p, cancellation) =>
        {
            var method = p.GetRequiredValue(weights);
            if (!_methods.Contains(method)) throw new ArgumentException(NearNames.Unknown("way to find weights", method, _methods));
            var limit = TimeText.Parse(p.GetRequiredValue(budget), "--budget").TotalSeconds;
            if (p.GetValue(files) < 1) throw new ArgumentException($"--files is {p.GetValue(files)}; it must be at least 1.");
            if (p.GetValue(minutes) is not (> 0 and < 1e5)) throw new ArgumentException($"--minutes is {p.GetValue(minutes)}; it must be above 0.");
            var notes = new List<string>();
            var store = RunStore.Open();
            var candidates = EnsembleCandidates.Of([.. p.GetRequiredValue(runs).Where(IsRunOrName).Select(store.FolderNamed).Distinct()], notes);
            foreach (var note in notes) Screen.Warn(note);
            var members = ValidatedMembers.Of([.. candidates.Select(c => (c.Name, c.Validation))]);
            Screen.Line($"{candidates.Count} candidates of {candidates.Sum(c => c.Folders.Count)} runs, validated on {members.Rows} recordings of {members.Classes} classes");

            Screen.Line($"Measuring their time for {p.GetValue(seconds).ToString(CultureInfo.InvariantCulture)} s ...");
            var settings = new PredictorSettings { Workers = p.GetValue(workers) ?? Environment.ProcessorCount };
            var timed = Timed(candidates, p.GetValue(test), settings, p.GetValue(seconds), cancellation);
            var rowsPerFile = Math.Ceiling((p.GetValue(minutes) * 60 / 5) - 1e-6);
            double[] perFile = [.. timed.Members.Select(m => m.PerRow * rowsPerFile / settings.Workers)];
            var decoding = timed.Decoding * rowsPerFile / settings.Workers;
            var room = (limit / p.GetValue(files)) - decoding;

            var (kind, by) = (p.GetValue(rule), p.GetValue(metric));
            FittedWeights Fit(ValidatedMembers some) => method switch
            {
                "greedy" => EnsembleFitting.Greedy(some, kind, by),
                "optimised" => EnsembleFitting.Optimised(some, kind, by),
                _ => EnsembleFitting.Alike(some, kind, by),
            };
            var choice = BudgetChoice.Choose(members, perFile, room, new BudgetSettings { Rule = kind, Metric = by, Fit = Fit });
            ShowCandidates(candidates, members, perFile, p.GetValue(files), by);
            ShowFront(choice, decoding, p.GetValue(files), limit);
            ShowCorrelation(candidates, members);
            if (choice.Best is not { } best)
                throw new InvalidOperationException($"No candidate fits into {TimeText.Of(limit)}: decoding alone takes {TimeText.Of(decoding * p.GetValue(files))}. Raise --budget or train smaller models.");

            var chosen = members.Only([.. best.Members.Select(name => members.Names.ToList().IndexOf(name))]);
            var ensemble = new Ensemble
            {
                Rule = kind,
                Members = best.Members,
                Weights = best.Weights,
                ClassWeights = p.GetValue(classWeights) is { } shrinkage ? EnsembleFitting.ClassWeights(chosen, kind, best.Weights, shrinkage) : null,
            };
            if (p.GetValue(calibrate))
                ensemble = ensemble with { PostProcessing = new() { Calibration = ClassCalibration.Fit(ensemble.Combine(chosen.Members), chosen.Truth, chosen.Classes) } };
            Write(p.GetRequiredValue(output), ensemble, best, candidates, timed.Members, perFile, chosen, kind, by);
            ShowCrossFitted(chosen, candidates[0].Folds, kind, by, Fit);
            ShowSoundscapes(ensemble, candidates);
            return 0;
        });
    }

    // A glob of the shell also names reports and unfinished runs.
    static bool IsRunOrName(string text) => !text.EndsWith(".partial", StringComparison.Ordinal) && (!File.Exists(text) && (!Directory.Exists(text) || File.Exists(Path.Combine(text, "run.json"))));

    /// <summary>Measures every model with all workers busy; of the two forms of a run the faster is kept.</summary>
    static (IReadOnlyList<(IReadOnlyList<string> Files, double PerRow)> Members, double Decoding) Timed(
        IReadOnlyList<EnsembleCandidate> candidates, string? test, PredictorSettings settings, double seconds, CancellationToken cancellation)
    {
        // Models of one candidate have one shape; the first fold speaks for all.
        var forms = candidates.Select(c => Forms(c.Folders[0])).ToList();
        using var noise = test is null ? new Noise() : null;
        var folder = TestFolder.Open(test ?? noise!.Path, cancellation: cancellation);
        using var opened = MemberFiles.Open([.. forms.SelectMany(f => f)], allowTwoForms: true);
        var pace = Rehearsal.Run(folder, opened.All, settings, 5, seconds, 24, cancellation);
        var (at, members) = (0, new List<(IReadOnlyList<string>, double)>());
        for (var c = 0; c < candidates.Count; c++)
        {
            var first = at;
            var fastest = Enumerable.Range(first, forms[c].Count).MinBy(m => pace.PerRow(m));
            var isOnnx = forms[c][fastest - first].EndsWith(".onnx", StringComparison.Ordinal);
            members.Add(([.. candidates[c].Folders.Select(f => isOnnx && File.Exists(Path.Combine(f, RunExport.FileName)) ? Path.Combine(f, RunExport.FileName) : f)],
                pace.PerRow(fastest) * candidates[c].Folders.Count));
            at += forms[c].Count;
        }
        return (members, pace.PerRow(Pace.Decoding));
    }

    static IReadOnlyList<string> Forms(string folder) =>
        File.Exists(Path.Combine(folder, RunExport.FileName)) ? [Path.Combine(folder, RunExport.FileName), folder] : [folder];

    static void Write(
        string path, Ensemble ensemble, EnsemblePoint best, IReadOnlyList<EnsembleCandidate> candidates, IReadOnlyList<(IReadOnlyList<string> Files, double PerRow)> timed,
        double[] perFile, ValidatedMembers chosen, EnsembleRule rule, EnsembleMetric metric)
    {
        var here = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var entries = ensemble.Members.Select((name, i) =>
        {
            var c = candidates.ToList().FindIndex(x => x.Name == name);
            int[] others = [.. Enumerable.Range(0, ensemble.Members.Count).Where(m => m != i)];
            var without = others.Length == 0 ? 0 : EnsembleFitting.Alike(chosen.Only(others), rule, metric).Score;
            return new EnsembleMember(name, [.. timed[c].Files.Select(f => Path.GetRelativePath(here, f))], Math.Max(1e-4, best.Score - without), perFile[c]);
        }).ToList();
        new EnsembleFile(entries, candidates[0].Validation.Classes, ensemble, Name(metric), best.Score).Write(path);
        Screen.Line($"{path}: {string.Join(" + ", ensemble.Members.Select((name, i) => $"{ensemble.WeightsOf(0)[i].ToString("0.00", CultureInfo.InvariantCulture)} {name}"))}, validated {Name(metric)} {Number(best.Score)}");
    }

    static void ShowCandidates(IReadOnlyList<EnsembleCandidate> candidates, ValidatedMembers members, double[] perFile, int files, EnsembleMetric metric) =>
        Screen.Table(["candidate", "models>", "validated ROC-AUC>", "mAP>", "whole test>"], candidates.Select((c, i) => (IReadOnlyList<string>)
            [c.Name, $"{c.Folders.Count}", Number(Ranking.MacroRocAucOfMixedClasses(c.Validation)), Number(Ranking.MeanAveragePrecision(c.Validation)), TimeText.Of(perFile[i] * files)]));

    static void ShowFront(BudgetChoice choice, double decoding, int files, double limit)
    {
        Screen.Line($"Score against time, {choice.Tried} subsets tried{(choice.IsExact ? " (all)" : "")}; no other ensemble is better in both:");
        Screen.Table(["minutes>", "score>", "fits", "members"], choice.Front.Select(f => (IReadOnlyList<string>)
        [
            ((f.SecondsPerFile + decoding) * files / 60).ToString("0.0", CultureInfo.InvariantCulture), Number(f.Score),
            ReferenceEquals(f, choice.Best) ? "chosen" : (f.SecondsPerFile + decoding) * files <= limit ? "yes" : "no",
            string.Join(" + ", f.Members.Select((m, i) => $"{f.Weights[i].ToString("0.00", CultureInfo.InvariantCulture)} {m}")),
        ]));
    }

    static void ShowCorrelation(IReadOnlyList<EnsembleCandidate> candidates, ValidatedMembers members)
    {
        if (candidates.Count < 2) return;
        var (pearson, spearman) = (MemberCorrelation.Pearson(members.Members), MemberCorrelation.Spearman(members.Members));
        Screen.Line("Correlation of log odds (of ranks) between members, mean over classes:");
        Screen.Table(["", .. candidates.Select((_, i) => $"{i + 1}>")], candidates.Select((c, a) => (IReadOnlyList<string>)
            [$"{a + 1} {c.Name}", .. candidates.Select((_, b) => a == b ? "" : $"{pearson[a, b].ToString("0.00", CultureInfo.InvariantCulture)} ({spearman[a, b].ToString("0.00", CultureInfo.InvariantCulture)})")]));
    }

    /// <summary>Weights that are fitted to the rows they are judged by flatter; these are fitted without the fold that they are judged by.</summary>
    static void ShowCrossFitted(ValidatedMembers chosen, IReadOnlyList<int> folds, EnsembleRule rule, EnsembleMetric metric, Func<ValidatedMembers, FittedWeights> fit)
    {
        if (chosen.Names.Count < 2 || folds.Distinct().Count() < 2) return;
        var fair = EnsembleFitting.CrossFitted(chosen, folds, metric, some => new Ensemble { Rule = rule, Members = some.Names, Weights = fit(some).Weights });
        Screen.Line($"With weights fitted fold by fold to the other folds, a fairer figure: {Name(metric)} {Number(fair)}; the members alone " +
            $"{string.Join(", ", chosen.Names.Select((name, i) => $"{Number(EnsembleFitting.Alike(chosen.Only([i]), rule, metric).Score)} {name}"))}.");
    }

    /// <summary>What the ensemble and each post-processing give on labelled soundscapes: test rows, by which nothing was chosen.</summary>
    static void ShowSoundscapes(Ensemble ensemble, IReadOnlyList<EnsembleCandidate> candidates)
    {
        var chosen = ensemble.Members.Select(name => candidates.Single(c => c.Name == name)).ToList();
        if (chosen.Any(c => c.Soundscape is null) || !chosen[0].Soundscape!.Truth.Contains(true)) return;
        var first = chosen[0].Soundscape!;
        MemberScores[] said = [.. chosen.Select(c => MemberScores.FromScores(c.Name, c.Soundscape!))];
        var recordings = RecordingRows.Of([.. first.Ids.Select(id => id[..id.LastIndexOf('_')])]);
        Screen.Line("On the labelled soundscapes (told, not chosen by):");
        Screen.Table(["", "ROC-AUC>", "cmAP>"],
        [
            .. chosen.Select(c => Row(c.Name, c.Soundscape!)),
            Row("ensemble", ensemble.PostProcessing),
            Row("  with neighbours smoothed", ensemble.PostProcessing with { Smoothing = new() }),
            Row("  with file boost", ensemble.PostProcessing with { FileBoost = new() }),
            Row("  with both", ensemble.PostProcessing with { Smoothing = new(), FileBoost = new() }),
        ]);

        IReadOnlyList<string> Row(string what, object scored)
        {
            var scores = scored as Scores ?? new Scores("soundscape", first.Ids, first.Classes, first.Truth.ToArray(),
                [.. (ensemble with { PostProcessing = (PostProcessing)scored }).Combine(said, recordings).Select(x => (double)x)]);
            return [what, Number(Ranking.MacroRocAuc(scores)), Number(Ranking.MeanAveragePrecision(scores))];
        }
    }

    static string Name(EnsembleMetric metric) => metric == EnsembleMetric.RocAuc ? "ROC-AUC" : "mAP";

    static string Number(double value) => double.IsNaN(value) ? "" : value.ToString("0.000", CultureInfo.InvariantCulture);

    /// <summary>A folder of noise to measure time on, removed afterwards.</summary>
    sealed class Noise : IDisposable
    {
        const int Recordings = 4, Rate = 32_000, Seconds = 60;

        public Noise()
        {
            Path = Directory.CreateTempSubdirectory("bird-noise-").FullName;
            var random = new Random(1);
            for (var i = 0; i < Recordings; i++)
            {
                var samples = new float[Rate * Seconds];
                foreach (ref var x in samples.AsSpan()) x = (float)(0.1 * (random.NextDouble() - 0.5));
                AudioFile.Write(System.IO.Path.Combine(Path, $"noise{i}.ogg"), new Waveform(samples, Rate), AudioFormat.OggVorbis);
            }
        }

        public string Path { get; }

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
