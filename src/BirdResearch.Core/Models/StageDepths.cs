using System.Globalization;

namespace BirdResearch.Models;

/// <summary>
/// Depths of a convolutional network's layers as timm groups them for layer-wise decay: the stem is 0, every block of every stage is
/// one more, what follows the last block goes with it, and the head is the last.
/// </summary>
/// <param name="stages">Key of the stages, in which a parameter's key begins <c>stages.stage.block.</c></param>
/// <param name="blocks">Blocks of each stage.</param>
/// <param name="head">Key of the head.</param>
/// <param name="tail">Keys of the layers between the last block and the head.</param>
/// <param name="list">Name between stage and block, <c>stages.stage.list.block.</c>, where there is one.</param>
sealed class StageDepths(string stages, IReadOnlyList<int> blocks, string head, IReadOnlyList<string>? tail = null, string? list = null)
{
    /// <summary>Number of depths.</summary>
    public int Count { get; } = blocks.Sum() + 2;

    /// <summary>Depth of a parameter.</summary>
    public int Of(string key)
    {
        var parts = key.Split('.');
        if (parts[0] == head) return Count - 1;
        if (tail?.Contains(parts[0]) == true) return Count - 2;
        if (parts[0] != stages) return 0;
        int Index(int part) => int.Parse(parts[part], CultureInfo.InvariantCulture);
        return 1 + blocks.Take(Index(1)).Sum() + Index(list is null ? 2 : 3);
    }
}
