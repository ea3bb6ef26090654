using System.Runtime.CompilerServices;

namespace BirdResearch.Kernels;

static unsafe partial class ScanEngine<V, L>
{
    /// <summary>y = SiLU(causal convolution of x).</summary>
    public static void Convolve(ConvolutionProblem problem)
    {
        var tiles = (problem.Channels + W - 1) / W;
        var blocks = ScanChunk.Blocks(tiles, problem.Batch);
        OpenMpPool.For(problem.Batch * blocks, item => ConvolveBlock(problem, item / blocks, Range(tiles, item % blocks, blocks)));
    }

    /// <summary>Gradients of x, weight and bias.</summary>
    public static void ConvolveBackward(ConvolutionProblem problem)
    {
        var tiles = (problem.Channels + W - 1) / W;
        var blocks = ScanChunk.Blocks(tiles, problem.Batch);
        OpenMpPool.For(problem.Batch * blocks, item => ConvolveBackwardBlock(problem, item / blocks, Range(tiles, item % blocks, blocks)));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void ConvolveBlock(in ConvolutionProblem p, int batch, (int First, int Last) tiles)
    {
        const int T = ScanChunk.Tokens;
        var size = (p.Kernel + 1) * W;
        using var room = new Room(((tiles.Last - tiles.First) * size) + ((2 * T + p.Kernel) * W));
        var taps = TapsOf(p, tiles, room.Take((tiles.Last - tiles.First) * size));
        float* x = room.Take((T + p.Kernel - 1) * W), y = room.Take(T * W);
        for (var start = 0; start < p.Length; start += T)
            for (var tile = tiles.First; tile < tiles.Last; tile++)
            {
                var (channel, lanes, count) = (tile * W, Math.Min(W, p.Channels - (tile * W)), Math.Min(T, p.Length - start));
                Window(p, p.X, batch, start - p.Kernel + 1, start + count, channel, lanes, x);
                ChunkLoops<V, L>.Convolve(x, taps + ((tile - tiles.First) * size), p.Kernel, y, count);
                ChunkLoops<V, L>.Silu(y, count);
                ChunkLoops<V, L>.Scatter(y, count, lanes, p.Y.At(p.Row(batch, start)) + channel, p.Step * p.Y.Stride);
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void ConvolveBackwardBlock(in ConvolutionProblem p, int batch, (int First, int Last) tiles)
    {
        const int T = ScanChunk.Tokens;
        var (blockTiles, size, beyond) = (tiles.Last - tiles.First, (p.Kernel + 1) * W, (p.Kernel - 1) * W);
        using var room = new Room((2L * blockTiles * size) + (((4 * T) + (2 * p.Kernel)) * W) + (blockTiles * beyond));
        var taps = TapsOf(p, tiles, room.Take(blockTiles * size));
        float* sums = room.Take(blockTiles * size), later = room.Take(blockTiles * beyond);
        float* x = room.Take((T + p.Kernel - 1) * W), y = room.Take(T * W), g = room.Take((T + p.Kernel - 1) * W), dx = room.Take(T * W);
        new Span<float>(sums, blockTiles * size).Clear();
        new Span<float>(later, blockTiles * beyond).Clear();
        for (var start = (p.Length - 1) / T * T; start >= 0; start -= T)
            for (var tile = 0; tile < blockTiles; tile++)
            {
                var channel = (tiles.First + tile) * W;
                var (lanes, count) = (Math.Min(W, p.Channels - channel), Math.Min(T, p.Length - start));
                var (first, step) = (p.Row(batch, start), p.Step);
                Window(p, p.X, batch, start - p.Kernel + 1, start + count, channel, lanes, x);
                ChunkLoops<V, L>.Convolve(x, taps + (tile * size), p.Kernel, y, count);
                ChunkLoops<V, L>.Gather(p.GradY.At(first) + channel, step * p.GradY.Stride, count, lanes, g);
                ChunkLoops<V, L>.SiluBackward(g, y, count);                       // y becomes the gradient before SiLU
                ChunkLoops<V, L>.ConvolveTaps(x, y, p.Kernel, sums + (tile * size), count);
                Copy(y, g, count * W);
                Copy(later + (tile * beyond), g + (count * W), beyond);
                if (p.AddToGradX) ChunkLoops<V, L>.Gather(p.GradX.At(first) + channel, step * p.GradX.Stride, count, lanes, dx);
                else ChunkLoops<V, L>.Fill(dx, L.Zero, count);
                ChunkLoops<V, L>.ConvolveInput(g, taps + (tile * size), p.Kernel, dx, count);
                ChunkLoops<V, L>.Scatter(dx, count, lanes, p.GradX.At(first) + channel, step * p.GradX.Stride);
                Copy(g, later + (tile * beyond), beyond);
            }
        for (var tile = 0; tile < blockTiles; tile++)
            WriteTapGradients(p, batch, (tiles.First + tile) * W, Math.Min(W, p.Channels - ((tiles.First + tile) * W)), sums + (tile * size));
    }

    /// <summary>Tokens in scan order from <paramref name="from"/> to before <paramref name="to"/>; before the first there is nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Window(in ConvolutionProblem p, Rows rows, int batch, int from, int to, int channel, int lanes, float* window)
    {
        var missing = Math.Max(0, -from);
        new Span<float>(window, missing * W).Clear();
        ChunkLoops<V, L>.Gather(rows.At(p.Row(batch, from + missing)) + channel, p.Step * rows.Stride, to - from - missing, lanes, window + (missing * W));
    }

    /// <summary>A vector per tap and one for the bias, for every tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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
