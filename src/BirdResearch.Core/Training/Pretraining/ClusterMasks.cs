using BirdResearch.Data;
using BirdResearch.Models;

namespace BirdResearch.Training;

/// <summary>
/// Patches to hide, in squares of one size per clip: a square is put at random places until more patches are covered than are to be hidden,
/// and as many of them are kept, in the order in which they were covered. As in SSAST (Gong et al. 2022), whose code SSAMBA took over, a square
/// that leaves the right edge goes on a row lower at the left, and the first patch is never hidden.
/// </summary>
public sealed class ClusterMasks
{
    readonly PatchGrid _grid;
    readonly int _smallest, _largest;

    /// <param name="grid">Patches of a clip, at least three.</param>
    /// <param name="share">Share of them that is hidden; at least one patch is, and at least two are not.</param>
    /// <param name="smallest">Side of the smallest square, in patches.</param>
    /// <param name="largest">Side of the largest.</param>
    public ClusterMasks(PatchGrid grid, double share, int smallest, int largest)
    {
        if (grid.Count < 3) throw new ArgumentException($"A grid of {grid.Rows} x {grid.Frames} patches is too small to hide some: take longer windows.");
        if (smallest < 1 || largest < smallest)
            throw new ArgumentException($"Clusters of {smallest} to {largest} patches are no range: the smallest is at least 1 and not above the largest.");
        (_grid, _smallest, _largest) = (grid, smallest, largest);
        Hidden = (int)Math.Clamp(Math.Round(share * grid.Count), 1, grid.Count - 2);
    }

    /// <summary>Patches that are hidden in every clip.</summary>
    public int Hidden { get; }

    /// <summary>Indices of the hidden patches of one clip, all different.</summary>
    public long[] Draw(CounterRandom random)
    {
        var side = random.NextInt(_smallest, _largest + 1);
        var covered = new bool[_grid.Count];
        var order = new List<long>(Hidden + (side * side));
        while (order.Count <= Hidden)
        {
            var start = random.NextLong(_grid.Count);
            for (var row = 0; row < side; row++)
                for (var column = 0; column < side; column++)
                {
                    var patch = start + (row * _grid.Frames) + column;
                    if (patch <= 0 || patch >= _grid.Count || covered[patch]) continue;
                    covered[patch] = true;
                    order.Add(patch);
                }
        }
        return [.. order.Take(Hidden)];
    }
}
