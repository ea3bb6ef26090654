using System.CommandLine;
using System.Globalization;
using BirdResearch.Models;
using TorchSharp;

namespace BirdResearch.Cli.Verbs;

/// <summary><c>bird weights FILE</c>: what a weight file holds, and how it would fit a model.</summary>
public static class WeightsVerb
{
    const int Shown = 12;

    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "A .safetensors file, or a .pth, .pt or .bin of PyTorch; the content decides, not the name" };
        var model = new Option<string?>("--model") { Description = "Loads it into this model of the catalogue and says how it fits" };
        var classes = new Option<int>("--classes") { Description = "Number of classes of the model", DefaultValueFactory = _ => 182 };
        var channels = new Option<int>("--channels") { Description = "Channels of the model's features", DefaultValueFactory = _ => 1 };
        var all = new Option<bool>("--all") { Description = $"Lists every tensor (default: the first {Shown})" };
        return new Command("weights",
            """
            Lists the tensors of a weight file, and says how they would fit a model. Nothing in the file is executed: a PyTorch file that asks
            for anything but tensors is refused by the name of what it asks for.

            Examples:
              bird weights model.safetensors
              bird weights pytorch_model.bin --model resnetv2_50 --classes 10
            """)
        { file, model, classes, channels, all }.Does((p, _) =>
        {
            var (numberOfClasses, numberOfChannels) = (p.GetValue(classes), p.GetValue(channels));
            if (numberOfClasses < 1) throw new ArgumentException($"--classes is {numberOfClasses}; it must be at least 1.");
            if (numberOfChannels < 1) throw new ArgumentException($"--channels is {numberOfChannels}; it must be at least 1.");
            using var scope = torch.NewDisposeScope();
            var entry = p.GetValue(model) is { } name ? Classifiers.Named(name) : null;
            using var weights = WeightFile.Open(p.GetRequiredValue(file));
            List(weights, p.GetValue(all) ? int.MaxValue : Shown);
            if (entry is not null) Fit(weights, entry, numberOfClasses, numberOfChannels);
            return 0;
        });
    }

    static void List(WeightFile file, int most)
    {
        var numbers = file.Entries.Sum(e => e.Count);
        var types = string.Join(", ", file.Entries.GroupBy(e => e.TypeName).OrderByDescending(g => g.Count()).Select(g => $"{g.Count()} {g.Key}"));
        Screen.Line(
            $"{file.Path}: {file.Format}, {file.Entries.Count} tensors ({types}), {numbers.ToString("N0", CultureInfo.InvariantCulture)} numbers" +
            (file.Section.Length > 0 ? $", under '{file.Section}'" : ""));
        Screen.Table(["tensor", "type", "shape"], file.Entries.Take(most).Select(e => (IReadOnlyList<string>)[e.Key, e.TypeName, $"({string.Join(", ", e.Shape)})"]));
        if (file.Entries.Count > most) Screen.Line($"... and {file.Entries.Count - most} more (--all lists them)");
    }

    static void Fit(WeightFile file, ClassifierEntry entry, int classes, int channels)
    {
        using var model = Classifiers.Create(entry.Name, classes, Catalogues.ShapeOf(entry.FrontEnd) with { Channels = channels });
        var report = Weights.Load(model, file, WeightFit.Adapt);
        Screen.Line();
        Screen.Line($"{entry.Name} with {classes} classes and {channels} channel{(channels == 1 ? "" : "s")}:");
        Part("loaded", [$"{report.Loaded.Count} tensors"]);
        Part("adapted", report.Adapted);
        Part("missing, initial values kept", report.Missing);
        Part("in the file, not used", report.Unexpected);
    }

    static void Part(string what, IReadOnlyList<string> keys)
    {
        if (keys.Count > 0) Screen.Line($"  {what}: {string.Join(", ", keys)}");
    }
}
