using System.Runtime.CompilerServices;

namespace BirdResearch.Kernels;

/// <summary>
/// Runs a diagonal scan tile by tile and chunk by chunk, laying a chunk's rows out for <see cref="DiagonalTile{V, L, TDirection}"/>. Work is
/// divided over batches and blocks of tiles; every number is summed in an order that does not depend on the threads.
/// </summary>
static unsafe class DiagonalEngine<V, L> where V : struct where L : struct, ILanes<V>
{
    const int Chunk = 64;       // tokens: short enough that a tile's rows stay in the first cache

    static int W => L.Width;

    /// <summary>Writes Y, and Sum where there is room for it.</summary>
    public static void Forward(DiagonalProblem problem)
    {
        var blocks = problem.Blocks(W);
        OpenMpPool.For(problem.Batch * blocks, item => ForwardBlock(problem, item / blocks, item % blocks, blocks));
    }

    /// <summary>Writes the gradients of everything.</summary>
    public static void Backward(DiagonalProblem problem)
    {
        var blocks = problem.Blocks(W);
        OpenMpPool.For(problem.Batch * blocks, item => BackwardBlock(problem, item / blocks, item % blocks, blocks));
    }

    static void ForwardBlock(in DiagonalProblem p, int batch, int block, int blocks)
    {
        var (first, last) = Range(p, block, blocks);
        var plane = 2 * p.PaddedStates * W;
        using var room = new Room(((last - first) * (3L * plane)) + (2 * Chunk * W));
        float* a = room.Take((last - first) * plane), w = room.Take((last - first) * plane), h = room.Take((last - first) * plane);
        float* u = room.Take(Chunk * W), y = room.Take(Chunk * W);
        var sum = p.Sum.Exists ? p.Sum : p.Y;
        for (var index = first; index < last; index++) Stage(p, p.Bases, index, a + ((index - first) * plane));
        for (var direction = 0; direction < p.Directions; direction++)
        {
            var weights = p.Weights + (2L * direction * p.States * p.Channels);
            for (var index = first; index < last; index++) Stage(p, weights, index, w + ((index - first) * plane));
            Clear(h, (last - first) * plane);
            var done = direction == p.Directions - 1;
            for (var chunk = 0; chunk < p.Chunks(Chunk); chunk++)
            {
                var span = new ChunkSpan(p, batch, chunk, fromEnd: direction == 1);
                for (var index = first; index < last; index++)
                {
                    var (channel, lanes) = (index * W, Math.Min(W, p.Channels - (index * W)));
                    var skip = Read(p.Skip + channel, lanes);
                    for (var t = 0; t < span.Count; t++)
                    {
                        var x = Read(p.U.At(span.Row(t)) + channel, lanes);
                        L.Store(x, u + (t * W));
                        L.Store(direction == 0 ? L.Multiply(skip, x) : Read(sum.At(span.Row(t)) + channel, lanes), y + (t * W));
                    }
                    var offset = (index - first) * plane;
                    if (direction == 0) DiagonalTile<V, L, Past>.Forward(span.Count, p.PaddedStates, u, y, a + offset, w + offset, h + offset);
                    else DiagonalTile<V, L, Future>.Forward(span.Count, p.PaddedStates, u, y, a + offset, w + offset, h + offset);
                    for (var t = 0; t < span.Count; t++)
                    {
                        var value = L.Load(y + (t * W));
                        if (!done || p.Sum.Exists) Write(value, sum.At(span.Row(t)) + channel, lanes);
                        if (done) Write(p.Gelu ? Curves<V, L>.Gelu(value) : value, p.Y.At(span.Row(t)) + channel, lanes);
                    }
                }
            }
        }
    }

    static void BackwardBlock(in DiagonalProblem p, int batch, int block, int blocks)
    {
        var (first, last) = Range(p, block, blocks);
        var plane = 2 * p.PaddedStates * W;
        var tiles = last - first;
        using var room = new Room((tiles * ((7L * plane) + W)) + (3 * Chunk * W));
        float* a = room.Take(tiles * plane), w = room.Take(tiles * plane), l = room.Take(tiles * plane), m = room.Take(tiles * plane);
        float* ul = room.Take(tiles * plane), um = room.Take(tiles * plane), dA = room.Take(tiles * plane), dSkip = room.Take(tiles * W);
        float* g = room.Take(Chunk * W), u = room.Take(Chunk * W), du = room.Take(Chunk * W);
        for (var index = first; index < last; index++) Stage(p, p.Bases, index, a + ((index - first) * plane));
        Clear(dA, tiles * plane);
        Clear(dSkip, tiles * W);
        for (var direction = 0; direction < p.Directions; direction++)
        {
            var offsetOfWeights = 2L * direction * p.States * p.Channels;
            for (var index = first; index < last; index++) Stage(p, p.Weights + offsetOfWeights, index, w + ((index - first) * plane));
            Clear(l, tiles * plane);
            Clear(m, tiles * plane);
            Clear(ul, tiles * plane);
            Clear(um, tiles * plane);
            for (var chunk = 0; chunk < p.Chunks(Chunk); chunk++)
            {
                var span = new ChunkSpan(p, batch, chunk, fromEnd: direction == 0);
                for (var index = first; index < last; index++)
                {
                    var (channel, lanes, offset) = (index * W, Math.Min(W, p.Channels - (index * W)), (index - first) * plane);
                    StageGradients(p, span, channel, lanes, direction == 0, g, u, du, dSkip + ((index - first) * W));
                    if (direction == 0) DiagonalTile<V, L, Past>.Backward(span.Count, p.PaddedStates, g, u, du, a + offset, w + offset, l + offset, m + offset, ul + offset, um + offset);
                    else DiagonalTile<V, L, Future>.Backward(span.Count, p.PaddedStates, g, u, du, a + offset, w + offset, l + offset, m + offset, ul + offset, um + offset);
                    for (var t = 0; t < span.Count; t++) Write(L.Load(du + (t * W)), p.GradU.At(span.Row(t)) + channel, lanes);
                }
            }
            for (var index = first; index < last; index++)
            {
                var offset = (index - first) * plane;
                GradientOfBases(p.PaddedStates, w + offset, um + offset, dA + offset);
                var whole = 2L * p.Directions * p.States * p.Channels;
                Unstage(p, ul + offset, index, p.GradWeights + (batch * whole) + offsetOfWeights, negateImaginary: true);
            }
        }
        for (var index = first; index < last; index++)
        {
            Unstage(p, dA + ((index - first) * plane), index, p.GradBases + (2L * batch * p.States * p.Channels), negateImaginary: false);
            var lanes = Math.Min(W, p.Channels - (index * W));
            Write(L.Load(dSkip + ((index - first) * W)), p.GradSkip + ((long)batch * p.Channels) + (index * W), lanes);
        }
    }

