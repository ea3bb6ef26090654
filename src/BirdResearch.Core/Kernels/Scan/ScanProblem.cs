namespace BirdResearch.Kernels;

/// <summary>Rows of float32, one per batch and token; numbers within a row lie side by side.</summary>
readonly unsafe struct Rows(float* first, long stride)
{
    readonly float* _first = first;

    /// <summary>Numbers from one row to the next.</summary>
    public long Stride { get; } = stride;

    public bool Exists => _first is not null;

    public float* At(long row) => _first + (row * Stride);
}

/// <summary>How the gradient of the gate is put together when several scans share one gate.</summary>
enum GateGradient
{
    /// <summary>One scan, one gate.</summary>
    Whole,

    /// <summary>The first of several: leaves its output in the gradient's place.</summary>
    First,

    /// <summary>Adds its own output there.</summary>
    Middle,

    /// <summary>The last: adds its own output and finishes.</summary>
    Last,
}

/// <summary>One scan as pointers. Letters as in <see cref="ScanInputs"/>; a pointer to nothing means that the part is absent.</summary>
unsafe struct ScanProblem
{
    public int Batch, Length, Channels, States, Groups, Rank;
    public bool Softplus, Reverse;

    /// <summary>Whether B and C are (D, N) instead of rows of (G, N).</summary>
    public bool ConstantB, ConstantC;

    public Rows U, Delta, B, C, Z, Y;

    /// <summary>delta as a product of low rank, instead of <see cref="Delta"/>: rows of <see cref="Rank"/> numbers times (D, rank).</summary>
    public Rows LowRank;
    public float* LowRankWeight;

    public float* A, FixedB, FixedC, D, DeltaBias;

    /// <summary>Factor on the output, before the gate.</summary>
    public float Scale;

    /// <summary>Whether what stands in <see cref="Y"/> is added before the gate.</summary>
    public bool AddToY;

    /// <summary>States before every chunk, or nothing; and after the last token, (B, D, N), or nothing.</summary>
    public float* Checkpoints, LastState;

    /// <summary>Gradient of Y, and where the gradients of the others go; those of constants are kept per batch and summed by the caller.</summary>
    public Rows GradY, GradU, GradDelta, GradZ;
    public float* GradA, GradFixedB, GradFixedC, GradD, GradDeltaBias, GradLowRankWeight;

    /// <summary>Gradients of B, C and the low-rank rows: one such set of rows per block of channels, this many rows apart.</summary>
    public Rows GradB, GradC, GradLowRank;
    public GateGradient Gate;

    /// <summary>Blocks that the channels are divided into, so that a small batch keeps all threads busy. Does not depend on their number.</summary>
    public readonly int Blocks(int width) => ScanChunk.Blocks(Tiles(width), Batch);

    public readonly int Tiles(int width) => Groups * TilesPerGroup(width);

    public readonly int TilesPerGroup(int width) => ((Channels / Groups) + width - 1) / width;

    public readonly int PaddedStates => (States + 3) / 4 * 4;

    public readonly int Chunks => (Length + ScanChunk.Tokens - 1) / ScanChunk.Tokens;

    /// <summary>Numbers in <see cref="Checkpoints"/>: about one per token and channel for every 16 states.</summary>
    public readonly long CheckpointSize(int width) => (long)Batch * Chunks * Tiles(width) * PaddedStates * width;
}

/// <summary>How many tokens are worked on at a time: their states and sums stay in the first-level cache.</summary>
static class ScanChunk
{
    public const int Tokens = 16;

    const int Parts = 32; // of a whole batch, so that a slow thread does not keep the others waiting for long

    /// <summary>Blocks that the tiles of each batch element are divided into.</summary>
    public static int Blocks(int tiles, int batch) => Math.Min(tiles, (Parts + batch - 1) / batch);
}
