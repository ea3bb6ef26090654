namespace BirdResearch.Models;

/// <summary>Finds the tensors in what a checkpoint holds, as timm does: under a known name, the running average first, or at the top.</summary>
static class TensorDictionary
{
    const int Deepest = 3, Shown = 8;

    static readonly string[] Names = ["state_dict_ema", "model_ema", "state_dict", "model_state_dict", "model"];

    /// <summary>The names under which the dictionary lies, joined by dots, and its tensors. What is no tensor in it is left aside.</summary>
    public static (string Section, IReadOnlyList<(string Key, PickledTensor Tensor)> Tensors) In(object? root, string path)
    {
        if (root is not PickledDictionary dictionary)
            throw new InvalidDataException($"'{path}' holds {TorchObjects.KindOf(root)}; expected a dictionary of tensors. Save model.state_dict().");
        var section = new List<string>();
        while (section.Count < Deepest && Names.FirstOrDefault(n => dictionary[n] is PickledDictionary { Items.Count: > 0 }) is { } name)
        {
            section.Add(name);
            dictionary = (PickledDictionary)dictionary[name]!;
        }
        List<(string, PickledTensor)> tensors = [.. from item in dictionary.Items where item is { Key: string, Value: PickledTensor } select ((string)item.Key!, (PickledTensor)item.Value!)];
        if (tensors.Count > 0) return (string.Join('.', section), tensors);
        var found = string.Join(", ", dictionary.Items.Take(Shown).Select(i => i.Key is string key ? $"'{TorchObjects.Shown(key)}'" : TorchObjects.KindOf(i.Key)));
        throw new InvalidDataException(
            $"'{path}' holds no tensors {(section.Count > 0 ? $"under {string.Join('.', section)}" : $"at the top or under {string.Join(", ", Names)}")}" +
            $"{(found.Length > 0 ? $", only {found}" : "")}. Save model.state_dict().");
    }
}
