using System.Runtime.CompilerServices;

namespace BirdResearch.Kernels;

/// <summary>y = a sigmoid(b) over rows of a and b side by side.</summary>
static unsafe class GatedRows<V, L> where V : struct where L : struct, ILanes<V>
{
    const int RowsPerPart = 512;

    public static void Forward(Rows x, Rows y, long rows, int width) =>
        OpenMpPool.For(Parts(rows), part => ForwardPart(x, y, part * RowsPerPart, Math.Min(rows, (part + 1L) * RowsPerPart), width));

    public static void Backward(Rows x, Rows gradient, Rows dx, long rows, int width) =>
        OpenMpPool.For(Parts(rows), part => BackwardPart(x, gradient, dx, part * RowsPerPart, Math.Min(rows, (part + 1L) * RowsPerPart), width));

    static int Parts(long rows) => (int)((rows + RowsPerPart - 1) / RowsPerPart);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void ForwardPart(Rows x, Rows y, long first, long last, int width)
    {
        var whole = width / L.Width * L.Width;
        for (var row = first; row < last; row++)
        {
            float* a = x.At(row), b = a + width, to = y.At(row);
            for (var i = 0; i < whole; i += L.Width) L.Store(L.Multiply(L.Load(a + i), Curves<V, L>.Sigmoid(L.Load(b + i))), to + i);
            for (var i = whole; i < width; i++) to[i] = a[i] / (1 + MathF.Exp(-b[i]));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void BackwardPart(Rows x, Rows gradient, Rows dx, long first, long last, int width)
    {
        var whole = width / L.Width * L.Width;
        for (var row = first; row < last; row++)
        {
            float* a = x.At(row), b = a + width, g = gradient.At(row), da = dx.At(row), db = da + width;
            for (var i = 0; i < whole; i += L.Width)
            {
                V s = Curves<V, L>.Sigmoid(L.Load(b + i)), open = L.Multiply(L.Load(g + i), s);
                L.Store(open, da + i);
                L.Store(L.Multiply(L.Multiply(open, L.Load(a + i)), L.Subtract(L.Broadcast(1), s)), db + i);
            }
            for (var i = whole; i < width; i++)
            {
                var s = 1 / (1 + MathF.Exp(-b[i]));
                da[i] = g[i] * s;
                db[i] = g[i] * s * a[i] * (1 - s);
            }
        }
    }
}
