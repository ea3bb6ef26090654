using BirdResearch.Kernels;
using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>Per-channel energy normalisation of (B, rows, frames), see <see cref="PcenSettings"/>.</summary>
public sealed class Pcen
{
    readonly EnergyNormalisation _plan;

    /// <param name="settings">Its numbers.</param>
    /// <param name="frameSeconds">Seconds between two frames.</param>
    public Pcen(PcenSettings settings, double frameSeconds)
    {
        SettingsCheck.Pcen(settings);
        Settings = settings;
        Smoothing = settings.SmoothingFor(frameSeconds);
        _plan = new EnergyNormalisation
        {
            Gain = settings.Gain,
            Bias = settings.Bias,
            Power = settings.Power,
            Smoothing = Smoothing,
            Epsilon = settings.Epsilon,
            Scale = settings.Scale,
            Start = settings.Start == PcenStart.One ? 1 : null,
        };
    }

    /// <summary>Its numbers.</summary>
    internal PcenSettings Settings { get; }

    /// <summary>Weight of the newest frame in the running mean.</summary>
    public double Smoothing { get; }

    /// <summary>Energies, at least 0, to the same shape normalised: in one fused pass where they are float32 on the CPU.</summary>
    public Tensor Of(Tensor energies) => SoundBatch.CanFuse(energies) ? _plan.Apply(energies.contiguous()) : Reference(energies);

    /// <summary>The same by torch's operations, in any precision.</summary>
    public Tensor Reference(Tensor energies)
    {
        using var scope = NewDisposeScope();
        var scaled = energies.Times(Settings.Scale);                                     // (B, rows, F)
        var frames = (int)energies.shape[^1];
        var weights = tensor(Weights(frames), [frames, frames], dtype: energies.dtype, device: energies.device);
        var mean = matmul(scaled, weights);                                              // (B, rows, F)
        if (Settings.Start == PcenStart.One) mean = mean.Plus(tensor(Lead(frames), dtype: energies.dtype, device: energies.device));
        var gain = mean.Plus(Settings.Epsilon).log_().Times(-Settings.Gain).exp_();
        var compressed = scaled.mul_(gain).Times(1 / Settings.Bias).log1p_().Times(Settings.Power).expm1_();
        return compressed.Times(Math.Pow(Settings.Bias, Settings.Power)).MoveToOuterDisposeScope();
    }

    /// <summary>The running mean written out: (F, F) row-major, energies times it are the means; without what 1 as a start adds.</summary>
    internal double[] Weights(int frames)
    {
        var weights = new double[frames * frames];
        for (var from = 0; from < frames; from++)
            for (var to = from; to < frames; to++)
                weights[(from * frames) + to] =
                    (from == 0 && Settings.Start == PcenStart.FirstFrame ? 1 : Smoothing) * Math.Pow(1 - Smoothing, to - from);
        return weights;
    }

    /// <summary>What a start of 1 adds to the mean of each frame.</summary>
    internal double[] Lead(int frames) => [.. Enumerable.Range(1, frames).Select(frame => Math.Pow(1 - Smoothing, frame))];
}