    /// <summary>Gradient of the sum before GELU, input, and what is known of the input's gradient, of a chunk's tokens.</summary>
    static void StageGradients(in DiagonalProblem p, ChunkSpan span, int channel, int lanes, bool first, float* g, float* u, float* du, float* dSkip)
    {
        var skip = Read(p.Skip + channel, lanes);
        var slope = L.Load(dSkip);
        for (var t = 0; t < span.Count; t++)
        {
            var row = span.Row(t);
            var given = Read(p.GradY.At(row) + channel, lanes);
            if (p.Gelu) given = L.Multiply(given, Curves<V, L>.GeluSlope(Read(p.Sum.At(row) + channel, lanes)));
            var x = Read(p.U.At(row) + channel, lanes);
            L.Store(given, g + (t * W));
            L.Store(x, u + (t * W));
            L.Store(first ? L.Multiply(skip, given) : Read(p.GradU.At(row) + channel, lanes), du + (t * W));
            if (first) slope = L.Fma(given, x, slope);
        }
        L.Store(slope, dSkip);
    }

    // y = Re F(a) with F' = w sum u m: the gradient of a is the conjugate of F'.
    static void GradientOfBases(int states, float* w, float* um, float* dA)
    {
        var imaginary = states * W;
        for (var n = 0; n < states * W; n += W)
        {
            V wr = L.Load(w + n), wi = L.Load(w + imaginary + n), mr = L.Load(um + n), mi = L.Load(um + imaginary + n);
            L.Store(L.Add(L.Load(dA + n), L.NegatedFma(wi, mi, L.Multiply(wr, mr))), dA + n);
            L.Store(L.NegatedFma(wr, mi, L.NegatedFma(wi, mr, L.Load(dA + imaginary + n))), dA + imaginary + n);
        }
    }

    /// <summary>A tile of (2, N, H), padded with zeros to whole vectors and states.</summary>
    static void Stage(in DiagonalProblem p, float* from, int tile, float* to)
    {
        var (channel, lanes) = (tile * W, Math.Min(W, p.Channels - (tile * W)));
        for (var part = 0; part < 2; part++)
            for (var n = 0; n < p.PaddedStates; n++, to += W)
                L.Store(n < p.States ? Read(from + ((((long)part * p.States) + n) * p.Channels) + channel, lanes) : L.Zero, to);
    }

    static void Unstage(in DiagonalProblem p, float* from, int tile, float* to, bool negateImaginary)
    {
        var (channel, lanes) = (tile * W, Math.Min(W, p.Channels - (tile * W)));
        for (var part = 0; part < 2; part++)
            for (var n = 0; n < p.States; n++)
            {
                var value = L.Load(from + (((part * p.PaddedStates) + n) * W));
                if (part == 1 && negateImaginary) value = L.Subtract(L.Zero, value);
                Write(value, to + ((((long)part * p.States) + n) * p.Channels) + channel, lanes);
            }
    }

    static void Clear(float* numbers, int count) => new Span<float>(numbers, count).Clear();

    static (int First, int Last) Range(in DiagonalProblem p, int block, int blocks)
    {
        var tiles = p.Tiles(W);
        return (tiles * block / blocks, tiles * (block + 1) / blocks);
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

    /// <summary>A chunk's tokens in the order of the scan, as rows.</summary>
    readonly struct ChunkSpan
    {
        readonly long _first;
        readonly int _step;

        public readonly int Count;

        public ChunkSpan(in DiagonalProblem p, int batch, int chunk, bool fromEnd)
        {
            var start = chunk * Chunk;
            Count = Math.Min(Chunk, p.Length - start);
            _first = ((long)batch * p.Length) + (fromEnd ? p.Length - 1 - start : start);
            _step = fromEnd ? -1 : 1;
        }

        public long Row(int token) => _first + (token * _step);
    }
}
