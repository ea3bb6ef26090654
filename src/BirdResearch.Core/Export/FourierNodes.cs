using BirdResearch.Export.Graph;

namespace BirdResearch.Export;

/// <summary>
/// Filter bank of power spectra by Cooley and Tukey's split (1965) of the transform's length N = P Q into two small matrix products:
/// <c>X[p + P q] = sum_b e^(-2 pi i b q / Q) e^(-2 pi i b p / N) sum_a x[Q a + b] e^(-2 pi i a p / P)</c>.
/// The window and the factors between them are multiplied into the first matrices, and real sound needs only p up to P / 2, since the power
/// of bin N - k is that of bin k. A tenth of the dense transform's work, in operators that every runtime has tuned.
/// </summary>
static class FourierNodes
{
    /// <summary>Frames (B, N, F) -> filter outputs (B, filters, F).</summary>
    /// <param name="graph">Receives the nodes.</param>
    /// <param name="frames">Sound in columns, without its window.</param>
    /// <param name="frameCount">F.</param>
    /// <param name="window">N factors.</param>
    /// <param name="weights">(N / 2 + 1) x filters, row-major.</param>
    /// <param name="power">Exponent of the magnitude: 2 for power.</param>
    public static OnnxValue FilterBank(OnnxGraph graph, OnnxValue frames, long frameCount, double[] window, ReadOnlySpan<double> weights, double power)
    {
        var length = window.Length;
        var filters = weights.Length / (length / 2 + 1);
        var place = Places(length, filters, weights);

        var (p, q) = (place.P, length / place.P);
        var pairs = p / 2 + 1;
        var split = graph.Transpose(graph.Reshape(frames, -1, p, q, frameCount), 0, 2, 1, 3);               // (B, Q, P, F)
        var first = graph.MatMul(graph.Floats(First(window, p, q), q, 2 * pairs, p), split);                // (B, Q, 2 pairs, F)
        var second = graph.MatMul(
            graph.Floats(Second(place.Rows, q), 2 * place.Rows.Length, 2 * q),
            graph.Reshape(first, -1, 2 * q, pairs * frameCount));                                           // (B, 2 rows, pairs F)
        var parts = graph.Split(graph.Times(second, second), 1, place.Rows.Length, place.Rows.Length);
        var spectra = graph.Reshape(graph.Plus(parts[0], parts[1]), -1, place.Rows.Length * pairs, frameCount);   // (B, rows pairs, F)
        if (power == 1) spectra = graph.Add("Sqrt", [spectra]);
        else if (power != 2) spectra = graph.Add("Pow", [spectra, graph.Float(power / 2)]);
        return graph.MatMul(graph.Floats(place.Weights, filters, place.Rows.Length * pairs), spectra);
    }

    /// <summary>The cheapest split, the rows q of it that any filter reads, and the filters' weights in the order in which bins come.</summary>
    static (int P, int[] Rows, float[] Weights) Places(int length, int filters, ReadOnlySpan<double> weights)
    {
        var used = new bool[length / 2 + 1];
        for (var bin = 0; bin < used.Length; bin++) used[bin] = weights.Slice(bin * filters, filters).ContainsAnyExcept(0);
        var p = Enumerable.Range(1, length).Where(p => length % p == 0).MinBy(p => Cost(used, length, p));
        var (q, pairs) = (length / p, p / 2 + 1);
        int[] rows = Rows(used, length, p);
        var ordered = new float[filters * rows.Length * pairs];
        var taken = new bool[used.Length];
        for (var row = 0; row < rows.Length; row++)
            for (var pair = 0; pair < pairs; pair++)
            {
                var bin = Bin(length, pair + (p * rows[row]));
                if (taken[bin]) continue;      // pairs 0 and P / 2 meet every bin twice
                taken[bin] = true;
                for (var filter = 0; filter < filters; filter++)
                    ordered[(((filter * rows.Length) + row) * pairs) + pair] = (float)weights[(bin * filters) + filter];
            }
        return (p, rows, ordered);
    }

    static double Cost(bool[] used, int length, int p)
    {
        double q = length / p, pairs = p / 2 + 1;
        return (2 * pairs * length) + (pairs * 2 * Rows(used, length, p).Length * 2 * q);
    }

    /// <summary>The q whose bins p + P q, or their mirror images, are read.</summary>
    static int[] Rows(bool[] used, int length, int p) =>
        [.. Enumerable.Range(0, length / p).Where(q => Enumerable.Range(0, p / 2 + 1).Any(pair => used[Bin(length, pair + (p * q))])).DefaultIfEmpty(0)];

    static int Bin(int length, int k) => Math.Min(k, length - k);

    /// <summary>(Q, 2 pairs, P): real parts, then imaginary ones.</summary>
    static float[] First(double[] window, int p, int q)
    {
        var (length, pairs) = (p * q, p / 2 + 1);
        var matrices = new float[q * 2 * pairs * p];
        for (var b = 0; b < q; b++)
            for (var pair = 0; pair < pairs; pair++)
                for (var a = 0; a < p; a++)
                {
                    var (sine, cosine) = Math.SinCos(-2 * Math.PI * ((((long)a * pair * q) + ((long)b * pair)) % length) / length);
                    var factor = window[(q * a) + b];
                    matrices[(((b * 2 * pairs) + pair) * p) + a] = (float)(factor * cosine);
                    matrices[(((b * 2 * pairs) + pairs + pair) * p) + a] = (float)(factor * sine);
                }
        return matrices;
    }

    /// <summary>(2 rows, Q x 2): real parts of the result, then imaginary ones, from real and imaginary parts side by side.</summary>
    static float[] Second(int[] rows, int q)
    {
        var matrix = new float[2 * rows.Length * 2 * q];
        for (var row = 0; row < rows.Length; row++)
            for (var b = 0; b < q; b++)
            {
                var (sine, cosine) = Math.SinCos(-2 * Math.PI * ((long)b * rows[row] % q) / q);
                var (real, imaginary) = ((row * 2 * q) + (2 * b), ((rows.Length + row) * 2 * q) + (2 * b));
                (matrix[real], matrix[real + 1]) = ((float)cosine, (float)-sine);
                (matrix[imaginary], matrix[imaginary + 1]) = ((float)sine, (float)cosine);
            }
        return matrix;
    }
}
