using BirdResearch.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// The parameters of H state spaces and the convolution kernels that they stand for (state-spaces/s4, models/s4/s4.py). The state matrix
/// is -exp(A_real) - i A_imag on its diagonal, one of each conjugate pair.
/// </summary>
public sealed partial class S4Kernel : nn.Module
{
    readonly Parameter inv_dt;          // (H, 1)
    readonly Parameter C;               // (K, H, N/2, 2)
    readonly Parameter B;               // (1, S, N/2, 2)
    readonly Parameter A_real;          // (S, N/2)
    readonly Parameter A_imag;          // (S, N/2)
    readonly Parameter? P;              // (1, S, N/2, 2), of the low-rank form alone
    readonly Tensor? l_kernel;          // the length that C of the low-rank form holds, 0 before the first kernel

    readonly long _repeats;
    readonly StepTransform _stepTransform;
    readonly Discretisation _discretisation;

    /// <param name="width">Channels H.</param>
    /// <param name="kernels">Kernels K per channel.</param>
    /// <param name="settings">Settings of the layer.</param>
    public S4Kernel(long width, long kernels, S4Settings settings) : base(nameof(S4Kernel))
    {
        settings.Check(width);
        var copies = settings.Copies ?? width;
        _repeats = width / copies;
        _stepTransform = settings.StepTransform;
        _discretisation = settings.Discretisation;
        Mode = settings.Mode;

        var steps = empty(width, 1).uniform_(Math.Log(settings.LeastStep), Math.Log(settings.MostStep));
        inv_dt = nn.Parameter(_stepTransform == StepTransform.Exponential ? steps : steps.exp().expm1().log());
        C = nn.Parameter(randn(kernels, width, settings.States / 2, 2) * Math.Sqrt(0.5));
        var starts = settings.Starts.Select(name => Hippo.Start(name, settings.States)).ToList();
        B = nn.Parameter(Spread(s => view_as_real(s.B)).unsqueeze(0));
        A_real = nn.Parameter(Spread(s => (-s.Lambda.real).clamp_min(KeptScalar.Of(1e-4)).log()));
        A_imag = nn.Parameter(Spread(s => -s.Lambda.imag));
        if (Mode == S4Mode.DiagonalPlusLowRank) (P, l_kernel) = (nn.Parameter(Spread(s => view_as_real(s.P)).unsqueeze(0)), tensor(0L));
        RegisterComponents();

        Tensor Spread(Func<StateSpaceStart, Tensor> part) =>
            cat([.. starts.Select(s => part(s).to(ScalarType.Float32).unsqueeze(0))])
                .repeat_interleave(copies / starts.Count, dim: 0).contiguous();
    }

    /// <summary>Form of the state matrix.</summary>
    public S4Mode Mode { get; }

    /// <summary>Convolution kernels, (K, H, L).</summary>
    public Tensor Kernels(long length) => Mode == S4Mode.Diagonal ? DiagonalKernels(length) : LowRankKernels(length);

    // Step sizes (H, 1) and, as complex numbers, A (H, N/2), B (1, H, N/2) and C (K, H, N/2).
    (Tensor Step, Tensor A, Tensor B, Tensor C) Continuous()
    {
        var step = _stepTransform == StepTransform.Exponential ? inv_dt.exp() : inv_dt.Softplus();
        var a = complex(-A_real.exp(), -A_imag).repeat(_repeats, 1);
        return (step, a, view_as_complex(B).repeat(1, _repeats, 1), view_as_complex(C));
    }

    /// <summary>Whether a parameter of this leaf name is one that S4's optimiser holds at a low learning rate without decay: dt, A, B and P.</summary>
    public static bool IsStateParameter(string leaf) => leaf is nameof(inv_dt) or nameof(A_real) or nameof(A_imag) or nameof(B) or nameof(P);
}
