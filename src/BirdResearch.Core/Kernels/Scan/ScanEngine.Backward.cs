using System.Runtime.CompilerServices;

namespace BirdResearch.Kernels;

static unsafe partial class ScanEngine<V, L>
{
    /// <summary>Writes every gradient from the checkpoints that <see cref="Forward"/> left, going through the chunks from last to first.</summary>
    public static void Backward(ScanProblem problem)
    {
        var blocks = problem.Blocks(W);
        using var tables = new Tables(problem);
        OpenMpPool.For(problem.Batch * blocks, item => BackwardBlock(problem, tables, item / blocks, item % blocks, blocks));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void BackwardBlock(in ScanProblem p, Tables tables, int batch, int block, int blocks)
    {
        const int T = ScanChunk.Tokens;
        var (first, last) = Range(p.Tiles(W), block, blocks);
        int count = last - first, states = p.PaddedStates, rank = p.Delta.Exists ? 0 : (p.Rank + 3) / 4 * 4;
        long perTile = (((4L * states) + rank + 2) * W);
        using var room = new Room((count * perTile) + (T * W * ((((2L * states) + rank) / 4) + 17)) + (2L * T * states));
        var carried = room.Take(count * perTile);
        new Span<float>(carried, checked((int)(count * perTile))).Clear();
        float* delta = room.Take(T * W), u = room.Take(T * W), du = room.Take(T * W), y = room.Take(T * W), g = room.Take(T * W);
        float* slope = room.Take(T * W), toInput = room.Take(T * W), toDelta = room.Take(T * W), gate = room.Take(T * W);
        float* scratch = room.Take(8 * T * W), b = room.Take(T * states), c = room.Take(T * states);
        var sums = new LaneSums(room.Take(T * W * ((2L * states) + rank) / 4), states, rank);

        for (var chunk = p.Chunks - 1; chunk >= 0; chunk--)
        {
            var span = new ChunkSpan(p, batch, chunk);
            var staged = -1;
            for (var index = first; index < last; index++)
            {
                var tile = new Tile(p, index, W);
                if (tile.Group != staged)
                {
                    if (staged >= 0) Flush(p, span, staged, block, sums);
                    sums.Clear();
                    StageMatrices(p, span, staged = tile.Group, b, c);
                }
                var own = new Carried(carried + ((index - first) * perTile), states, rank);
                var input = Source(p.U, span, tile, u);
                StageSteps(p, tables, tile, span, input, delta, slope, du, scratch);
                ChunkLoops<V, L>.Gradient(
                    Source(p.GradY, span, tile, scratch), L.Broadcast(p.Scale), Source(p.Z, span, tile, y), g, gate, span.Count);
                Dispatch.Backward(
                    p, span.Count, delta, du, g, tables.A(index), MatrixB(p, tables, index, b), MatrixC(p, tables, index, c),
                    Checkpoint(p, batch, chunk, index), own.Lambda, y, toInput, toDelta, own.A,
                    p.ConstantB ? own.B : sums.B, p.ConstantC ? own.C : sums.C, scratch);
                Spread(p, tables, tile, span, own, sums, input, delta, g, slope, gate, y, toInput, toDelta, scratch);
            }
            Flush(p, span, staged, block, sums);
        }

        for (var index = first; index < last; index++)
            WriteConstants(p, new Tile(p, index, W), batch, new Carried(carried + ((index - first) * perTile), states, rank), rank);
    }

    /// <summary>From the tile's sums to the gradients of its own rows; the chunk's buffers are free to be overwritten.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Spread(
        in ScanProblem p, Tables tables, Tile tile, ChunkSpan span, Carried own, LaneSums sums, Strip input,
        float* delta, float* g, float* slope, float* gate, float* y, float* toInput, float* toDelta, float* scratch)
    {
        var skip = tables.Skip(tile.Index);
        ChunkLoops<V, L>.Close(
            toInput, toDelta, delta, input, g, slope, skip, own.Skip, own.Bias, Target(p.GradU, span, tile, scratch), span.Count);
        Return(p.GradU, span, tile, scratch);
        if (p.GradDelta.Exists)
        {
            ChunkLoops<V, L>.Scatter(toDelta, span.Count, tile.Lanes, p.GradDelta.At(span.Row(0)) + tile.Channel, span.Step * p.GradDelta.Stride);
        }
        else
        {
            var rows = new Strip(p.LowRank.At(span.Row(0)), span.Step * p.LowRank.Stride);
            ChunkLoops<V, L>.LowRankBackward(toDelta, rows, span.Count, p.Rank, tables.LowRank(tile.Index), sums.LowRank, own.LowRank);
        }
        if (!p.GradZ.Exists) return;

        var (add, multiply) = (p.Gate is GateGradient.Middle or GateGradient.Last, p.Gate is GateGradient.Whole or GateGradient.Last);
        ChunkLoops<V, L>.CloseGate(y, input, skip, gate, add, multiply, Target(p.GradZ, span, tile, scratch, add), span.Count);
        Return(p.GradZ, span, tile, scratch);
    }

