using BirdResearch.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// Kernels of the minimal S4D layer (state-spaces/s4, models/s4/s4d.py): A = -exp(log_A_real) + i A_imag, B = 1, zero-order hold.
/// </summary>
public sealed class S4DKernel : nn.Module
{
    readonly Parameter C;               // (H, N/2, 2)
    readonly Parameter log_dt;          // (H)
    readonly Parameter log_A_real;      // (H, N/2)
    readonly Parameter A_imag;          // (H, N/2)

    /// <param name="width">Channels H.</param>
    /// <param name="states">Real states N per channel, an even number.</param>
    public S4DKernel(long width, long states = 64) : base(nameof(S4DKernel))
    {
        if (states < 2 || states % 2 != 0) throw new ArgumentException($"S4D needs an even number of states, at least 2, but was asked for {states}.");
        C = nn.Parameter(randn(width, states / 2, 2) * Math.Sqrt(0.5));
        log_dt = nn.Parameter(empty(width).uniform_(Math.Log(0.001), Math.Log(0.1)));
        log_A_real = nn.Parameter(full(width, states / 2, Math.Log(0.5), ScalarType.Float32));
        A_imag = nn.Parameter((arange(states / 2, ScalarType.Float32) * Math.PI).repeat(width, 1));
        RegisterComponents();
    }

    /// <summary>Convolution kernels, (H, L): K[l] = 2 Re sum_n C_n (exp(dt A_n) - 1) / A_n exp(l dt A_n).</summary>
    public Tensor Kernels(long length)
    {
        using var scope = NewDisposeScope();
        var a = complex(-log_A_real.exp(), A_imag);
        var turn = log_dt.exp().unsqueeze(-1) * a;
        var weights = view_as_complex(C).Times(2) * turn.exp().Plus(-1) / a;
        return PowerSum.Apply(weights.unsqueeze(0), turn, length).squeeze(0).MoveToOuterDisposeScope();
    }
}
