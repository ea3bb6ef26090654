using System.Runtime.Intrinsics;
using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>
/// Frames of sound to the outputs of a filter bank in one pass that stays in the caches: cut, window, real FFT, power, filters and
/// logarithm, as many frames at once as a vector has lanes, threaded over groups of frames. The result depends neither on the number of
/// threads nor on the clips beside.
/// </summary>
public sealed unsafe class FrameFilterBank
{
    /// <summary>A filter's bins are filled up to a multiple of this with weights of 0: fewer lengths of loop to foresee.</summary>
    internal const int BinsAtOnce = 4;

    /// <param name="plan">What to compute.</param>
    public FrameFilterBank(FramePlan plan)
    {
        (Plan, Fft) = (plan, new BatchedFft(plan.Fft));
        var bins = plan.Fft / 2 + 1;
        var filters = plan.Weights.Length / bins;
        if (filters * bins != plan.Weights.Length || plan.Window.Length > plan.Fft)
            throw new ArgumentException($"A filter bank over {bins} bins has no {plan.Weights.Length} weights, nor a window of {plan.Window.Length}.");
        Window = [.. plan.Window.Select(w => (float)w)];
        Untouched = [.. Window.Select(_ => 1f)];
        var weights = new List<float>();
        Filters = new (int, int, int)[filters];
        var scale = plan.Magnitude ? 0.5 : 0.25; // the FFT gives four times the power
        for (var filter = 0; filter < filters; filter++)
        {
            var used = Enumerable.Range(0, bins).Where(bin => plan.Weights[bin * filters + filter] != 0).ToArray();
            if (used.Length == 0) continue;
            var count = (used[^1] - used[0] + BinsAtOnce) / BinsAtOnce * BinsAtOnce;
            Filters[filter] = (used[0], count, weights.Count);
            for (var bin = used[0]; bin < used[0] + count; bin++)
                weights.Add(bin < bins ? (float)(scale * plan.Weights[bin * filters + filter]) : 0);
        }
        Weights = [.. weights];
    }

    /// <summary>Rows of the result: the filters, and the energy behind them where it is asked for.</summary>
    public int Rows => Filters.Length + (Plan.Energy == FrameEnergy.None ? 0 : 1);

    /// <summary>Frames computed at once, one of <see cref="BatchedFft.Widths"/>; changes no result.</summary>
    public int Width { get; init; } = BatchedFft.Widths[^1];

    internal FramePlan Plan { get; }

    internal BatchedFft Fft { get; }

    internal float[] Window { get; }

    /// <summary>As many ones as the window has samples.</summary>
    internal float[] Untouched { get; }

    /// <summary>First bin, number of bins (they may run past the last bin) and place among the <see cref="Weights"/> of every filter.</summary>
    internal (int First, int Count, int At)[] Filters { get; }

    internal float[] Weights { get; }

    /// <summary>The first frames of every clip: float32 (B, T) to (B, <see cref="Rows"/>, frames).</summary>
    public Tensor Apply(Tensor sound, int frames)
    {
        if (sound.dim() != 2 || sound.dtype != ScalarType.Float32 || sound.device_type != DeviceType.CPU)
            throw new ArgumentException($"A frame filter bank takes float32 sound (clips, samples) on the CPU, not {sound}.");
        using var scope = NewDisposeScope();
        sound = sound.contiguous();
        var (clips, samples) = (checked((int)sound.shape[0]), checked((int)sound.shape[1]));
        var output = empty(clips, Rows, frames);
        var groups = (frames + Width - 1) / Width;
        float* source = TensorMemory.First(sound), target = TensorMemory.First(output);
        OpenMpPool.For(clips * groups, i =>
        {
            var (clip, first) = (i / groups, i % groups * Width);
            var group = new FrameGroup(
                source + (long)clip * samples, samples, first, Math.Min(Width, frames - first), target + (long)clip * Rows * frames, frames);
            if (Width == Lanes512.Width) FrameEngine<Vector512<float>, Lanes512>.Run(this, group);
            else FrameEngine<Vector256<float>, Lanes256>.Run(this, group);
        });
        GC.KeepAlive(sound);
        return output.MoveToOuterDisposeScope();
    }
}
