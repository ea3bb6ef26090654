namespace BirdResearch.Kernels;

static unsafe partial class ScanEngine<V, L>
{
    const float Ln2 = 0.6931471805599453f;

    /// <summary>Writes every gradient from the checkpoints that <see cref="Forward"/> left, going through the chunks from last to first.</summary>
    public static void Backward(ScanProblem problem)
    {
        var blocks = problem.Blocks(W);
        using var tables = new Tables(problem);
        OpenMpPool.For(problem.Batch * blocks, item => BackwardBlock(problem, tables, item / blocks, item % blocks, blocks));
    }

    static void BackwardBlock(in ScanProblem p, Tables tables, int batch, int block, int blocks)
    {
        const int T = ScanChunk.Tokens;
        var (first, last) = Range(p.Tiles(W), block, blocks);
        int count = last - first, states = p.PaddedStates, rank = p.Delta.Exists ? 0 : p.Rank;
        long perTile = (((4L * states) + rank + 2) * W);
        using var room = new Room((count * perTile) + (T * W * ((2L * states) + rank + 17)) + (2L * T * states));
        var carried = room.Take(count * perTile);
        new Span<float>(carried, checked((int)(count * perTile))).Clear();
        float* delta = room.Take(T * W), u = room.Take(T * W), du = room.Take(T * W), y = room.Take(T * W), g = room.Take(T * W);
        float* slope = room.Take(T * W), toInput = room.Take(T * W), toDelta = room.Take(T * W), gate = room.Take(T * W);
        float* scratch = room.Take(8 * T * W), b = room.Take(T * states), c = room.Take(T * states);
        var sums = new LaneSums(room.Take(T * W * ((2L * states) + rank)), states, rank);

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
                StageGradient(p, tables, tile, span, delta, u, du, g, slope, gate);
                foreach (var buffer in (Span<nint>)[(nint)y, (nint)toInput, (nint)toDelta]) new Span<float>((float*)buffer, T * W).Clear();
                Dispatch.Backward(
                    p, span.Count, delta, du, g, tables.A(index), MatrixB(p, tables, index, b), MatrixC(p, tables, index, c),
                    Checkpoint(p, batch, chunk, index), own.Lambda, y, toInput, toDelta, own.A,
                    p.ConstantB ? own.B : sums.B, p.ConstantC ? own.C : sums.C, scratch);
                Spread(p, tables, tile, span, own, sums, delta, u, g, slope, gate, y, toInput, toDelta);
            }
            Flush(p, span, staged, block, sums);
        }

        for (var index = first; index < last; index++)
            WriteConstants(p, new Tile(p, index, W), batch, new Carried(carried + ((index - first) * perTile), states, rank), rank);
    }

    /// <summary>Step sizes and inputs again, and the gradient of the states' output: that of y, through the gate.</summary>
    static void StageGradient(in ScanProblem p, Tables tables, Tile tile, ChunkSpan span, float* delta, float* u, float* du, float* g, float* slope, float* gate)
    {
        var scale = L.Broadcast(p.Scale);
        var one = L.Broadcast(1);
        for (var t = 0; t < span.Count; t++)
        {
            var row = span.Row(t);
            var d = StepSize(p, tables, tile, row, out var s, withSlope: true);
            var x = Read(p.U.At(row) + tile.Channel, tile.Lanes);
            var gy = L.Multiply(Read(p.GradY.At(row) + tile.Channel, tile.Lanes), scale);
            if (p.Z.Exists)
            {
                // d SiLU(z) / dz = s (1 + z (1 - s))
                var z = Read(p.Z.At(row) + tile.Channel, tile.Lanes);
                var sigmoid = Curves<V, L>.Sigmoid(z);
                var silu = L.Multiply(z, sigmoid);
                L.Store(L.Multiply(gy, L.Fma(silu, L.Subtract(one, sigmoid), sigmoid)), gate + (t * W));
                gy = L.Multiply(gy, silu);
            }
            L.Store(d, delta + (t * W));
            L.Store(s, slope + (t * W));
            L.Store(x, u + (t * W));
            L.Store(L.Multiply(d, x), du + (t * W));
            L.Store(gy, g + (t * W));
        }
    }

    /// <summary>From the tile's sums to the gradients of its own rows.</summary>
    static void Spread(
        in ScanProblem p, Tables tables, Tile tile, ChunkSpan span, Carried own, LaneSums sums,
        float* delta, float* u, float* g, float* slope, float* gate, float* y, float* toInput, float* toDelta)
    {
        var skip = tables.Skip(tile.Index);
        V dSkip = L.Load(own.Skip), dBias = L.Load(own.Bias);
        var ln2 = L.Broadcast(Ln2);
        for (var t = 0; t < span.Count; t++)
        {
            var row = span.Row(t);
            V x = L.Load(u + (t * W)), gy = L.Load(g + (t * W)), input = L.Load(toInput + (t * W));
            Write(L.Fma(L.Load(delta + (t * W)), input, L.Multiply(skip, gy)), p.GradU.At(row) + tile.Channel, tile.Lanes);
            var raw = L.Multiply(L.Fma(L.Load(toDelta + (t * W)), ln2, L.Multiply(x, input)), L.Load(slope + (t * W)));
            dBias = L.Add(dBias, raw);
            dSkip = L.Fma(gy, x, dSkip);
            if (p.GradDelta.Exists) Write(raw, p.GradDelta.At(row) + tile.Channel, tile.Lanes);
            else LowRankGradient(p, tables, tile, row, t, raw, own, sums);
            if (!p.GradZ.Exists) continue;

            var to = p.GradZ.At(row) + tile.Channel;
            var value = L.Fma(x, skip, L.Load(y + (t * W)));
            if (p.Gate is GateGradient.Middle or GateGradient.Last) value = L.Add(value, Read(to, tile.Lanes));
            if (p.Gate is GateGradient.Whole or GateGradient.Last) value = L.Multiply(value, L.Load(gate + (t * W)));
            Write(value, to, tile.Lanes);
        }
        L.Store(dSkip, own.Skip);
        L.Store(dBias, own.Bias);
    }

    static void LowRankGradient(in ScanProblem p, Tables tables, Tile tile, long row, int t, V raw, Carried own, LaneSums sums)
    {
        var numbers = p.LowRank.At(row);
        var weight = tables.LowRank(tile.Index);
        var lanes = sums.LowRank + (t * p.Rank * W);
        for (var r = 0; r < p.Rank; r++)
        {
            L.Store(L.Fma(raw, L.Load(weight + (r * W)), L.Load(lanes + (r * W))), lanes + (r * W));
            L.Store(L.Fma(raw, L.Broadcast(numbers[r]), L.Load(own.LowRank + (r * W))), own.LowRank + (r * W));
        }
    }

    /// <summary>Adds up the lanes of the sums that all channels of a group share.</summary>
    static void Flush(in ScanProblem p, ChunkSpan span, int group, int block, LaneSums sums)
    {
        var slab = (long)block * p.Batch * p.Length;
        for (var t = 0; t < span.Count; t++)
        {
            var row = slab + span.Row(t);
            if (!p.ConstantB) SumLanes(sums.B + (t * p.PaddedStates * W), p.States, p.GradB.At(row) + (group * p.States));
            if (!p.ConstantC) SumLanes(sums.C + (t * p.PaddedStates * W), p.States, p.GradC.At(row) + (group * p.States));
            if (sums.Rank > 0) SumLanes(sums.LowRank + (t * sums.Rank * W), sums.Rank, p.GradLowRank.At(row));
        }
    }

    static void SumLanes(float* vectors, int count, float* to)
    {
        for (var n = 0; n < count; n++) to[n] = L.Sum(L.Load(vectors + (n * W)));
    }

    static void WriteConstants(in ScanProblem p, Tile tile, int batch, Carried own, int rank)
    {
        var matrix = (long)batch * p.Channels * p.States;
        Scatter(own.A, tile, p.States, p.GradA + matrix);
        if (p.ConstantB) Scatter(own.B, tile, p.States, p.GradFixedB + matrix);
        if (p.ConstantC) Scatter(own.C, tile, p.States, p.GradFixedC + matrix);
        if (rank > 0) Scatter(own.LowRank, tile, rank, p.GradLowRankWeight + ((long)batch * p.Channels * rank));
        var channel = ((long)batch * p.Channels) + tile.Channel;
        if (p.GradD is not null) Write(L.Load(own.Skip), p.GradD + channel, tile.Lanes);
        if (p.GradDeltaBias is not null) Write(L.Load(own.Bias), p.GradDeltaBias + channel, tile.Lanes);
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

    /// <summary>Sums over channels, lane by lane: a vector per token and state, or rank.</summary>
    readonly struct LaneSums(float* first, int states, int rank)
    {
        readonly float* _first = first;
        readonly int _states = states;

        public readonly int Rank = rank;

        public float* B => _first;

        public float* C => _first + (ScanChunk.Tokens * _states * W);

        public float* LowRank => _first + (2 * ScanChunk.Tokens * _states * W);

        public void Clear() => new Span<float>(_first, ScanChunk.Tokens * W * ((2 * _states) + Rank)).Clear();
    }
}
