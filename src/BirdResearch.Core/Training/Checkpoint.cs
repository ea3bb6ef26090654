using System.Globalization;
using System.Text.Json;
using BirdResearch.Kernels;
using BirdResearch.Models;
using static TorchSharp.torch;

namespace BirdResearch.Training;

/// <summary>
/// The state after a whole epoch in one safetensors file: weights and buffers, both moments of AdamW, the epochs so far, and whatever else a
/// training must find again.
/// </summary>
public static class Checkpoint
{
    const string ModelPrefix = "model.", First = "adamw.first.", Second = "adamw.second.";

    /// <summary>Writes beside and renames, so that the file always holds a whole epoch.</summary>
    public static void Write<TRow>(string file, nn.Module model, AdamW optimiser, IReadOnlyList<TRow> rows, IReadOnlyList<ITrainingState>? states = null)
    {
        using var scope = NewDisposeScope();
        var tensors = new List<(string, Tensor)>();
        foreach (var (name, value) in model.state_dict()) tensors.Add((ModelPrefix + name, value));
        foreach (var (name, first, second) in optimiser.Moments)
        {
            tensors.Add((First + name, tensor(first)));
            tensors.Add((Second + name, tensor(second)));
        }
        var texts = new Dictionary<string, string>
        {
            ["steps"] = optimiser.Steps.ToString(CultureInfo.InvariantCulture),
            ["epochs"] = JsonSerializer.Serialize(rows),
        };
        foreach (var state in states ?? [])
        {
            foreach (var (name, value) in state.StateTensors) tensors.Add(($"{state.StateName}.{name}", value));
            if (state.StateText is { } text) texts[state.StateName] = text;
        }
        Safetensors.Write(file, tensors, texts);
    }

    /// <summary>Puts a checkpoint's state into the model and the optimiser and returns its epochs.</summary>
    public static IReadOnlyList<TRow> Read<TRow>(string file, nn.Module model, AdamW optimiser, IReadOnlyList<ITrainingState>? states = null)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var contents = Safetensors.Open(file);
        var shapes = contents.Entries.ToDictionary(e => e.Key, e => e.Shape);
        Tensor Saved(string name, Tensor like) =>
            shapes.TryGetValue(name, out var shape) && shape.SequenceEqual(like.shape)
                ? contents.Read(name)
                : throw new InvalidDataException($"The checkpoint '{file}' has no '{name}' of this model's shape. Delete it to train from the start.");

        foreach (var (name, value) in model.state_dict()) value.copy_(Saved(ModelPrefix + name, value));
        foreach (var (name, first, second) in optimiser.Moments)
        {
            Saved(First + name, tensor(first)).data<float>().CopyTo(first);
            Saved(Second + name, tensor(second)).data<float>().CopyTo(second);
        }
        foreach (var state in states ?? [])
            state.Restore(
                (name, shape) => shapes.TryGetValue($"{state.StateName}.{name}", out var found) && found.SequenceEqual(shape)
                    ? contents.Read($"{state.StateName}.{name}")
                    : null,
                contents.Metadata.GetValueOrDefault(state.StateName));
        optimiser.Steps = long.Parse(contents.Metadata["steps"], CultureInfo.InvariantCulture);
        return JsonSerializer.Deserialize<List<TRow>>(contents.Metadata["epochs"])!;
    }
}
