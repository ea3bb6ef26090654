using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace BirdResearch.Kernels;

/// <summary>A vector per token, this many numbers apart; reversed where that is negative.</summary>
readonly unsafe struct Strip(float* first, long stride)
{
    readonly float* _first = first;
    readonly long _stride = stride;

    public bool Exists => _first is not null;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float* At(int token) => _first + (token * _stride);
}

/// <summary>
/// The loops around the states, over a chunk laid out as one vector per token. None of them calls anything with a vector in hand: a call
/// spills vectors to the stack across cache lines, which costs more than the arithmetic.
/// </summary>
static unsafe class ChunkLoops<V, L> where V : struct where L : struct, ILanes<V>
{
    /// <summary>Lays out <paramref name="lanes"/> numbers of each of <paramref name="count"/> rows; lanes beyond are nought.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gather(float* from, long stride, int count, int lanes, float* to)
    {
        var w = L.Width;
        if (lanes == w)
        {
            for (var t = 0; t < count; t++, from += stride, to += w)
            {
                L.Prefetch(from + w); // the next tile's numbers
                L.Store(L.Load(from), to);
            }
            return;
        }
        for (var t = 0; t < count; t++, from += stride, to += w)
            for (var lane = 0; lane < w; lane++)
                to[lane] = lane < lanes ? from[lane] : 0;
    }

    /// <summary>The way back from <see cref="Gather"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scatter(float* from, int count, int lanes, float* to, long stride)
    {
        var w = L.Width;
        if (lanes == w)
        {
            for (var t = 0; t < count; t++, from += w, to += stride)
            {
                L.Store(L.Load(from), to);
                L.Prefetch(to + w);
            }

            return;
        }
        for (var t = 0; t < count; t++, from += w, to += stride)
            for (var lane = 0; lane < lanes; lane++)
                to[lane] = from[lane];
    }

