using System.Numerics;
using BirdResearch.Export.Graph;
using BirdResearch.Models;
using static TorchSharp.torch;

namespace BirdResearch.Export;

/// <summary>
/// S4D's convolution with a kernel as long as the sound, Re sum_n w_n a_n^l, in chunks of Q tokens: within a chunk a Toeplitz matrix per channel,
/// between chunks the complex states, which one matrix reads from a chunk, a Scan over chunks carries on, and one matrix writes to the next.
/// </summary>
static class StateSpaceNodes
{
    /// <summary>Tokens (B, L, H) -> the same shape, with the skip connection and without GELU.</summary>
    /// <param name="graph">Receives the nodes.</param>
    /// <param name="tokens">(B, L, H).</param>
    /// <param name="layer">S4D with one head.</param>
    /// <param name="length">L.</param>
    /// <param name="tokensPerChunk">Q; null takes what runs fastest for its size.</param>
    public static OnnxValue Convolve(OnnxGraph graph, OnnxValue tokens, S4Convolution layer, long length, long? tokensPerChunk = null)
    {
        if (layer.Settings is not { Mode: S4Mode.Diagonal, Heads: 1 } || layer.Settings.MostTokens < length)
            throw new NotSupportedException("Only S4D with one head and kernels as long as the sound has an ONNX form; S4 with a low-rank part has none yet.");
        var space = new Space(layer);
        var chunk = tokensPerChunk ?? Chunk(length, space);
        var chunks = (length + chunk - 1) / chunk;
        var (channels, planes) = (space.Channels, 2L * space.States * space.Directions);         // real and imaginary parts, past and future

        var padded = graph.PadTokens(tokens, 0, (chunks * chunk) - length);
        var split = graph.Reshape(graph.Transpose(graph.Reshape(padded, -1, chunks, chunk, channels), 3, 0, 1, 2), channels, -1, chunk);   // (H, B K, Q)
        var read = graph.MatMul(split, graph.Floats(space.Reading(chunk), channels, chunk, chunk + planes));
        var parts = graph.Split(read, 2, chunk, planes);                                         // y within the chunk, and what it adds to the states
        var carried = Carry(graph, graph.Reshape(parts[1], channels, -1, chunks, planes), space, chunk);
        var written = graph.MatMul(graph.Reshape(carried, channels, -1, planes), graph.Floats(space.Writing(chunk), channels, planes, chunk));
        var y = graph.Transpose(graph.Reshape(graph.Plus(parts[0], written), channels, -1, chunks, chunk), 1, 2, 3, 0);   // (B, K, Q, H)
        var whole = graph.Reshape(y, -1, chunks * chunk, channels);
        return chunks * chunk == length ? whole : graph.Slice(whole, 1, 0, length);
    }

    // A token costs Q multiply-adds for its chunk and 8 for each of the states, and every chunk a step of the Scan; products of 128 tokens are where
    // both are small. CPU ms per clip at batch 1 with chunks of 32, 64, 128 and 256: 5000 tokens of 256 channels 71, 51, 45; 20000 of 128 channels
    // 135, 92, 77, 76; 80000 of 64 channels 238, 134, 117, 114; a Conv with the whole kernel takes 420 at 1250 tokens, where chunks of 16 take 39.
    // The matrices of a layer hold H Q (Q + 8 N) numbers, which are kept to 32 MiB: 256 channels take chunks of 64.
    static long Chunk(long length, Space space)
    {
        var chunk = 4L;
        while (chunk < 128 && 2 * chunk <= length && Numbers(2 * chunk) <= 1 << 23) chunk *= 2;
        return chunk;

        long Numbers(long q) => space.Channels * q * (q + (4L * space.States * space.Directions));
    }

    /// <summary>What each chunk's tokens add to the states (H, B, K, planes) -> the states that reach the chunk from before, and from behind.</summary>
    static OnnxValue Carry(OnnxGraph graph, OnnxValue added, Space space, long chunk)
    {
        var planes = 2L * space.States;
        OnnxValue[] both = space.Directions == 1 ? [added] : [.. graph.Split(added, 3, planes, planes)];
        var batch = graph.Add("Shape", [added], ("start", 1), ("end", 2));
        var none = graph.Add("ConstantOfShape", [graph.Concat(0, graph.Integers(space.Channels), batch, graph.Integers(planes))],
            ("value", new OnnxConstant(OnnxType.Float, [1], new byte[sizeof(float)])));
        var (real, imaginary) = space.Powers(chunk);
        var shape = new[] { (long)space.Channels, 1, planes };
        var carried = both.Select((direction, i) =>
        {
            var body = graph.Body();
            var before = body.Input("state", OnnxType.Float, space.Channels, "batch", planes);
            var given = body.Input("added", OnnxType.Float, space.Channels, "batch", planes);
            var halves = body.Split(before, 2, space.States, space.States);
            var turned = body.Concat(2, halves[1], halves[0]);
            var kept = body.Plus(body.Times(before, body.Floats(real, shape)), body.Times(turned, body.Floats(imaginary, shape)));
            body.Output("next", body.Plus(kept, given), OnnxType.Float, space.Channels, "batch", planes);
            body.Output("reaching", before, OnnxType.Float, space.Channels, "batch", planes);
            var backwards = new[] { (long)i };
            return graph.Add("Scan", [none, direction], 2,
                ("body", body), ("num_scan_inputs", 1), ("scan_input_axes", new[] { 2L }), ("scan_input_directions", backwards),
                ("scan_output_axes", new[] { 2L }), ("scan_output_directions", backwards))[1];
        });
        return graph.Concat(3, [.. carried]);
    }

