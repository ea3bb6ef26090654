using System.Runtime.CompilerServices;

namespace BirdResearch.Kernels;

/// <summary>
/// Adds and normalises row by row. Rows are shared out in parts of fixed size, and every number is summed in an order that does not depend
/// on the threads.
/// </summary>
static unsafe class AddNormRows<V, L> where V : struct where L : struct, ILanes<V>
{
    const int RowsPerPart = 64;

    static int W => L.Width;

    public static int Parts(long rows) => (int)((rows + RowsPerPart - 1) / RowsPerPart);

    public static void Forward(AddNormProblem p) =>
        OpenMpPool.For(Parts(p.Rows), part => ForwardPart(p, part * (long)RowsPerPart, Math.Min(p.Rows, (part + 1L) * RowsPerPart)));

    public static void Backward(AddNormProblem p) =>
        OpenMpPool.For(Parts(p.Rows), part => BackwardPart(p, part, part * (long)RowsPerPart, Math.Min(p.Rows, (part + 1L) * RowsPerPart)));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void ForwardPart(AddNormProblem p, long first, long last)
    {
        var (width, whole, each) = (p.Width, p.Width / W * W, 1f / p.Width);
        for (var row = first; row < last; row++)
        {
            var sum = p.Sum.At(row);
            AddUp(p, row, sum, whole);
            V total = L.Zero, squares = L.Zero;
            for (var i = 0; i < whole; i += W) total = L.Add(total, L.Load(sum + i));
            var mean = L.Sum(total);
            for (var i = whole; i < width; i++) mean += sum[i];
            mean *= each;
            var centre = L.Broadcast(mean);
            for (var i = 0; i < whole; i += W)
            {
                var d = L.Subtract(L.Load(sum + i), centre);
                squares = L.Fma(d, d, squares);
            }
            var variance = L.Sum(squares);
            for (var i = whole; i < width; i++) variance += (sum[i] - mean) * (sum[i] - mean);
            var scale = 1 / MathF.Sqrt((variance * each) + p.Epsilon);
            if (p.Moments.Exists) (p.Moments.At(row)[0], p.Moments.At(row)[1]) = (mean, scale);
            var scales = L.Broadcast(scale);
            for (var n = 0; n < p.Normed.Length; n++)
            {
                float* to = p.Normed[n].At(row), weight = p.Weights[n], bias = p.Biases[n];
                for (var i = 0; i < whole; i += W)
                    L.Store(L.Fma(L.Multiply(L.Subtract(L.Load(sum + i), centre), scales), L.Load(weight + i), L.Load(bias + i)), to + i);
                for (var i = whole; i < width; i++) to[i] = ((sum[i] - mean) * scale * weight[i]) + bias[i];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void AddUp(AddNormProblem p, long row, float* sum, int whole)
    {
        float* a = p.Terms[0].At(row), b = p.Terms[1].At(row);
        var scale = L.Broadcast(p.Scale);
        for (var i = 0; i < whole; i += W) L.Store(L.Fma(L.Load(a + i), scale, L.Load(b + i)), sum + i);
        for (var i = whole; i < p.Width; i++) sum[i] = (a[i] * p.Scale) + b[i];
        for (var t = 2; t < p.Terms.Length; t++)
        {
            var c = p.Terms[t].At(row);
            for (var i = 0; i < whole; i += W) L.Store(L.Add(L.Load(sum + i), L.Load(c + i)), sum + i);
            for (var i = whole; i < p.Width; i++) sum[i] += c[i];
        }
    }

    // With x^ = (x - mean) scale and g = sum of w dy: dx = scale (g - mean(g) - x^ mean(g x^)), dw = sum of dy x^, db = sum of dy.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void BackwardPart(AddNormProblem p, int part, long first, long last)
    {
        var (width, whole, each, norms) = (p.Width, p.Width / W * W, 1f / p.Width, p.Normed.Length);
        using var room = new Room(2L * width);
        float* unit = room.Take(width), g = room.Take(width);
        var gradients = p.GradNorms + ((long)part * norms * 2 * width);
        new Span<float>(gradients, norms * 2 * width).Clear();
        for (var row = first; row < last; row++)
        {
            var sum = p.Sum.At(row);
            var (mean, scale) = (p.Moments.At(row)[0], p.Moments.At(row)[1]);
            V centre = L.Broadcast(mean), scales = L.Broadcast(scale), along = L.Zero, total = L.Zero;
            var (alongRest, totalRest) = (0f, 0f);
            for (var n = 0; n < norms; n++)
            {
                float* dy = p.Normed[n].At(row), weight = p.Weights[n], dw = gradients + (2L * n * width), db = dw + width;
                for (var i = 0; i < whole; i += W)
                {
                    V given = L.Load(dy + i), x = L.Multiply(L.Subtract(L.Load(sum + i), centre), scales), inner = L.Multiply(given, L.Load(weight + i));
                    L.Store(L.Fma(given, x, L.Load(dw + i)), dw + i);
                    L.Store(L.Add(given, L.Load(db + i)), db + i);
                    total = L.Add(total, inner);
                    along = L.Fma(inner, x, along);
                    L.Store(x, unit + i);
                    L.Store(n == 0 ? inner : L.Add(inner, L.Load(g + i)), g + i);
                }
                for (var i = whole; i < width; i++)
                {
                    float x = (sum[i] - mean) * scale, inner = dy[i] * weight[i];
                    dw[i] += dy[i] * x;
                    db[i] += dy[i];
                    totalRest += inner;
                    alongRest += inner * x;
                    unit[i] = x;
                    g[i] = n == 0 ? inner : inner + g[i];
                }
            }
            Spread(p, row, unit, g, (L.Sum(total) + totalRest) * each, (L.Sum(along) + alongRest) * each, scale, whole);
        }
    }

    /// <summary>Writes the terms' gradients of a row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Spread(AddNormProblem p, long row, float* unit, float* g, float meanOfG, float meanAlong, float scale, int whole)
    {
        var dx = p.GradTerm.At(row);
        V shift = L.Broadcast(meanOfG), tilt = L.Broadcast(meanAlong), scales = L.Broadcast(scale);
        for (var i = 0; i < whole; i += W) L.Store(L.Multiply(scales, L.NegatedFma(L.Load(unit + i), tilt, L.Subtract(L.Load(g + i), shift))), dx + i);
        for (var i = whole; i < p.Width; i++) dx[i] = scale * (g[i] - meanOfG - (unit[i] * meanAlong));
        if (p.GradSum.Exists)
        {
            var given = p.GradSum.At(row);
            for (var i = 0; i < whole; i += W) L.Store(L.Add(L.Load(dx + i), L.Load(given + i)), dx + i);
            for (var i = whole; i < p.Width; i++) dx[i] += given[i];
        }
        if (!p.GradScaled.Exists) return;
        var scaled = p.GradScaled.At(row);
        var factor = L.Broadcast(p.Scale);
        for (var i = 0; i < whole; i += W) L.Store(L.Multiply(L.Load(dx + i), factor), scaled + i);
        for (var i = whole; i < p.Width; i++) scaled[i] = dx[i] * p.Scale;
    }
}