    /// <summary>delta = softplus(raw + bias), or just the sum; its slope where there is room; and delta x u.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Steps(
        Strip raw, V bias, bool softplus, Strip u, int count, float* delta, float* slope, float* du, bool prefetch = true)
    {
        var w = L.Width;
        for (var t = 0; t < count; t++)
        {
            var value = L.Add(L.Load(raw.At(t)), bias);
            var rise = L.Broadcast(1);
            if (softplus) value = slope is null ? Curves<V, L>.Softplus(value) : Curves<V, L>.Softplus(value, out rise);
            if (slope is not null) L.Store(rise, slope + (t * w));
            L.Store(value, delta + (t * w));
            L.Store(L.Multiply(value, L.Load(u.At(t))), du + (t * w));
            L.Prefetch(u.At(t) + w);
            if (prefetch) L.Prefetch(raw.At(t) + w);
        }
    }

    /// <summary>The same with raw = sum over r of rows_r weight_r, four tokens at a time so that a weight is loaded once for them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void LowRankSteps(Strip rows, int rank, float* weight, V bias, Strip u, int count, float* delta, float* slope, float* du)
    {
        var w = L.Width;
        for (var t = 0; t < count; t += 4)
        {
            // the last tokens again where the chunk does not divide by four
            int t1 = Math.Min(t + 1, count - 1), t2 = Math.Min(t + 2, count - 1), t3 = Math.Min(t + 3, count - 1);
            float* row0 = rows.At(t), row1 = rows.At(t1), row2 = rows.At(t2), row3 = rows.At(t3), column = weight;
            V sum0 = bias, sum1 = bias, sum2 = bias, sum3 = bias;
            for (var r = 0; r < rank; r++, column += w)
            {
                var one = L.Load(column);
                sum0 = L.Fma(one, L.Broadcast(row0[r]), sum0);
                sum1 = L.Fma(one, L.Broadcast(row1[r]), sum1);
                sum2 = L.Fma(one, L.Broadcast(row2[r]), sum2);
                sum3 = L.Fma(one, L.Broadcast(row3[r]), sum3);
            }
            L.Store(sum0, delta + (t * w));
            L.Store(sum1, delta + (t1 * w));
            L.Store(sum2, delta + (t2 * w));
            L.Store(sum3, delta + (t3 * w));
        }
        Steps(new Strip(delta, w), L.Zero, true, u, count, delta, slope, du, prefetch: false);
    }

    /// <summary>to = (y + skip x u, plus what stands in to) x scale x SiLU(z).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Finish(float* y, Strip u, V skip, Strip z, V scale, bool add, Strip to, int count)
    {
        for (var t = 0; t < count; t++)
        {
            var value = L.Fma(L.Load(u.At(t)), skip, L.Load(y + (t * L.Width)));
            if (add) value = L.Add(value, L.Load(to.At(t)));
            value = L.Multiply(value, scale);
            if (z.Exists)
            {
                var gate = L.Load(z.At(t));
                value = L.Multiply(value, L.Multiply(gate, Curves<V, L>.Sigmoid(gate)));
                L.Prefetch(z.At(t) + L.Width);
            }
            L.Store(value, to.At(t));
            L.Prefetch(to.At(t) + L.Width);
        }
    }

    /// <summary>g = gradient x scale, and through the gate: gate = g x slope of SiLU(z), g x SiLU(z).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gradient(Strip gradient, V scale, Strip z, float* g, float* gate, int count)
    {
        var w = L.Width;
        var one = L.Broadcast(1);
        for (var t = 0; t < count; t++)
        {
            var outer = L.Multiply(L.Load(gradient.At(t)), scale);
            L.Prefetch(gradient.At(t) + w);
            if (z.Exists)
            {
                // d SiLU(z) / dz = s + z s (1 - s)
                var value = L.Load(z.At(t));
                var sigmoid = Curves<V, L>.Sigmoid(value);
                var silu = L.Multiply(value, sigmoid);
                L.Store(L.Multiply(outer, L.Fma(silu, L.Subtract(one, sigmoid), sigmoid)), gate + (t * w));
                outer = L.Multiply(outer, silu);
                L.Prefetch(z.At(t) + w);
            }
            L.Store(outer, g + (t * w));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Fill(float* to, V value, int count)
    {
        for (var t = 0; t < count; t++) L.Store(value, to + (t * L.Width));
    }

    /// <summary>The SiLU of values, in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Silu(float* values, int count)
    {
        for (var t = 0; t < count; t++)
        {
            var value = L.Load(values + (t * L.Width));
            L.Store(L.Multiply(value, Curves<V, L>.Sigmoid(value)), values + (t * L.Width));
        }
    }

    /// <summary>The way back through SiLU: values become g x its slope at them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void SiluBackward(float* g, float* values, int count)
    {
        var one = L.Broadcast(1);
        for (var t = 0; t < count; t++)
        {
            var value = L.Load(values + (t * L.Width));
            var sigmoid = Curves<V, L>.Sigmoid(value);
            var slope = L.Fma(L.Multiply(value, sigmoid), L.Subtract(one, sigmoid), sigmoid);
            L.Store(L.Multiply(L.Load(g + (t * L.Width)), slope), values + (t * L.Width));
        }
    }

    /// <summary>
    /// The end of the way back: gradients of the input and of raw, the latter left in <paramref name="toDelta"/>, and sums of the skip's and
    /// the bias's.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Close(
        float* toInput, float* toDelta, float* delta, Strip u, float* g, float* slope, V skip, float* dSkip, float* dBias, Strip dU, int count)
    {
        V ln2 = L.Broadcast(0.6931471805599453f), skipSum = L.Load(dSkip), biasSum = L.Load(dBias);
        for (var t = 0; t < count; t++)
        {
            var at = t * L.Width;
            V x = L.Load(u.At(t)), gy = L.Load(g + at), input = L.Load(toInput + at);
            L.Store(L.Fma(L.Load(delta + at), input, L.Multiply(skip, gy)), dU.At(t));
            var raw = L.Multiply(L.Fma(L.Load(toDelta + at), ln2, L.Multiply(x, input)), L.Load(slope + at));
            L.Store(raw, toDelta + at);
            L.Prefetch(dU.At(t) + L.Width);
            biasSum = L.Add(biasSum, raw);
            skipSum = L.Fma(gy, x, skipSum);
        }
        L.Store(skipSum, dSkip);
        L.Store(biasSum, dBias);
    }

    /// <summary>The gradient of the gate, to = (y + skip x u, plus what stands in to) x gate; without the factor while scans are yet to come.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void CloseGate(float* y, Strip u, V skip, float* gate, bool add, bool multiply, Strip to, int count)
    {
        for (var t = 0; t < count; t++)
        {
            var value = L.Fma(L.Load(u.At(t)), skip, L.Load(y + (t * L.Width)));
            if (add) value = L.Add(value, L.Load(to.At(t)));
            if (multiply) value = L.Multiply(value, L.Load(gate + (t * L.Width)));
            L.Store(value, to.At(t));
            L.Prefetch(to.At(t) + L.Width);
        }
    }

    /// <summary>Adds the lane sums of raw x weight_r to every token's, four ranks to a vector, and raw x rows_r to the weight's gradient.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void LowRankBackward(float* raw, Strip rows, int count, int rank, float* weight, float* fours, float* dWeight)
    {
        var w = L.Width;
        for (var r = 0; r < rank; r += 4)
        {
            V w0 = L.Load(weight + (r * w)), w1 = L.Load(weight + ((r + 1) * w)), w2 = L.Load(weight + ((r + 2) * w)), w3 = L.Load(weight + ((r + 3) * w));
            V d0 = L.Load(dWeight + (r * w)), d1 = L.Load(dWeight + ((r + 1) * w)), d2 = L.Load(dWeight + ((r + 2) * w)), d3 = L.Load(dWeight + ((r + 3) * w));
            int second = Math.Min(r + 1, rank - 1), third = Math.Min(r + 2, rank - 1), fourth = Math.Min(r + 3, rank - 1);
            var sum = fours + (r / 4 * w);
            for (var t = 0; t < count; t++, sum += (rank + 3) / 4 * w)
            {
                var g = L.Load(raw + (t * w));
                var numbers = rows.At(t);
                d0 = L.Fma(g, L.Broadcast(numbers[r]), d0);
                d1 = L.Fma(g, L.Broadcast(numbers[second]), d1);
                d2 = L.Fma(g, L.Broadcast(numbers[third]), d2);
                d3 = L.Fma(g, L.Broadcast(numbers[fourth]), d3);
                L.Store(L.Add(L.Load(sum), L.SumFour(L.Multiply(g, w0), L.Multiply(g, w1), L.Multiply(g, w2), L.Multiply(g, w3))), sum);
            }
            L.Store(d0, dWeight + (r * w));
            L.Store(d1, dWeight + ((r + 1) * w));
            L.Store(d2, dWeight + ((r + 2) * w));
            L.Store(d3, dWeight + ((r + 3) * w));
        }
    }

    /// <summary>Finishes sums that were taken four at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void SumQuarters(float* fours, int count, float* to)
    {
        var n = 0;
        for (; n + 4 <= count; n += 4) L.SumQuarters(L.Load(fours + (n / 4 * L.Width))).Store(to + n);
        for (var rest = n; rest < count; rest++) to[rest] = L.SumQuarters(L.Load(fours + (n / 4 * L.Width)))[rest - n];
    }

    /// <summary>y_t = bias + sum over k of tap_k x_{t + k}; x begins K - 1 tokens before y, and the bias stands after the taps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Convolve(float* x, float* taps, int kernel, float* y, int count)
    {
        var w = L.Width;
        var bias = L.Load(taps + (kernel * w));
        for (var t = 0; t < count; t++)
        {
            var sum = bias;
            for (var k = 0; k < kernel; k++) sum = L.Fma(L.Load(taps + (k * w)), L.Load(x + ((t + k) * w)), sum);
            L.Store(sum, y + (t * w));
        }
    }

    /// <summary>What the taps and the bias get from g, the gradient of <see cref="Convolve"/>'s y.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ConvolveTaps(float* x, float* g, int kernel, float* sums, int count)
    {
        var w = L.Width;
        for (var k = 0; k < kernel; k++)
        {
            var sum = L.Load(sums + (k * w));
            for (var t = 0; t < count; t++) sum = L.Fma(L.Load(g + (t * w)), L.Load(x + ((t + k) * w)), sum);
            L.Store(sum, sums + (k * w));
        }
        var bias = L.Load(sums + (kernel * w));
        for (var t = 0; t < count; t++) bias = L.Add(bias, L.Load(g + (t * w)));
        L.Store(bias, sums + (kernel * w));
    }

    /// <summary>dx_t += sum over k of tap_k g_{t + K - 1 - k}; g reaches K - 1 tokens beyond.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ConvolveInput(float* g, float* taps, int kernel, float* dx, int count)
    {
        var w = L.Width;
        for (var t = 0; t < count; t++)
        {
            var sum = L.Load(dx + (t * w));
            for (var k = 0; k < kernel; k++) sum = L.Fma(L.Load(taps + (k * w)), L.Load(g + ((t + kernel - 1 - k) * w)), sum);
            L.Store(sum, dx + (t * w));
        }
    }
}