    /// <summary>The numbers of the state spaces, in double.</summary>
    sealed class Space
    {
        readonly Complex[,] _logBase;               // (H, N)
        readonly Complex[,,] _weights;              // (1 or 2, H, N)
        readonly double[] _skip;                    // (H)

        public Space(S4Convolution layer)
        {
            using var scope = NewDisposeScope();
            using var off = no_grad();
            var (logBase, weights) = layer.Kernel.Powers();
            (Directions, Channels, States) = ((int)weights.shape[0], (int)weights.shape[1], (int)weights.shape[2]);
            var (bases, factors) = (Numbers(logBase), Numbers(weights));
            _logBase = new Complex[Channels, States];
            _weights = new Complex[Directions, Channels, States];
            for (var i = 0; i < bases.Length; i++) _logBase[i / States, i % States] = bases[i];
            for (var i = 0; i < factors.Length; i++) _weights[i / (Channels * States), i / States % Channels, i % States] = factors[i];
            _skip = layer.Skip.to(ScalarType.Float64).contiguous().data<double>().ToArray();
        }

        public int Directions { get; }

        public int Channels { get; }

        public int States { get; }

        static Complex[] Numbers(Tensor complex)
        {
            var parts = view_as_real(complex.contiguous()).to(ScalarType.Float64).contiguous().data<double>().ToArray();
            return [.. Enumerable.Range(0, parts.Length / 2).Select(i => new Complex(parts[2 * i], parts[(2 * i) + 1]))];
        }

        /// <summary>a^count of every channel and state, as factors of the state's own part and of its other part: (H, 1, 2 N) each.</summary>
        public (float[] Own, float[] Other) Powers(long count)
        {
            var (own, other) = (new float[Channels * 2 * States], new float[Channels * 2 * States]);
            for (var h = 0; h < Channels; h++)
                for (var n = 0; n < States; n++)
                {
                    var power = Complex.Exp(_logBase[h, n] * count);
                    var place = (h * 2 * States) + n;
                    own[place] = own[place + States] = (float)power.Real;
                    (other[place], other[place + States]) = ((float)-power.Imaginary, (float)power.Imaginary);
                }
            return (own, other);
        }

        /// <summary>(H, Q, Q + planes): Toeplitz matrices, then what each token of a chunk adds to the states behind it and before it.</summary>
        public float[] Reading(long chunk)
        {
            var (q, planes) = ((int)chunk, 2 * States * Directions);
            var result = new float[Channels * q * (q + planes)];
            Parallel.For(0, Channels, h =>
            {
                var powers = PowersUpTo(h, q);
                var kernels = new double[2, q];
                for (var direction = 0; direction < Directions; direction++)
                    for (var lag = 0; lag < q; lag++)
                        for (var n = 0; n < States; n++) kernels[direction, lag] += (_weights[direction, h, n] * powers[lag, n]).Real;
                for (var from = 0; from < q; from++)
                {
                    var row = result.AsSpan(((h * q) + from) * (q + planes), q + planes);
                    for (var to = 0; to < q; to++)
                        row[to] = (float)(to < from ? kernels[1, from - to - 1] : kernels[0, to - from] + (to == from ? _skip[h] : 0));
                    for (var direction = 0; direction < Directions; direction++)
                        for (var n = 0; n < States; n++)
                        {
                            var power = powers[direction == 0 ? q - 1 - from : from, n];
                            var place = q + (direction * 2 * States) + n;
                            (row[place], row[place + States]) = ((float)power.Real, (float)power.Imaginary);
                        }
                }
            });
            return result;
        }

        /// <summary>(H, planes, Q): what the states that reach a chunk add to each of its tokens.</summary>
        public float[] Writing(long chunk)
        {
            var (q, planes) = ((int)chunk, 2 * States * Directions);
            var result = new float[Channels * planes * q];
            Parallel.For(0, Channels, h =>
            {
                var powers = PowersUpTo(h, q + 1);
                for (var direction = 0; direction < Directions; direction++)
                    for (var n = 0; n < States; n++)
                        for (var to = 0; to < q; to++)
                        {
                            var factor = _weights[direction, h, n] * powers[direction == 0 ? to + 1 : q - 1 - to, n];
                            var place = (((h * planes) + (direction * 2 * States) + n) * q) + to;
                            (result[place], result[place + (States * q)]) = ((float)factor.Real, (float)-factor.Imaginary);
                        }
            });
            return result;
        }

        Complex[,] PowersUpTo(int channel, int count)
        {
            var powers = new Complex[count, States];
            for (var l = 0; l < count; l++)
                for (var n = 0; n < States; n++) powers[l, n] = Complex.Exp(_logBase[channel, n] * l);
            return powers;
        }
    }
}