    /// <summary>Finishes the sums that all channels of a group share.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Flush(in ScanProblem p, ChunkSpan span, int group, int block, LaneSums sums)
    {
        var slab = (long)block * p.Batch * p.Length;
        for (var t = 0; t < span.Count; t++)
        {
            var row = slab + span.Row(t);
            if (!p.ConstantB) ChunkLoops<V, L>.SumQuarters(sums.B + (t * p.PaddedStates / 4 * W), p.States, p.GradB.At(row) + (group * p.States));
            if (!p.ConstantC) ChunkLoops<V, L>.SumQuarters(sums.C + (t * p.PaddedStates / 4 * W), p.States, p.GradC.At(row) + (group * p.States));
            if (sums.Rank > 0) ChunkLoops<V, L>.SumQuarters(sums.LowRank + (t * sums.Rank / 4 * W), p.Rank, p.GradLowRank.At(row));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void WriteConstants(in ScanProblem p, Tile tile, int batch, Carried own, int rank)
    {
        var matrix = (long)batch * p.Channels * p.States;
        Scatter(own.A, tile, p.States, p.GradA + matrix);
        if (p.ConstantB) Scatter(own.B, tile, p.States, p.GradFixedB + matrix);
        if (p.ConstantC) Scatter(own.C, tile, p.States, p.GradFixedC + matrix);
        if (rank > 0) Scatter(own.LowRank, tile, p.Rank, p.GradLowRankWeight + ((long)batch * p.Channels * p.Rank));
        var channel = ((long)batch * p.Channels) + tile.Channel;
        if (p.GradD is not null) Copy(own.Skip, p.GradD + channel, tile.Lanes);
        if (p.GradDeltaBias is not null) Copy(own.Bias, p.GradDeltaBias + channel, tile.Lanes);
    }

    /// <summary>What a tile carries from chunk to chunk: lambda, and the sums over all tokens.</summary>
    readonly struct Carried(float* first, int states, int rank)
    {
        readonly float* _first = first;
        readonly int _states = states, _rank = rank;

        public float* Lambda => _first;

        public float* A => _first + (_states * W);

        public float* B => _first + (2 * _states * W);

        public float* C => _first + (3 * _states * W);

        public float* LowRank => _first + (4 * _states * W);

        public float* Skip => LowRank + (_rank * W);

        public float* Bias => Skip + W;
    }

    /// <summary>Sums over channels, not quite finished: a vector per token and four states, or ranks.</summary>
    readonly struct LaneSums(float* first, int states, int rank)
    {
        readonly float* _first = first;
        readonly int _states = states;

        public readonly int Rank = rank;

        public float* B => _first;

        public float* C => _first + (ScanChunk.Tokens * _states / 4 * W);

        public float* LowRank => _first + (2 * ScanChunk.Tokens * _states / 4 * W);

        public void Clear() => new Span<float>(_first, ScanChunk.Tokens * W * ((2 * _states) + Rank) / 4).Clear();
    }
}
