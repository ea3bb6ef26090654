using System.CommandLine;
using System.Globalization;
using BirdResearch.Data;
using BirdResearch.Experiments;
using BirdResearch.Features;
using BirdResearch.Models;
using TorchSharp;

namespace BirdResearch.Cli.Verbs;

/// <summary><c>bird models</c>, <c>bird front-ends</c>, <c>bird data</c>, <c>bird ablations</c>: what there is.</summary>
public static class Catalogues
{
    const double Seconds = 5;

    /// <summary><c>bird models</c>.</summary>
    public static Command Models()
    {
        var frontEnd = new Option<string>("--front-end") { Description = "Front-end whose features the models read", DefaultValueFactory = _ => "mel" };
        var classes = new Option<int>("--classes") { Description = "Number of classes", DefaultValueFactory = _ => 182 };
        return new Command("models",
            """
            The model catalogue: trainable parameters, size as float32, and multiply-adds for one 5 s clip. Models of raw sound read the
            front-end that they are made for.

            Examples:
              bird models
              bird models --front-end expand-and-sparsify --classes 10
            """)
        { frontEnd, classes }.Does((p, _) =>
        {
            using var scope = torch.NewDisposeScope();
            var given = p.GetRequiredValue(frontEnd);
            if (p.GetValue(classes) < 1) throw new ArgumentException($"--classes is {p.GetValue(classes)}; it must be at least 1.");
            var shape = ShapeOf(given);
            Screen.Line($"For a {Seconds:0} s clip through {given} ({shape.Channels} x {shape.Rows} x {shape.Frames}) and {p.GetValue(classes)} classes:");
            var readsSound = FrontEnds.Named(given).Kind == "waveform";
            Screen.Table(
                ["model", "parameters>", "MB (float32)>", "multiply-adds>", ""],
                Classifiers.All.Where(entry => entry.ReadsSound || !readsSound).Select(entry => ModelRow(entry, given, p.GetValue(classes))));
            return 0;
        });
    }

    static IReadOnlyList<string> ModelRow(ClassifierEntry entry, string frontEnd, int classes)
    {
        using var scope = torch.NewDisposeScope();
        var read = entry.ReadsSound && FrontEnds.Named(frontEnd).Kind != "waveform" ? entry.FrontEnd : frontEnd;
        var shape = ShapeOf(read);
        using var model = Classifiers.Create(entry.Name, classes, shape);
        var parameters = model.ParameterCount;
        return
        [
            entry.Name, parameters.ToString("N0", CultureInfo.InvariantCulture), (parameters * 4 / 1e6).ToString("0.0", CultureInfo.InvariantCulture),
            (MultiplyAdds.Count(model, shape) / 1e6).ToString("N0", CultureInfo.InvariantCulture) + " M",
            read == frontEnd ? entry.Description : $"{entry.Description} ({read})",
        ];
    }

    /// <summary>The features of one clip through a front-end of the catalogue.</summary>
    internal static InputShape ShapeOf(string frontEnd)
    {
        using var features = FrontEnds.Create(frontEnd);
        return TrialRunner.ShapeOf(features, Seconds);
    }

    /// <summary><c>bird front-ends</c>.</summary>
    public static Command FrontEndList() => new Command("front-ends", "The front-end catalogue, with the features' shape for one 5 s clip.").Does((_, _) =>
    {
        using var scope = torch.NewDisposeScope();
        Screen.Table(["front-end", "rate (Hz)>", "rows>", "frames>", "kind"], FrontEnds.All.Select(entry =>
        {
            using var frontEnd = FrontEnds.Create(entry.Value);
            var shape = TrialRunner.ShapeOf(frontEnd, Seconds);
            return (IReadOnlyList<string>)[entry.Key, $"{entry.Value.SampleRate}", $"{shape.Rows}", $"{shape.Frames}", entry.Value.Kind];
        }));
        return 0;
    });

    /// <summary><c>bird data</c>.</summary>
    public static Command Data() => new Command("data",
        """
        The data sets that '--data NAME' finds, and where. A folder of your own goes by its path:
          bird run models --data /path/to/birdclef-2024
        The quarantine column says how many files of it training leaves out, by the list that 'bird scan' wrote.
        """).Does((_, _) =>
    {
        Screen.Table(["data set", "layout", "there", "quarantine", "", "where"], Datasets.All().Select(entry =>
            (IReadOnlyList<string>)[entry.Name, entry.Layout, entry.Present ? "yes" : "no", QuarantineOf(entry), entry.About, entry.Where]));
        return 0;
    });

    static string QuarantineOf(DatasetEntry entry)
    {
        var path = QuarantineList.PathFor(entry.Where, entry.Name);
        if (!entry.Present || !File.Exists(path)) return "-";
        try
        {
            return $"{QuarantineList.Read(path).Lines.Count(l => l.LeavesOut)} files";
        }
        catch (InvalidDataException e)
        {
            Screen.Warn(e.Message);
            return "cannot be read";
        }
    }

    /// <summary><c>bird ablations</c>.</summary>
    public static Command AblationList() => new Command("ablations", "The grids that 'bird run' knows, and what each is to find out.").Does((_, _) =>
    {
        Screen.Table(["ablation", "cells>", "question"], Ablations.All.Select(a => (IReadOnlyList<string>)[a.Name, $"{a.Trials.Count}", a.Question]));
        return 0;
    });
}
