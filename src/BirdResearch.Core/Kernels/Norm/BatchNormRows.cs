using System.Runtime.CompilerServices;

namespace BirdResearch.Kernels;

/// <summary>
/// The four passes of a batch norm with its activation <typeparamref name="A"/>: two forward, two backward. Rows are shared out in parts whose size follows
/// from the width alone, so that no sum depends on the threads. The last channels beyond whole vectors go one by one, padded.
/// </summary>
static unsafe class BatchNormRows<V, L, A> where V : struct where L : struct, ILanes<V> where A : struct, INormActivation<V, L>
{
    const int NumbersPerPart = 1 << 15;

    static int W => L.Width;

    static int RowsPerPart(int width) => Math.Clamp(NumbersPerPart / width, 16, 1024);

    public static int Parts(long rows, int width) => (int)((rows + RowsPerPart(width) - 1) / RowsPerPart(width));

    /// <summary>Sums of every channel's distance from the centre, and of its square.</summary>
    public static void Moments(BatchNormProblem p) => Each(p, MomentsOf);

    /// <summary>Normalises and activates.</summary>
    public static void Forward(BatchNormProblem p) => Each(p, ForwardOf);

    /// <summary>Sums of z's gradient, and of its product with the distance from the mean.</summary>
    public static void GradientSums(BatchNormProblem p) => Each(p, GradientSumsOf);

    /// <summary>The gradient of the input.</summary>
    public static void Backward(BatchNormProblem p) => Each(p, BackwardOf);

    static void Each(BatchNormProblem p, Action<BatchNormProblem, int, long, long> pass)
    {
        var each = RowsPerPart(p.Width);
        OpenMpPool.For(Parts(p.Rows, p.Width), part => pass(p, part, part * (long)each, Math.Min(p.Rows, (part + 1L) * each)));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void MomentsOf(BatchNormProblem p, int part, long first, long last)
    {
        var (width, whole) = (p.Width, p.Width / W * W);
        float* sum = p.Sums + (2L * part * width), squares = sum + width, centre = p.Centre;
        new Span<float>(sum, 2 * width).Clear();
        var row = first;
        for (; row + 4 <= last; row += 4)
        {
            float* a = p.Input.At(row), b = a + width, c = b + width, d = c + width;
            for (var i = 0; i < whole; i += W)
            {
                V middle = L.Load(centre + i), s = L.Load(sum + i), q = L.Load(squares + i);
                Count(L.Load(a + i), middle, ref s, ref q);
                Count(L.Load(b + i), middle, ref s, ref q);
                Count(L.Load(c + i), middle, ref s, ref q);
                Count(L.Load(d + i), middle, ref s, ref q);
                L.Store(s, sum + i);
                L.Store(q, squares + i);
            }
        }
        for (; row < last; row++)
        {
            var a = p.Input.At(row);
            for (var i = 0; i < whole; i += W)
            {
                V s = L.Load(sum + i), q = L.Load(squares + i);
                Count(L.Load(a + i), L.Load(centre + i), ref s, ref q);
                L.Store(s, sum + i);
                L.Store(q, squares + i);
            }
        }
        if (whole == width) return;
        for (row = first; row < last; row++)
        {
            var a = p.Input.At(row);
            for (var i = whole; i < width; i++)
            {
                var distance = a[i] - centre[i];
                sum[i] += distance;
                squares[i] += distance * distance;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Count(V x, V middle, ref V sum, ref V squares)
    {
        var distance = L.Subtract(x, middle);
        sum = L.Add(sum, distance);
        squares = L.Fma(distance, distance, squares);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void ForwardOf(BatchNormProblem p, int part, long first, long last)
    {
        var (width, whole) = (p.Width, p.Width / W * W);
        float* factor = p.Affine, offset = factor + width;
        for (var row = first; row < last; row++)
        {
            float* x = p.Input.At(row), y = p.Output.At(row);
            for (var i = 0; i < whole; i += W)
                L.Store(A.Value(L.Fma(L.Load(x + i), L.Load(factor + i), L.Load(offset + i))), y + i);
            for (var i = whole; i < width; i++)
                y[i] = First(A.Value(L.Broadcast((x[i] * factor[i]) + offset[i])));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void GradientSumsOf(BatchNormProblem p, int part, long first, long last)
    {
        var (width, whole) = (p.Width, p.Width / W * W);
        float* sum = p.Sums + (2L * part * width), along = sum + width, factor = p.Affine, offset = factor + width, centre = p.Centre;
        new Span<float>(sum, 2 * width).Clear();
        var row = first;
        for (; row + 2 <= last; row += 2)
        {
            float* x = p.Input.At(row), dy = p.Output.At(row);
            for (var i = 0; i < whole; i += W)
            {
                V f = L.Load(factor + i), o = L.Load(offset + i), c = L.Load(centre + i), s = L.Load(sum + i), t = L.Load(along + i);
                Gather(L.Load(x + i), L.Load(dy + i), f, o, c, ref s, ref t);
                Gather(L.Load(x + width + i), L.Load(dy + width + i), f, o, c, ref s, ref t);
                L.Store(s, sum + i);
                L.Store(t, along + i);
            }
        }
        for (; row < last; row++)
        {
            float* x = p.Input.At(row), dy = p.Output.At(row);
            for (var i = 0; i < whole; i += W)
            {
                V s = L.Load(sum + i), t = L.Load(along + i);
                Gather(L.Load(x + i), L.Load(dy + i), L.Load(factor + i), L.Load(offset + i), L.Load(centre + i), ref s, ref t);
                L.Store(s, sum + i);
                L.Store(t, along + i);
            }
        }
        if (whole == width) return;
        for (row = first; row < last; row++)
        {
            float* x = p.Input.At(row), dy = p.Output.At(row);
            for (var i = whole; i < width; i++)
            {
                var dz = First(A.Gradient(L.Broadcast((x[i] * factor[i]) + offset[i]), L.Broadcast(dy[i])));
                sum[i] += dz;
                along[i] += dz * (x[i] - centre[i]);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Gather(V x, V dy, V factor, V offset, V centre, ref V sum, ref V along)
    {
        var dz = A.Gradient(L.Fma(x, factor, offset), dy);
        sum = L.Add(sum, dz);
        along = L.Fma(dz, L.Subtract(x, centre), along);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void BackwardOf(BatchNormProblem p, int part, long first, long last)
    {
        var (width, whole) = (p.Width, p.Width / W * W);
        float* factor = p.Affine, offset = factor + width, centre = p.Centre, loss = p.Corrections, slope = loss + width;
        for (var row = first; row < last; row++)
        {
            float* x = p.Input.At(row), dy = p.Output.At(row), dx = p.GradInput.At(row);
            for (var i = 0; i < whole; i += W)
            {
                V from = L.Load(x + i), f = L.Load(factor + i);
                var dz = A.Gradient(L.Fma(from, f, L.Load(offset + i)), L.Load(dy + i));
                var rest = L.NegatedFma(L.Subtract(from, L.Load(centre + i)), L.Load(slope + i), L.Subtract(dz, L.Load(loss + i)));
                L.Store(L.Multiply(rest, f), dx + i);
            }
            for (var i = whole; i < width; i++)
            {
                var dz = First(A.Gradient(L.Broadcast((x[i] * factor[i]) + offset[i]), L.Broadcast(dy[i])));
                dx[i] = (dz - loss[i] - ((x[i] - centre[i]) * slope[i])) * factor[i];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static float First(V value) => Unsafe.As<V, float>(ref value);
}
