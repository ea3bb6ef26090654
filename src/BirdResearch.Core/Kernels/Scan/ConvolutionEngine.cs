using System.Runtime.CompilerServices;

namespace BirdResearch.Kernels;

static unsafe partial class ScanEngine<V, L>
{
    /// <summary>y = SiLU(causal convolution of x).</summary>
    public static void Convolve(ConvolutionProblem problem)
    {
        var tiles = (problem.Channels + W - 1) / W;
        var blocks = Math.Min(tiles, (16 + problem.Batch - 1) / problem.Batch);
        OpenMpPool.For(problem.Batch * blocks, item => ConvolveBlock(problem, item / blocks, Range(tiles, item % blocks, blocks)));
    }

    /// <summary>Gradients of x, weight and bias.</summary>
    public static void ConvolveBackward(ConvolutionProblem problem)
    {
        var tiles = (problem.Channels + W - 1) / W;
        var blocks = Math.Min(tiles, (16 + problem.Batch - 1) / problem.Batch);
        OpenMpPool.For(problem.Batch * blocks, item => ConvolveBackwardBlock(problem, item / blocks, Range(tiles, item % blocks, blocks)));
    }

    static void ConvolveBlock(in ConvolutionProblem p, int batch, (int First, int Last) tiles)
    {
        var size = (p.Kernel + 1) * W;
        using var room = new Room((tiles.Last - tiles.First) * size);
        var taps = TapsOf(p, tiles, room.Take((tiles.Last - tiles.First) * size));
        for (var start = 0; start < p.Length; start += ScanChunk.Tokens)
            for (var tile = tiles.First; tile < tiles.Last; tile++)
            {
                var (channel, lanes) = (tile * W, Math.Min(W, p.Channels - (tile * W)));
                var own = taps + ((tile - tiles.First) * size);
                for (var t = start; t < Math.Min(p.Length, start + ScanChunk.Tokens); t++)
                {
                    var sum = Convolved(p, batch, t, channel, lanes, own);
                    Write(L.Multiply(sum, Curves<V, L>.Sigmoid(sum)), p.Y.At(p.Row(batch, t)) + channel, lanes);
                }
            }
    }

    static void ConvolveBackwardBlock(in ConvolutionProblem p, int batch, (int First, int Last) tiles)
    {
        var (count, size) = (tiles.Last - tiles.First, (p.Kernel + 1) * W);
        using var room = new Room(2L * count * size);
        var taps = TapsOf(p, tiles, room.Take(count * size));
        var sums = room.Take(count * size);
        new Span<float>(sums, count * size).Clear();
        for (var start = (p.Length - 1) / ScanChunk.Tokens * ScanChunk.Tokens; start >= 0; start -= ScanChunk.Tokens)
            for (var tile = tiles.First; tile < tiles.Last; tile++)
            {
                var (channel, lanes) = (tile * W, Math.Min(W, p.Channels - (tile * W)));
                float* own = taps + ((tile - tiles.First) * size), sum = sums + ((tile - tiles.First) * size);
                var end = Math.Min(p.Length, start + ScanChunk.Tokens);
                for (var t = start; t < end; t++) BeforeActivation(p, batch, t, channel, lanes, own, sum);
                for (var t = start; t < end; t++) GradientOfInput(p, batch, t, channel, lanes, own);
            }
        for (var tile = tiles.First; tile < tiles.Last; tile++)
            WriteTapGradients(p, batch, tile * W, Math.Min(W, p.Channels - (tile * W)), sums + ((tile - tiles.First) * size));
    }

    /// <summary>bias + sum over k of weight_k x_{t - K + 1 + k}, tokens counted in scan order; before the first there is nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static V Convolved(in ConvolutionProblem p, int batch, int t, int channel, int lanes, float* taps)
    {
        var sum = L.Load(taps + (p.Kernel * W));
        for (var k = Math.Max(0, p.Kernel - 1 - t); k < p.Kernel; k++)
            sum = L.Fma(L.Load(taps + (k * W)), Read(p.X.At(p.Row(batch, t - p.Kernel + 1 + k)) + channel, lanes), sum);
        return sum;
    }

    /// <summary>From the gradient after SiLU to that before it, in place; and what the taps and the bias get from it.</summary>
    static void BeforeActivation(in ConvolutionProblem p, int batch, int t, int channel, int lanes, float* taps, float* sums)
    {
        var value = Convolved(p, batch, t, channel, lanes, taps);
        var sigmoid = Curves<V, L>.Sigmoid(value);
        var slope = L.Fma(L.Multiply(value, sigmoid), L.Subtract(L.Broadcast(1), sigmoid), sigmoid);
        var place = p.GradY.At(p.Row(batch, t)) + channel;
        var g = L.Multiply(Read(place, lanes), slope);
        Write(g, place, lanes);
        for (var k = Math.Max(0, p.Kernel - 1 - t); k < p.Kernel; k++)
            L.Store(L.Fma(g, Read(p.X.At(p.Row(batch, t - p.Kernel + 1 + k)) + channel, lanes), L.Load(sums + (k * W))), sums + (k * W));
        L.Store(L.Add(g, L.Load(sums + (p.Kernel * W))), sums + (p.Kernel * W));
    }

    static void GradientOfInput(in ConvolutionProblem p, int batch, int t, int channel, int lanes, float* taps)
    {
        var to = p.GradX.At(p.Row(batch, t)) + channel;
        var sum = p.AddToGradX ? Read(to, lanes) : L.Zero;
        for (var k = Math.Max(0, p.Kernel - p.Length + t); k < p.Kernel; k++)
            sum = L.Fma(L.Load(taps + (k * W)), Read(p.GradY.At(p.Row(batch, t + p.Kernel - 1 - k)) + channel, lanes), sum);
        Write(sum, to, lanes);
    }

    /// <summary>A vector per tap and one for the bias, for every tile.</summary>
    static float* TapsOf(in ConvolutionProblem p, (int First, int Last) tiles, float* room)
    {
        var size = (p.Kernel + 1) * W;
        new Span<float>(room, (tiles.Last - tiles.First) * size).Clear();
        for (var channel = tiles.First * W; channel < Math.Min(p.Channels, tiles.Last * W); channel++)
        {
            var own = room + (((channel / W) - tiles.First) * size) + (channel % W);
            for (var k = 0; k < p.Kernel; k++) own[k * W] = p.Weight[(channel * p.Kernel) + k];
            if (p.Bias is not null) own[p.Kernel * W] = p.Bias[channel];
        }
        return room;
    }

    static void WriteTapGradients(in ConvolutionProblem p, int batch, int channel, int lanes, float* sums)
    {
        var first = ((long)batch * p.Channels) + channel;
        for (var lane = 0; lane < lanes; lane++)
        {
            for (var k = 0; k < p.Kernel; k++) p.GradWeight[((first + lane) * p.Kernel) + k] = sums[(k * W) + lane];
            if (p.GradBias is not null) p.GradBias[first + lane] = sums[(p.Kernel * W) + lane];
        }
    }
}
