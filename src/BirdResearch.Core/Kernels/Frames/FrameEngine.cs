using System.Runtime.CompilerServices;

namespace BirdResearch.Kernels;

/// <summary>The work of a <see cref="FrameFilterBank"/> on one width of vectors.</summary>
static unsafe class FrameEngine<V, L> where V : struct where L : struct, ILanes<V>
{
    /// <summary>From samples to filters, for one group of frames.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(FrameFilterBank bank, FrameGroup group)
    {
        var (plan, fft, length) = (bank.Plan, bank.Plan.Fft, bank.Window.Length);
        var most = Math.Max(fft, bank.Rows); // the rows hold samples first and outputs at last
        var bins = fft / 2 + FrameFilterBank.BinsAtOnce;
        using var room = new Room(((long)most + bins + length) * L.Width);
        float* rows = room.Take(most * L.Width), powers = room.Take(bins * L.Width), spare = room.Take(length * L.Width);
        var energy = L.Zero;
        if (plan is { RemoveMean: false, PreEmphasis: 0, Energy: FrameEnergy.None }) Cut(bank, group, bank.Window, rows, spare);
        else
        {
            Cut(bank, group, bank.Untouched, rows, spare);
            energy = Shape(bank, rows);
        }
        new Span<float>(rows + length * L.Width, (fft - length) * L.Width).Clear();
        FftEngine<V, L>.Powers(bank.Fft, rows, powers);
        if (plan.Magnitude)
            for (var bin = 0; bin <= fft / 2; bin++) L.Store(L.Sqrt(L.Load(powers + bin * L.Width)), powers + bin * L.Width);

        new Span<float>(powers + (fft / 2 + 1) * L.Width, (FrameFilterBank.BinsAtOnce - 1) * L.Width).Clear();
        Filter(bank, powers, rows);
        var outputs = bank.Filters.Length;
        if (plan.Energy != FrameEnergy.None) L.Store(energy, rows + outputs++ * L.Width);
        var target = group.Output + group.First;
        for (var row = 0; row < outputs; row++, target += group.Frames)
        {
            if (group.Count == L.Width) L.Store(L.Load(rows + row * L.Width), target);
            else new ReadOnlySpan<float>(rows + row * L.Width, group.Count).CopyTo(new Span<float>(target, group.Count));
        }
    }

    /// <summary>Lays the frames side by side, sample by sample; lanes without a frame repeat the last.</summary>
    static void Cut(FrameFilterBank bank, in FrameGroup group, float[] factors, float* rows, float* spare)
    {
        var length = factors.Length;
        var starts = stackalloc float*[L.Width];
        for (var lane = 0; lane < L.Width; lane++)
        {
            if (lane >= group.Count)
            {
                starts[lane] = starts[group.Count - 1];
                continue;
            }
            var start = (long)(group.First + lane) * bank.Plan.Hop - bank.Plan.Lead;
            if (start >= 0 && start + length <= group.Samples)
            {
                starts[lane] = group.Sound + start;
                continue;
            }
            starts[lane] = spare + lane * length;
            for (var i = 0; i < length; i++) starts[lane][i] = Sample(group, bank.Plan.Edge, start + i);
        }
        fixed (float* f = factors) Interleave.Apply(starts, length, L.Width, rows, f);
    }

    static float Sample(in FrameGroup group, FrameEdge edge, long i)
    {
        var sound = group.Sound;
        long samples = group.Samples;
        if (i >= 0 && i < samples) return sound[i];
        return edge switch
        {
            FrameEdge.Reflect => sound[i < 0 ? -i : 2 * (samples - 1) - i],
            FrameEdge.Mirror => sound[i < 0 ? -1 - i : 2 * samples - 1 - i],
            FrameEdge.Replicate => sound[i < 0 ? 0 : samples - 1],
            FrameEdge.Circular => sound[(i + samples) % samples],
            _ => 0,
        };
    }

    /// <summary>Mean, pre-emphasis and window, in place; gives the energy that is asked for.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static V Shape(FrameFilterBank bank, float* rows)
    {
        var (plan, window) = (bank.Plan, bank.Window);
        V mean = L.Zero, energy = L.Zero;
        if (plan.RemoveMean)
        {
            for (var i = 0; i < window.Length; i++) mean = L.Add(mean, L.Load(rows + i * L.Width));
            mean = L.Divide(mean, L.Broadcast(window.Length));
        }
        var (before, emphasis) = (L.Subtract(L.Load(rows), mean), L.Broadcast((float)plan.PreEmphasis));
        var (raw, windowed) = (plan.Energy == FrameEnergy.Raw, plan.Energy == FrameEnergy.Windowed);
        for (var i = 0; i < window.Length; i++)
        {
            var now = L.Subtract(L.Load(rows + i * L.Width), mean);
            var shaped = L.Multiply(L.NegatedFma(before, emphasis, now), L.Broadcast(window[i]));
            if (raw) energy = L.Fma(now, now, energy);
            if (windowed) energy = L.Fma(shaped, shaped, energy);
            L.Store(shaped, rows + i * L.Width);
            before = now;
        }
        return energy;
    }

    /// <summary>Rows of powers or magnitudes to rows of filter outputs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Filter(FrameFilterBank bank, float* powers, float* outputs)
    {
        fixed (float* weights = bank.Weights)
            foreach (var (first, count, at) in bank.Filters)
            {
                V a = L.Zero, b = L.Zero;
                float* power = powers + first * L.Width, weight = weights + at;
                for (var bin = 0; bin < count; bin += FrameFilterBank.BinsAtOnce, power += FrameFilterBank.BinsAtOnce * L.Width, weight += FrameFilterBank.BinsAtOnce)
                {
                    a = L.Fma(L.Load(power), L.Broadcast(weight[0]), a);
                    b = L.Fma(L.Load(power + L.Width), L.Broadcast(weight[1]), b);
                    a = L.Fma(L.Load(power + 2 * L.Width), L.Broadcast(weight[2]), a);
                    b = L.Fma(L.Load(power + 3 * L.Width), L.Broadcast(weight[3]), b);
                }
                L.Store(L.Add(a, b), outputs);
                outputs += L.Width;
            }
        if (bank.Plan.Logarithm is not { } logarithm) return;
        V smallest = L.Broadcast((float)logarithm.Smallest), factor = L.Broadcast((float)logarithm.Factor), offset = L.Broadcast((float)logarithm.Offset);
        for (var filter = bank.Filters.Length; filter > 0; filter--)
        {
            outputs -= L.Width;
            L.Store(L.Fma(L.Log(L.Max(smallest, L.Load(outputs))), factor, offset), outputs); // in this order Max hands on what is not a number
        }
    }
}
