using System.CommandLine;
using BirdResearch.Experiments;
using BirdResearch.Models;
using TorchSharp;

namespace BirdResearch.Cli.Verbs;

/// <summary><c>bird pretrain MODEL</c>: learns from sound without labels.</summary>
public static class Pretrain
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var model = new Argument<string?>("MODEL")
        {
            Description = "One of: " + string.Join(", ", SsambaCatalogue.All.Keys) + " (default: ssamba_tiny)",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var data = new Option<string?>("--data") { Description = "Data sets, such as birds,esc10: names (see 'bird data') or folders" };
        var fold = new Option<int?>("--fold") { Description = "Fold whose recordings are held out, as in the training that will follow" };
        var seed = new Option<int>("--seed") { Description = "Seed", DefaultValueFactory = _ => 1 };
        var epochs = new Option<int?>("--epochs") { Description = "Passes over the recordings" };
        var frontEnd = new Option<string?>("--front-end") { Description = "Front-end (default: ssamba-fbank-10s, 10 s of Kaldi filter bank)" };
        var set = new Option<string[]>("--set") { Description = "Any setting, such as training.batch_size=8 or training.masked_share=0.5; may be repeated" };
        var threads = new Option<int?>("--threads") { Description = "Threads for torch (default: all cores)" };
        return new Command("pretrain",
            """
            Trains a model on sound without labels: training recordings and unlabelled soundscapes. Patches of the spectrogram are hidden, and
            the model learns to tell them apart and to reconstruct them. What it learned is kept in results/pretrain/.

            Examples:
              bird pretrain ssamba_tiny --data birds                             windows of 10 s
              bird pretrain ssamba_tiny --data birds,esc10 --fold 1 --epochs 20  without the recordings that fold 1 validates on
              bird pretrain ssamba_tiny --data esc10 --front-end ssamba-fbank --set window_seconds=5 --set seconds_per_window=5
              bird run models --data esc10 --fold 1 --models ssamba_tiny --front-ends ssamba-fbank \
                --set training.pretrained=results/pretrain/RUN                   the training that starts from it

            Stop it with Ctrl-C at any time: the same command goes on from the last whole epoch.
            """)
        { model, data, fold, seed, epochs, frontEnd, set, threads }.Does((p, cancellation) =>
        {
            var trial = new PretrainingTrial();
            trial = trial with
            {
                Model = p.GetValue(model) ?? trial.Model,
                Data = Verb.Items(p.GetValue(data)) is { Count: > 0 } names ? names : trial.Data,
                FrontEnd = p.GetValue(frontEnd) ?? trial.FrontEnd,
                Fold = p.GetValue(fold),
                Seed = p.GetValue(seed),
                Training = trial.Training with { Epochs = p.GetValue(epochs) ?? trial.Training.Epochs },
            };
            foreach (var setting in p.GetValue(set) ?? []) trial = TrialSettings.Set(trial, setting);
            if (p.GetValue(threads) is { } count)
            {
                if (count is < 1 or > 1024) throw new ArgumentException($"--threads is {count}; it must be between 1 and 1024.");
                torch.set_num_threads(count);
            }
            Screen.Title($"pretrain {trial.Model}");
            var runner = new PretrainingRunner(RunStore.Open());
            var record = PretrainingScreen.Run(runner, trial, cancellation);
            var folder = Path.GetRelativePath(Environment.CurrentDirectory, runner.FolderOf(record));
            Screen.Line();
            Screen.Line($"Weights: {folder}");
            Screen.Line($"Start a training from them with: --models {trial.Model} --set training.pretrained={folder}");
            return 0;
        });
    }
}
