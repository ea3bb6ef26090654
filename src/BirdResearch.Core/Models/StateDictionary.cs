using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>A model's parameters and persistent buffers under the names that Python's torch gives them.</summary>
public static class StateDictionary
{
    /// <summary>
    /// Every entry in Python's order: module by module, each with its own parameters, then its own buffers, then its children.
    /// (TorchSharp's own <c>state_dict</c> lists the parameters of the whole tree before any buffer.) The tensors are the model's own.
    /// </summary>
    public static IReadOnlyList<(string Key, Tensor Tensor)> Of(nn.Module model)
    {
        var entries = new List<(string, Tensor)>();
        Walk(model, "", entries);
        return entries;
    }

    static void Walk(nn.Module module, string prefix, List<(string, Tensor)> entries)
    {
        foreach (var (name, parameter) in module.named_parameters(recurse: false)) entries.Add((prefix + name, parameter));
        foreach (var (name, buffer) in module.named_buffers(recurse: false, include_nonpersistent: false)) entries.Add((prefix + name, buffer));
        foreach (var (name, child) in module.named_children()) Walk(child, $"{prefix}{name}.", entries);
    }
}
