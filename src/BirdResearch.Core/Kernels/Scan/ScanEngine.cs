using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace BirdResearch.Kernels;

/// <summary>
/// Runs a scan tile by tile and chunk by chunk: lays a chunk's inputs out for <see cref="ScanTile{V, L, TB, TC}"/>, and its outputs back.
/// Work is divided over batches and blocks of tiles; every number is summed in an order that does not depend on the threads.
/// </summary>
static unsafe partial class ScanEngine<V, L> where V : struct where L : struct, ILanes<V>
{
    static int W => L.Width;

    /// <summary>Writes Y, and checkpoints and last state where they are asked for.</summary>
    public static void Forward(ScanProblem problem)
    {
        var blocks = problem.Blocks(W);
        using var tables = new Tables(problem);
        OpenMpPool.For(problem.Batch * blocks, item => ForwardBlock(problem, tables, item / blocks, item % blocks, blocks));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void ForwardBlock(in ScanProblem p, Tables tables, int batch, int block, int blocks)
    {
        const int T = ScanChunk.Tokens;
        var (first, last) = Range(p.Tiles(W), block, blocks);
        var states = p.PaddedStates;
        using var room = new Room(((last - first) * states * W) + (T * ((4 * W) + (2 * states))));
        var h = room.Take((last - first) * states * W);
        float* delta = room.Take(T * W), u = room.Take(T * W), du = room.Take(T * W), y = room.Take(T * W);
        float* b = room.Take(T * states), c = room.Take(T * states);
        new Span<float>(h, (last - first) * states * W).Clear();
        for (var chunk = 0; chunk < p.Chunks; chunk++)
        {
            var span = new ChunkSpan(p, batch, chunk);
            var staged = -1;
            for (var index = first; index < last; index++)
            {
                var tile = new Tile(p, index, W);
                if (tile.Group != staged) StageMatrices(p, span, staged = tile.Group, b, c);
                var state = h + ((index - first) * states * W);
                if (p.Checkpoints is not null) Copy(state, Checkpoint(p, batch, chunk, index), states * W);
                var input = Source(p.U, span, tile, u);
                StageSteps(p, tables, tile, span, input, delta, slope: null, du, y);
                Dispatch.Forward(p, span.Count, delta, du, tables.A(index), MatrixB(p, tables, index, b), MatrixC(p, tables, index, c), state, y);

                var to = Target(p.Y, span, tile, delta, p.AddToY);
                ChunkLoops<V, L>.Finish(y, input, tables.Skip(index), Source(p.Z, span, tile, du), L.Broadcast(p.Scale), p.AddToY, to, span.Count);
                Return(p.Y, span, tile, delta);
            }
        }
        if (p.LastState is not null)
            for (var index = first; index < last; index++)
                Scatter(h + ((index - first) * states * W), new Tile(p, index, W), p.States, p.LastState + ((long)batch * p.Channels * p.States));
    }

    /// <summary>delta of the chunk's tokens, times the input, and, where there is room for it, its slope against the raw value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void StageSteps(
        in ScanProblem p, Tables tables, Tile tile, ChunkSpan span, Strip input, float* delta, float* slope, float* du, float* scratch)
    {
        if (p.Delta.Exists)
        {
            ChunkLoops<V, L>.Steps(Source(p.Delta, span, tile, scratch), tables.Bias(tile.Index), p.Softplus, input, span.Count, delta, slope, du);
        }
        else
        {
            var rows = new Strip(p.LowRank.At(span.Row(0)), span.Step * p.LowRank.Stride);
            ChunkLoops<V, L>.LowRankSteps(rows, p.Rank, tables.LowRank(tile.Index), tables.Bias(tile.Index), input, span.Count, delta, slope, du);
        }
    }

    /// <summary>The tile's numbers of the chunk: where they lie, or copied out where the tile is not all channels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static Strip Source(Rows rows, ChunkSpan span, Tile tile, float* scratch)
    {
        if (!rows.Exists) return default;
        var first = rows.At(span.Row(0)) + tile.Channel;
        var stride = span.Step * rows.Stride;
        if (tile.Lanes == W) return new Strip(first, stride);
        ChunkLoops<V, L>.Gather(first, stride, span.Count, tile.Lanes, scratch);
        return new Strip(scratch, W);
    }

    /// <summary>Where the tile's numbers go: their place, or scratch that <see cref="Return"/> copies back.</summary>
    static Strip Target(Rows rows, ChunkSpan span, Tile tile, float* scratch, bool read = false) => tile.Lanes < W && !read
        ? new Strip(scratch, W)
        : Source(rows, span, tile, scratch);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Return(Rows rows, ChunkSpan span, Tile tile, float* scratch)
    {
        if (tile.Lanes < W) ChunkLoops<V, L>.Scatter(scratch, span.Count, tile.Lanes, rows.At(span.Row(0)) + tile.Channel, span.Step * rows.Stride);
    }

    /// <summary>B and C of the chunk's tokens in scan order, for one group, padded with states that do nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void StageMatrices(in ScanProblem p, ChunkSpan span, int group, float* b, float* c)
    {
        for (var t = 0; t < span.Count; t++)
        {
            if (!p.ConstantB) Pad(p.B.At(span.Row(t)) + (group * p.States), p.States, b + (t * p.PaddedStates), p.PaddedStates);
            if (!p.ConstantC) Pad(p.C.At(span.Row(t)) + (group * p.States), p.States, c + (t * p.PaddedStates), p.PaddedStates);
        }
    }

