using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>Learned positions of a class token and a grid of patches, (1, 1 + patches, width), made to fit other grids.</summary>
static class PositionEmbedding
{
    /// <summary>
    /// The published rule: an axis that gets shorter keeps its middle, one that gets longer is interpolated linearly; the class token's
    /// position stays. (The published code writes a literal 8 for the rows while it stretches the frames, which is what its 128 bins have.)
    /// </summary>
    public static Tensor Fitted(Tensor positions, PatchGrid from, PatchGrid to)
    {
        using var scope = NewDisposeScope();
        var width = positions.shape[2];
        var grid = positions.narrow(1, 1, from.Count).transpose(1, 2).reshape(1, width, from.Rows, from.Frames);
        grid = to.Frames < from.Frames
            ? grid.narrow(3, (from.Frames / 2) - (to.Frames / 2), to.Frames)
            : Stretched(grid, from.Rows, to.Frames);
        grid = to.Rows < from.Rows
            ? grid.narrow(2, (from.Rows / 2) - (to.Rows / 2), to.Rows)
            : Stretched(grid, to.Rows, to.Frames);
        var patches = grid.flatten(2).transpose(1, 2);                                              // (1, patches, width)
        return cat([positions.narrow(1, 0, 1), patches], 1).MoveToOuterDisposeScope();              // (1, 1 + patches, width)
    }

    static Tensor Stretched(Tensor grid, long rows, long frames) =>
        grid.shape[2] == rows && grid.shape[3] == frames
            ? grid
            : nn.functional.interpolate(grid, [rows, frames], mode: InterpolationMode.Bilinear, align_corners: false);
}
