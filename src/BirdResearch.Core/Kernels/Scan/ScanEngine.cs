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

    static void ForwardBlock(in ScanProblem p, Tables tables, int batch, int block, int blocks)
    {
        var (first, last) = Range(p.Tiles(W), block, blocks);
        var states = p.PaddedStates;
        using var room = new Room(((last - first) * states * W) + (ScanChunk.Tokens * ((4 * W) + (2 * states))));
        var h = room.Take((last - first) * states * W);
        float* delta = room.Take(ScanChunk.Tokens * W), u = room.Take(ScanChunk.Tokens * W), du = room.Take(ScanChunk.Tokens * W), y = room.Take(ScanChunk.Tokens * W);
        float* b = room.Take(ScanChunk.Tokens * states), c = room.Take(ScanChunk.Tokens * states);
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
                for (var t = 0; t < span.Count; t++)
                {
                    var d = StepSize(p, tables, tile, span.Row(t), out _, withSlope: false);
                    var x = Read(p.U.At(span.Row(t)) + tile.Channel, tile.Lanes);
                    L.Store(d, delta + (t * W));
                    L.Store(x, u + (t * W));
                    L.Store(L.Multiply(d, x), du + (t * W));
                    L.Store(L.Zero, y + (t * W));
                }
                Dispatch.Forward(p, span.Count, delta, du, tables.A(index), MatrixB(p, tables, index, b), MatrixC(p, tables, index, c), state, y);
                Output(p, tables, tile, span, u, y);
            }
        }
        if (p.LastState is not null)
            for (var index = first; index < last; index++)
                Scatter(h + ((index - first) * states * W), new Tile(p, index, W), p.States, p.LastState + ((long)batch * p.Channels * p.States));
    }

    static void Output(in ScanProblem p, Tables tables, Tile tile, ChunkSpan span, float* u, float* y)
    {
        var skip = tables.Skip(tile.Index);
        var scale = L.Broadcast(p.Scale);
        for (var t = 0; t < span.Count; t++)
        {
            var row = span.Row(t);
            var value = L.Fma(L.Load(u + (t * W)), skip, L.Load(y + (t * W)));
            var to = p.Y.At(row) + tile.Channel;
            if (p.AddToY) value = L.Add(value, Read(to, tile.Lanes));
            if (p.Z.Exists)
            {
                var z = Read(p.Z.At(row) + tile.Channel, tile.Lanes);
                value = L.Multiply(L.Multiply(value, scale), L.Multiply(z, Curves<V, L>.Sigmoid(z)));
            }
            else
            {
                value = L.Multiply(value, scale);
            }
            Write(value, to, tile.Lanes);
        }
    }

    /// <summary>delta of one token, and its slope against the raw value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static V StepSize(in ScanProblem p, Tables tables, Tile tile, long row, out V slope, bool withSlope)
    {
        var raw = tables.Bias(tile.Index);
        if (p.Delta.Exists)
        {
            raw = L.Add(raw, Read(p.Delta.At(row) + tile.Channel, tile.Lanes));
        }
        else
        {
            var numbers = p.LowRank.At(row);
            var weight = tables.LowRank(tile.Index);
            var other = L.Zero;
            var r = 0;
            for (; r + 1 < p.Rank; r += 2)
            {
                raw = L.Fma(L.Load(weight + (r * W)), L.Broadcast(numbers[r]), raw);
                other = L.Fma(L.Load(weight + ((r + 1) * W)), L.Broadcast(numbers[r + 1]), other);
            }
            if (r < p.Rank) raw = L.Fma(L.Load(weight + (r * W)), L.Broadcast(numbers[r]), raw);
            raw = L.Add(raw, other);
        }
        slope = withSlope && p.Softplus ? Curves<V, L>.Sigmoid(raw) : L.Broadcast(1);
        return p.Softplus ? Curves<V, L>.Softplus(raw) : raw;
    }

    /// <summary>B and C of the chunk's tokens in scan order, for one group, padded with states that do nothing.</summary>
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static V Read(float* from, int lanes) => lanes == W ? L.Load(from) : ReadSome(from, lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Write(V value, float* to, int lanes)
    {
        if (lanes == W) L.Store(value, to);
        else WriteSome(value, to, lanes);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static V ReadSome(float* from, int lanes)
    {
        var whole = stackalloc float[16];
        for (var i = 0; i < 16; i++) whole[i] = i < lanes ? from[i] : 0;
        return L.Load(whole);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static void WriteSome(V value, float* to, int lanes)
    {
        var whole = stackalloc float[16];
        L.Store(value, whole);
        for (var i = 0; i < lanes; i++) to[i] = whole[i];
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
        readonly int _step;

        public readonly int Count;

        public ChunkSpan(in ScanProblem p, int batch, int chunk)
        {
            var start = chunk * ScanChunk.Tokens;
            Count = Math.Min(ScanChunk.Tokens, p.Length - start);
            _first = ((long)batch * p.Length) + (p.Reverse ? p.Length - 1 - start : start);
            _step = p.Reverse ? -1 : 1;
        }

        public long Row(int token) => _first + (token * _step);
    }

    /// <summary>Constants of every tile, a vector each, made once per scan.</summary>
    sealed class Tables : IDisposable
    {
        readonly float* _room;
        readonly int _states, _rank;
        readonly long _stride;

        public Tables(in ScanProblem p)
        {
            (_states, _rank) = (p.PaddedStates, p.Delta.Exists ? 0 : p.Rank);
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
                    for (var r = 0; r < _rank; r++) LowRank(index)[(r * W) + lane] = p.LowRankWeight[(channel * _rank) + r];
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