    static void Pad(float* from, int count, float* to, int padded)
    {
        for (var n = 0; n < count; n++) to[n] = from[n];
        for (var n = count; n < padded; n++) to[n] = 0;
    }

    static float* MatrixB(in ScanProblem p, Tables tables, int tile, float* staged) => p.ConstantB ? tables.FixedB(tile) : staged;

    static float* MatrixC(in ScanProblem p, Tables tables, int tile, float* staged) => p.ConstantC ? tables.FixedC(tile) : staged;

    static float* Checkpoint(in ScanProblem p, int batch, int chunk, int tile) =>
        p.Checkpoints + (((((long)batch * p.Chunks) + chunk) * p.Tiles(W)) + tile) * p.PaddedStates * W;

    static (int First, int Last) Range(int tiles, int block, int blocks) => (tiles * block / blocks, tiles * (block + 1) / blocks);

    static void Copy(float* from, float* to, int count) => new ReadOnlySpan<float>(from, count).CopyTo(new Span<float>(to, count));

    /// <summary>A vector per state, lane by lane into (D, N).</summary>
    static void Scatter(float* vectors, Tile tile, int states, float* matrix)
    {
        for (var lane = 0; lane < tile.Lanes; lane++)
            for (var n = 0; n < states; n++)
                matrix[((long)(tile.Channel + lane) * states) + n] = vectors[(n * W) + lane];
    }

    /// <summary>A tile's place: its group, its first channel, and how many of its lanes are channels.</summary>
    readonly struct Tile
    {
        public readonly int Index, Group, Channel, Lanes;

        public Tile(in ScanProblem p, int index, int width)
        {
            var perGroup = p.TilesPerGroup(width);
            var groupWidth = p.Channels / p.Groups;
            var within = index % perGroup * width;
            (Index, Group) = (index, index / perGroup);
            (Channel, Lanes) = ((Group * groupWidth) + within, Math.Min(width, groupWidth - within));
        }
    }

    /// <summary>A chunk's tokens in scan order, as rows.</summary>
    readonly struct ChunkSpan
    {
        readonly long _first;

        /// <summary>Tokens, and rows from one to the next: 1, or -1 in reverse.</summary>
        public readonly int Count, Step;

        public ChunkSpan(in ScanProblem p, int batch, int chunk)
        {
            var start = chunk * ScanChunk.Tokens;
            Count = Math.Min(ScanChunk.Tokens, p.Length - start);
            _first = ((long)batch * p.Length) + (p.Reverse ? p.Length - 1 - start : start);
            Step = p.Reverse ? -1 : 1;
        }

        public long Row(int token) => _first + (token * Step);
    }

    /// <summary>Constants of every tile, a vector each, made once per scan.</summary>
    sealed class Tables : IDisposable
    {
        readonly float* _room;
        readonly int _states, _rank;
        readonly long _stride;

        public Tables(in ScanProblem p)
        {
            (_states, _rank) = (p.PaddedStates, p.Delta.Exists ? 0 : (p.Rank + 3) / 4 * 4);
            _stride = ((3L * _states) + _rank + 2) * W;
            var tiles = p.Tiles(W);
            _room = (float*)NativeMemory.AlignedAlloc((nuint)(tiles * _stride * sizeof(float)), 64);
            new Span<float>(_room, checked((int)(tiles * _stride))).Clear();
            for (var index = 0; index < tiles; index++)
            {
                var tile = new Tile(p, index, W);
                for (var lane = 0; lane < tile.Lanes; lane++)
                {
                    var channel = tile.Channel + lane;
                    for (var n = 0; n < p.States; n++)
                    {
                        A(index)[(n * W) + lane] = p.A[(channel * p.States) + n] * Exp2Polynomial.Log2E;
                        if (p.ConstantB) FixedB(index)[(n * W) + lane] = p.FixedB[(channel * p.States) + n];
                        if (p.ConstantC) FixedC(index)[(n * W) + lane] = p.FixedC[(channel * p.States) + n];
                    }
                    for (var r = 0; _rank > 0 && r < p.Rank; r++) LowRank(index)[(r * W) + lane] = p.LowRankWeight[(channel * p.Rank) + r];
                    if (p.DeltaBias is not null) Last(index)[lane] = p.DeltaBias[channel];
                    if (p.D is not null) Last(index)[W + lane] = p.D[channel];
                }
            }
        }

        public float* A(int tile) => _room + (tile * _stride);

        public float* FixedB(int tile) => A(tile) + (_states * W);

        public float* FixedC(int tile) => A(tile) + (2 * _states * W);

        public float* LowRank(int tile) => A(tile) + (3 * _states * W);

        public V Bias(int tile) => L.Load(Last(tile));

        public V Skip(int tile) => L.Load(Last(tile) + W);

        float* Last(int tile) => LowRank(tile) + (_rank * W);

        public void Dispose() => NativeMemory.AlignedFree(_room);
    }
}
