using BirdResearch.Kernels;
using static TorchSharp.torch;

namespace BirdResearch.Models;

// The original S4, A = diag(Lambda) - P P*, discretised bilinearly: kernels from their generating function at the roots of unity. C is kept
// as C (I - a^L), into which the first kernel of length L turns it; longer ones double L.
public sealed partial class S4Kernel
{
    /// <summary>The length that C of the low-rank form holds; 0 before the first kernel.</summary>
    public long HeldLength => l_kernel is null ? 0 : l_kernel.item<long>();

    // With w_k = exp(-2 pi i k / L), g = (1 + w) / 2 and r_vu = sum_n v_n u_n dt / ((1 - w) - dt Lambda_n g) plus its conjugate terms:
    // K^(w) = r_CB - r_QB r_CP g / (1 + r_QP g). This is the published formula with 1 + w cleared from its denominators, where it is zero
    // at the highest frequency of an even L.
    Tensor LowRankKernels(long length)
    {
        using var scope = NewDisposeScope();
        HeldLengthen(length);
        var whole = HeldLength;
        var (step, lambda, b, c) = Continuous();
        var p = view_as_complex(P!).repeat(1, _repeats, 1);                                              // (1, H, N/2)
        var angles = KeptScalar.Counting(whole / 2 + 1, ScalarType.Float64).Times(-2 * Math.PI / whole);
        var type = step.dtype;
        var w = complex(angles.cos().to(type), angles.sin().to(type));                                  // (F)
        var half = w.Plus(1).Times(0.5);
        var (inputs, outputs) = (cat([b, p], 0), cat([c, p.conj()], 0));
        var v = inputs.unsqueeze(1) * outputs.unsqueeze(0) * step;                                      // (2, K + 1, H, N/2)
        var r = Resolvent(v, step * lambda, w.neg().Plus(1), half);                                               // (2, K + 1, H, F)
        var (rows, last) = (c.shape[0], c.shape[0]);
        var (fromB, fromP) = (r[0], r[1]);
        var correction = fromB.narrow(0, last, 1) * fromP.narrow(0, 0, rows) * half / (fromP.narrow(0, last, 1) * half).Plus(1);
        var spectrum = fromB.narrow(0, 0, rows) - correction;
        return fft.irfft(spectrum, whole).narrow(-1, 0, length).MoveToOuterDisposeScope();
    }

    static Tensor Resolvent(Tensor v, Tensor turn, Tensor z, Tensor half)
    {
        var direct = v.unsqueeze(-1) / (z - (turn.unsqueeze(-1) * half));
        var mirrored = v.conj().unsqueeze(-1) / (z - (turn.conj().unsqueeze(-1) * half));
        return direct.Plus(mirrored).sum([-2]);
    }

    /// <summary>Turns C for the first length it is asked for, and doubles that while it is too short.</summary>
    void HeldLengthen(long length)
    {
        if (length <= HeldLength) return;
        using var off = no_grad();
        using var scope = NewDisposeScope();
        while (HeldLength < length)
        {
            var (first, from) = (HeldLength == 0, HeldLength == 0 ? length : HeldLength);
            var power = Transition().matrix_power((int)from);                                        // (H, N, N)
            var (_, _, _, c) = Continuous();
            var wide = cat([c, c.conj()], -1).to(power.dtype);                                          // (K, H, N)
            var turned = einsum("hmn,khm->khn", power, wide);
            turned = first ? wide - turned : wide.Plus(turned);
            C.copy_(view_as_real(turned.narrow(-1, 0, c.shape[^1])));
            l_kernel!.fill_(KeptScalar.Of(first ? from : 2 * from));
        }
    }

    // Bilinear: a = (2/dt I - A)^-1 (2/dt I + A), in double precision over both halves of the conjugate pairs.
    Tensor Transition()
    {
        var (step, lambda, _, _) = Continuous();
        var p = view_as_complex(P!).repeat(1, _repeats, 1).squeeze(0);
        var (wideLambda, wideP) = (Both(lambda), Both(p));
        var a = diag_embed(wideLambda) - (wideP.unsqueeze(-1) * wideP.conj().unsqueeze(-2));            // (H, N, N)
        var scale = diag_embed(step.reciprocal().Times(2).to(ScalarType.Float64).expand(-1, a.shape[^1])).to(a.dtype);
        return linalg.solve(scale - a, scale.Plus(a));

        static Tensor Both(Tensor half) => cat([half, half.conj()], -1).to(ScalarType.ComplexFloat64);
    }
}
