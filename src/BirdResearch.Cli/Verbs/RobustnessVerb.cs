using System.CommandLine;
using System.Globalization;
using BirdResearch.Data;
using BirdResearch.Experiments;
using BirdResearch.Metrics;
using Microsoft.FSharp.Collections;
using TorchSharp;

namespace BirdResearch.Cli.Verbs;

/// <summary><c>bird robustness RUN --knob NAME=LEVELS</c>: how a trained model's score falls as the synthetic world gets harder.</summary>
public static class RobustnessVerb
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var runs = new Argument<string[]>("RUN") { Description = "Finished runs on synthetic data: folders, names, or parts of a name that no other run has", Arity = ArgumentArity.OneOrMore };
        var knobs = new Option<string[]>("--knob") { Description = "A knob and its levels, such as snr_db=-10,0,10; may be repeated", Required = true };
        var soundscapes = new Option<int?>("--soundscapes") { Description = "Soundscapes of a level (default: as many as the data set has)" };
        var threads = new Option<int?>("--threads") { Description = "Threads for torch (default: all cores)" };
        return new Command("robustness",
            $"""
            Scores trained models on soundscapes of their own synthetic world at several levels of a knob, without training again. The species, and with
            snr_db and metres also every song and its time, are the same at every level. Intervals are over recordings.

            Knobs: snr_db (level of every bird over the noise), metres (distance of every bird), or any that 'bird synthetic' lists, such as
            overlap, reverberation or empty_share. The soundscapes are kept in data/robustness; the scores go to {RobustnessTable.FileName} beside each run.

            Examples:
              bird robustness tsresnet18.mel.synthetic-birds --knob snr_db=-10,-5,0,5,10,20
              bird robustness tsresnet18.mel.synthetic-birds tsresnet18.pcen.synthetic-birds --knob metres=10,40,120 --knob overlap=0,0.5,1
            """)
        { runs, knobs, soundscapes, threads }.Does((p, cancellation) =>
        {
            if (p.GetValue(threads) is { } count)
            {
                if (count is < 1 or > 1024) throw new ArgumentException($"--threads is {count}; it must be between 1 and 1024.");
                torch.set_num_threads(count);
            }
            var store = RunStore.Open();
            SyntheticKnob[] turned = [.. p.GetRequiredValue(knobs).Select(SyntheticKnob.Parse)];
            string[] folders = [.. p.GetRequiredValue(runs).Select(store.FolderNamed)];
            foreach (var folder in folders)
            {
                using var model = TrainedModel.Open(folder);
                var world = new RobustnessWorld(Datasets.Open(model.Record.Trial.Data), soundscapes: p.GetValue(soundscapes));
                foreach (var knob in turned)
                {
                    RobustnessRow[] rows = [.. knob.Values.Select(value => Row(model, knob, value, world.At(knob, value, DataScreen.Steps(), cancellation), cancellation))];
                    RobustnessTable.Write(folder, knob.Name, rows);
                    Screen.Line($"{model.Card.Name}, {rows[0].Recordings} soundscapes a level: {Path.Combine(folder, RobustnessTable.FileName)}");
                    Screen.Table([knob.Name, "mAP>", "95 % interval>"], rows.Select(r => (IReadOnlyList<string>)[r.Value, Text(r.Map), r.Low is null ? "" : $"{Text(r.Low)} to {Text(r.High)}"]));
                }
            }
            return 0;
        });
    }

    /// <summary>The score of a model at one level, with its interval.</summary>
    public static RobustnessRow Row(TrainedModel model, SyntheticKnob knob, string value, Dataset data, CancellationToken cancellation = default)
    {
        var scores = RobustnessWorld.Score(model, data, cancellation);
        var interval = Analysis.Intervals.ofMeans(Analysis.Statistics.defaultResamples, ListModule.OfSeq([ListModule.OfSeq([Tuple.Create(0, 1, scores)])])).Head?.Value;
        return new(
            model.Record.Name, knob.Name, value, Ranking.MeanAveragePrecision(scores).OrNull(), interval?.Low, interval?.High,
            data.Soundscapes.Select(c => c.File).Distinct().Count());
    }

    static string Text(double? value) => value?.ToString("0.000", CultureInfo.InvariantCulture) ?? "";
}
