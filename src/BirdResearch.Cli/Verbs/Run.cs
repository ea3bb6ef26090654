using System.CommandLine;
using BirdResearch.Cli.Slurm;
using BirdResearch.Cli.Workers;
using BirdResearch.Data;
using BirdResearch.Experiments;
using BirdResearch.Training;

namespace BirdResearch.Cli.Verbs;

/// <summary><c>bird run ABLATION</c>: trains what is missing of a grid and reports.</summary>
public static class Run
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var name = new Argument<string>("ABLATION") { Description = "One of: " + string.Join(", ", Ablations.All.Select(a => a.Name)) };
        var data = new Option<string?>("--data") { Description = "Data sets: names (see 'bird data') or folders in BirdCLEF or ESC layout, with commas between them" };
        var fold = new Option<string?>("--fold") { Description = "Fold that is held out for validation, several such as 1,3, or all: every fold held out once (default: the data set's first)" };
        var seeds = new Option<string?>("--seeds") { Description = "Seeds, such as 1,2,3,4,5 (default: the ablation's own, three)" };
        var epochs = new Option<int?>("--epochs") { Description = "Passes over the training recordings: short for --budget 'N epochs'" };
        var budget = new Option<string?>("--budget") { Description = "What each training may spend: '20 epochs', '5000 clips', '90 seconds' or '3e12 multiply-adds'" };
        var models = new Option<string?>("--models") { Description = "These models instead of the ablation's own" };
        var frontEnds = new Option<string?>("--front-ends") { Description = "These front-ends instead of the ablation's own" };
        var labels = new Option<string[]>("--arms") { Description = "Only these arms, by their labels with commas between them; may be repeated" };
        var pretrained = new Option<string?>("--pretrained") { Description = "Weights to start from: a .safetensors or .pth file, timm's or your own, or a run's folder (see 'bird weights')" };
        var set = new Option<string[]>("--set") { Description = "Any setting of a trial, such as training.learning_rate=3e-4 or features.expansion.k=64; may be repeated" };
        var arms = new Option<string[]>("--arm") { Description = "A C# file of your own that adds an arm, such as notebooks/arms/crackle.cs; may be repeated" };
        var sweep = new Option<string[]>("--sweep") { Description = "Values of a setting to try: path=a,b,c or 'path=low..high log 5'; may be repeated" };
        var search = new Option<string>("--search") { Description = "How a sweep is gone through: grid, random or halving (successive halving)", DefaultValueFactory = _ => "grid" };
        var candidates = new Option<int>("--candidates") { Description = "Draws of a random or halving search, for each cell", DefaultValueFactory = _ => 9 };
        var searchSeed = new Option<int>("--search-seed") { Description = "Seed of those draws", DefaultValueFactory = _ => 1 };
        var eta = new Option<int>("--eta") { Description = "Halving keeps one of so many candidates, on so many times the budget", DefaultValueFactory = _ => 3 };
        var rungs = new Option<int>("--rungs") { Description = "Steps of halving, the one on the whole budget included", DefaultValueFactory = _ => 3 };
        var precision = new Option<string?>("--precision") { Description = "fp32, bf16, or auto: bf16 where a short trial finds it faster" };
        var threads = new Option<int?>("--threads") { Description = "Threads for torch (default: all cores)" };
        var workers = new Option<int>("--workers") { Description = "Trainings at once, each in a process of its own with its share of the cores", DefaultValueFactory = _ => 1 };
        var slurm = new SlurmOptions();
        var command = new Command("run",
            """
            Trains what is missing of an ablation, reads back the rest, and writes its report.

            Examples:
              bird run front-ends                                     on the synthetic birds, made on first use
              bird run front-ends --data birds --seeds 1,2,3          three seeds a cell, on real recordings
              bird run models --data esc10 --fold 1 --epochs 60
              bird run esc10 --fold all                               every fold held out once
              bird run models --models tf_efficientnet_b0,tsresnet34
              bird run models --models sashimi_mamba,mamba_raw        on raw sound, the front-end that they are made for
              bird run front-ends --set features.expansion.k=64
              bird run models --models tf_efficientnet_b0 --pretrained model.safetensors
              bird run budgets --data birds                           equal epochs, clips, seconds, multiply-adds
              bird run front-ends --budget '2 min'                    two minutes of training each
              bird run front-ends --sweep features.expansion.k=8,16,32 --front-ends expand-and-sparsify
              bird run models --models mamba --sweep 'training.learning_rate=1e-4..1e-2 log' --search halving
              bird run regularisation --arm notebooks/arms/crackle.cs an augmentation of your own
              bird run budgets --workers 4                            four trainings at once; so may other machines that share results/
              bird run regularisation --arms none,mixup,all           of its arms, these
              bird run models --executor slurm --time 02:00:00        what is missing, as an array on a cluster; --state, --cancel

            Stop it with Ctrl-C at any time: the same command goes on from the last whole epoch.
            """)
        {
            name, data, fold, seeds, budget, epochs, models, frontEnds, labels, pretrained, set, arms, sweep, search, candidates, searchSeed, eta, rungs, precision, threads, workers,
        };
        slurm.AddTo(command);
        return command.Does((p, cancellation) =>
        {
            var ablation = Ablations.Named(p.GetRequiredValue(name));
            if (p.GetValue(budget) is not null && p.GetValue(epochs) is not null)
                throw new ArgumentException("--budget and --epochs both say what a training may spend; give one of them.");
            var given = p.GetValue(budget) is { } text ? Budget.Parse(text) : p.GetValue(epochs) is { } n ? Budget.OfEpochs(n) : null;
            ablation = ablation.WithModels(Verb.Items(p.GetValue(models))).WithFrontEnds(Verb.Items(p.GetValue(frontEnds))).On(Items(p.GetValue(data)));
            ablation = ablation.WithArms([.. (p.GetValue(labels) ?? []).SelectMany(text => ablation.Trials.Any(t => t.Label == text) ? [text] : Items(text))]);
            ablation = ablation.With(t => t with
            {
                Training = t.Training with
                {
                    Budget = given ?? t.Training.Budget,
                    Precision = p.GetValue(precision) ?? t.Training.Precision,
                    Pretrained = p.GetValue(pretrained) ?? t.Training.Pretrained,
                },
            });
            foreach (var setting in p.GetValue(set) ?? []) ablation = ablation.With(t => TrialSettings.Set(t, setting));
            foreach (var file in p.GetValue(arms) ?? []) ablation = ArmFile.Load(file).AddTo(ablation);
            var axes = (p.GetValue(sweep) ?? []).Select(SweepAxis.Parse).ToList();
            var how = p.GetRequiredValue(search);
            if (how is not ("grid" or "random" or "halving")) throw new ArgumentException($"--search is '{how}'; it must be grid, random or halving.");
            if (how != "grid" && axes.Count == 0) throw new ArgumentException($"--search {how} needs a --sweep to draw from, such as --sweep 'training.learning_rate=1e-4..1e-2 log'.");
            if (p.GetRequiredValue(candidates) < 1) throw new ArgumentException($"--candidates is {p.GetRequiredValue(candidates)}; it must be at least 1.");
            if (axes.Count > 0)
                ablation = ablation with
                {
                    Trials = [.. ablation.Trials.SelectMany(t => how == "grid" ? Sweep.Grid(t, axes) : Sweep.Random(t, axes, p.GetRequiredValue(candidates), p.GetRequiredValue(searchSeed)))],
                };
            var halving = how == "halving" ? new Halving { Eta = p.GetRequiredValue(eta), Rungs = p.GetRequiredValue(rungs) } : null;
            halving?.Check();
            ablation = ablation.Over(p.GetValue(seeds) is { } list ? Seeds(list) : ablation.Seeds);
            var files = p.GetValue(arms) ?? [];
            if (!slurm.IsAsked(p)) return Go(ablation, p.GetValue(threads), cancellation, p.GetValue(fold), halving, p.GetValue(workers), files);
            if (halving is not null) throw new ArgumentException("--search halving needs each step's scores before the next one, which an array does not wait for; use --workers, or --search random.");
            return slurm.Go(p, RunStore.Open(), ablation, files, a => Opened(a, cancellation, p.GetValue(fold)));
        });
    }

    /// <summary>Runs an ablation, prints its table and writes its report.</summary>
    /// <param name="ablation">What is run.</param>
    /// <param name="threads">Threads for torch; null takes all cores.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    /// <param name="folds">Folds held out, such as <c>1,3</c> or <c>all</c>; null leaves each trial its own.</param>
    /// <param name="halving">How the cells are narrowed down; null runs them all.</param>
    /// <param name="workers">Trainings at once, each in a process of its own.</param>
    /// <param name="arms">Files of the arms of one's own among the trials.</param>
    public static int Go(
        Ablation ablation, int? threads, CancellationToken cancellation, string? folds = null, Halving? halving = null, int workers = 1, IReadOnlyList<string>? arms = null)
    {
        WorkVerb.SetThreads(threads);
        // Which trials a halving runs is not known beforehand, so that it plans none.
        (var runner, ablation) = Opened(ablation, cancellation, folds, isPlan: halving is null);
        var store = RunStore.Open();
        var training = new GridTraining(store, runner, workers, threads, arms ?? [], cancellation);
        if (halving is null) training.Run(ablation);
        else halving.Run(ablation, training.RunWhole, rung => Screen.Line($"{rung}"));
        if (store.Runs(ablation.Name).Any()) Report.Show(store, ablation);
        foreach (var trouble in training.Troubles) Screen.Error(trouble);
        return training.Troubles.Count == 0 ? 0 : Verb.Failed;
    }

    /// <summary>Opens the data of an ablation, checks what can be checked before anything is trained, and notes which runs belong to it.</summary>
    static (TrialRunner Runner, Ablation Ablation) Opened(Ablation ablation, CancellationToken cancellation, string? folds, bool isPlan = true)
    {
        Screen.Title(ablation.Name);
        Screen.Line(ablation.Question);
        var runner = new TrialRunner(RunStore.Open());
        foreach (var data in ablation.Trials.Select(t => t.Data).Distinct().ToList())
        {
            var opened = DataScreen.Open(runner, data, cancellation);
            if (folds is not null) ablation = ablation.OverFolds(data, FoldsOf(opened, folds));
            foreach (var fold in ablation.Trials.Where(t => t.Data == data).Select(t => t.Fold).Distinct()) Screen.Line($"  {Splits.Of(opened, fold)}");
        }
        runner.Check(ablation);
        if (isPlan) AblationPlan.Add(RunStore.Open(), runner, ablation, Verb.Asked);
        return (runner, ablation);
    }

    // Folders may have spaces in their names.
    static string[] Items(string? text) => text?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

    static IReadOnlyList<int> FoldsOf(Dataset data, string text) => text == "all"
        ? Splits.Of(data).Folds
        : [.. Verb.Items(text).Select(item => int.TryParse(item, out var fold)
            ? fold
            : throw new ArgumentException($"--fold holds '{item}'; it takes fold numbers such as 1 or 1,3, or all."))];

    static IReadOnlyList<int> Seeds(string text) =>
        [.. Verb.Items(text).Select(item => int.TryParse(item, out var seed)
            ? seed
            : throw new ArgumentException($"--seeds holds '{item}'; it takes whole numbers such as 1,2,3."))];
}
