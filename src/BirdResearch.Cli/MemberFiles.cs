using BirdResearch.Experiments;
using BirdResearch.Inference;
using BirdResearch.Inference.Prediction;
using TorchSharp;

namespace BirdResearch.Cli;

/// <summary>Opens what <c>--model</c> names: ONNX files and folders of finished runs, side by side, or the members of an ensemble.</summary>
sealed class MemberFiles : IDisposable
{
    readonly EnsembleFile? _ensemble;

    MemberFiles(IReadOnlyList<Member> members, EnsembleFile? ensemble) => (All, _ensemble) = (members, ensemble);

    /// <summary>The models, in the order in which they were named.</summary>
    public IReadOnlyList<Member> All { get; }

    /// <summary>Classes that any of them knows, in the order of the first.</summary>
    public IReadOnlyList<string> Classes => [.. All.SelectMany(m => m.Model.Card.Classes).Distinct()];

    /// <summary>Opens every file; one that cannot be used is an error that names it, and what was opened before is closed.</summary>
    /// <param name="files">What <c>--model</c> names.</param>
    /// <param name="allowTwoForms">Whether a run may come as an ONNX file and as a folder, to be compared.</param>
    public static MemberFiles Open(IReadOnlyList<string> files, bool allowTwoForms = false)
    {
        if (files.Count == 0) throw new ArgumentException("No model is named: --model takes an .onnx file, the folder of a finished run, or an ensemble.json; it may be repeated.");
        if (files.Any(f => f.EndsWith(".json", StringComparison.OrdinalIgnoreCase)))
        {
            if (files.Count > 1) throw new ArgumentException("An ensemble stands alone; name it, or name models one by one.");
            var ensemble = EnsembleFile.Read(files[0]);
            var here = Path.GetDirectoryName(Path.GetFullPath(files[0]))!;
            return new MemberFiles(Members(ensemble.Members.SelectMany(m => m.Files.Select(f => (Path.Combine(here, f), m.Value / m.Files.Count, (string?)m.Name))), false), ensemble);
        }
        return new MemberFiles(Members(files.Select(f => (f, 1.0, (string?)null)), allowTwoForms), null);
    }

    /// <summary>How the models' scores become one, in the columns of a plan.</summary>
    /// <param name="columns">The plan's columns.</param>
    /// <param name="rule">What is averaged, where no ensemble says.</param>
    /// <param name="smoothing">Replaces the ensemble's smoothing, or null.</param>
    /// <param name="boost">Replaces the ensemble's file boost, or null.</param>
    public Combination Combination(IReadOnlyList<string> columns, EnsembleRule? rule, Smoothing? smoothing, FileBoost? boost)
    {
        if (_ensemble is not null && rule is not null) throw new ArgumentException("The ensemble says what is averaged; --rule is for models that are named one by one.");
        var ensemble = _ensemble?.For(columns) ?? Ensemble.Of([.. All.Select(m => m.Part).Distinct()], rule ?? EnsembleRule.Probabilities);
        var processing = ensemble.PostProcessing;
        return new Combination(ensemble with
        {
            PostProcessing = processing with { Smoothing = smoothing ?? processing.Smoothing, FileBoost = boost ?? processing.FileBoost },
        });
    }

    static IReadOnlyList<Member> Members(IEnumerable<(string File, double Value, string? Part)> files, bool allowTwoForms)
    {
        var members = new List<Member>();
        try
        {
            foreach (var (file, value, part) in files)
            {
                var member = new Member(Model(file), value);
                members.Add(part is null ? member : member with { Part = part });
            }
            if (!allowTwoForms && members.GroupBy(m => m.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
                throw new ArgumentException($"'{twice.Key}' is named twice; give each model once.");
            return members;
        }
        catch
        {
            foreach (var member in members) member.Model.Dispose();
            throw;
        }
    }

    /// <summary>One model, run by onnxruntime or by torch on one thread of the caller.</summary>
    static IWindowClassifier Model(string file)
    {
        if (!Directory.Exists(file)) return OnnxModel.Open(file);
        torch.set_num_threads(1);   // each worker scores on a core of its own
        return TrainedModel.Open(file);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var member in All) member.Model.Dispose();
    }
}
