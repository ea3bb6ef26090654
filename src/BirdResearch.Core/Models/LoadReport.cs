namespace BirdResearch.Models;

/// <summary>What loading a weight file did.</summary>
/// <param name="Loaded">Keys taken as they are.</param>
/// <param name="Adapted">Keys whose values were reshaped to the model, with what was done.</param>
/// <param name="Missing">Keys of the model that keep their initial values.</param>
/// <param name="Unexpected">Keys of the file that the model has no use for.</param>
public sealed record LoadReport(
    IReadOnlyList<string> Loaded, IReadOnlyList<string> Adapted, IReadOnlyList<string> Missing, IReadOnlyList<string> Unexpected)
{
    const int Shown = 8;

    /// <summary>One line of counts, with the keys that were adapted or kept.</summary>
    public override string ToString()
    {
        var line = $"{Loaded.Count} tensors loaded";
        if (Adapted.Count > 0) line += $", adapted: {string.Join("; ", Adapted)}";
        if (Missing.Count > 0) line += $", initial values kept: {string.Join(", ", Missing)}";
        if (Unexpected.Count > 0) line += $", {Unexpected.Count} of the file not used: {Some(Unexpected)}";
        return line;
    }

    static string Some(IReadOnlyList<string> keys) =>
        string.Join(", ", keys.Take(Shown)) + (keys.Count > Shown ? $" and {keys.Count - Shown} more" : "");
}
