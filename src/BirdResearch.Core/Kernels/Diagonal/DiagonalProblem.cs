using TorchSharp;

namespace BirdResearch.Kernels;

/// <summary>One diagonal scan as pointers. Letters as in <see cref="DiagonalScan"/>; a pointer to nothing means that the part is absent.</summary>
unsafe struct DiagonalProblem
{
    public int Batch, Length, Channels, States;

    /// <summary>1, or 2 with the future.</summary>
    public int Directions;

    public bool Gelu;

    public Rows U, Y;

    /// <summary>The output before GELU: written by forward, read by backward.</summary>
    public Rows Sum;

    /// <summary>(2, N, H), (directions, 2, N, H), (H).</summary>
    public float* Bases, Weights, Skip;

    public Rows GradY, GradU;

    /// <summary>Gradients of the constants, kept per batch and summed by the caller.</summary>
    public float* GradBases, GradWeights, GradSkip;

    public readonly int Tiles(int width) => (Channels + width - 1) / width;

    /// <summary>
    /// Blocks that the tiles are divided into: one where the batch alone keeps all threads equally busy, as whole rows are read fastest. The
    /// sums do not depend on it.
    /// </summary>
    public readonly int Blocks(int width)
    {
        const int PartsPerThread = 4;
        var threads = torch.get_num_threads();
        return Batch % threads == 0 ? 1 : Math.Min(Tiles(width), ((PartsPerThread * threads) + Batch - 1) / Batch);
    }

    public readonly int PaddedStates => (States + 3) / 4 * 4;

    public readonly int Chunks(int tokens) => (Length + tokens - 1) / tokens;
}
