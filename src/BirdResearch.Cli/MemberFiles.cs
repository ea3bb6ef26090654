using BirdResearch.Experiments;
using BirdResearch.Inference;
using BirdResearch.Inference.Prediction;
using TorchSharp;

namespace BirdResearch.Cli;

/// <summary>Opens what <c>--model</c> names: ONNX files and folders of finished runs, side by side.</summary>
sealed class MemberFiles : IDisposable
{
    MemberFiles(IReadOnlyList<Member> members) => All = members;

    /// <summary>The members, in the order in which they were named.</summary>
    public IReadOnlyList<Member> All { get; }

    /// <summary>Opens every file; one that cannot be used is an error that names it, and what was opened before is closed.</summary>
    public static MemberFiles Open(IReadOnlyList<string> files)
    {
        if (files.Count == 0) throw new ArgumentException("No model is named: --model takes an .onnx file, the folder of a finished run, or an ensemble.json; it may be repeated.");
        var members = new List<Member>();
        try
        {
            foreach (var file in files) members.Add(new Member(Model(file)));
            if (members.GroupBy(m => m.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
                throw new ArgumentException($"'{twice.Key}' is named twice; give each model once.");
            return new MemberFiles(members);
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
