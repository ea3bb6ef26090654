using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// The starting point of one state space in diagonal-plus-low-rank form, A = diag(Lambda) - P P*: one of each conjugate pair, N/2 complex
/// numbers each (complex128).
/// </summary>
/// <param name="Lambda">Diagonal of the state matrix; real parts are negative, imaginary parts not positive.</param>
/// <param name="B">Input vector.</param>
/// <param name="P">Low-rank vector; zero where the matrix is diagonal.</param>
public sealed record StateSpaceStart(Tensor Lambda, Tensor B, Tensor P);

/// <summary>
/// The HiPPO-LegS matrix and the initialisations of S4 and S4D that follow it (Gu et al. 2020, HiPPO; Gu et al. 2022, S4 and S4D), all in
/// double precision.
/// </summary>
public static class Hippo
{
    const double BLimit = 2;        // the published code holds Im(B) within it

    /// <summary>Names of the initialisations: <c>legs</c> (normal plus low rank) and three diagonal ones.</summary>
    public static IReadOnlyList<string> Names { get; } = ["legs", "diag-legs", "diag-lin", "diag-inv"];

    /// <summary>
    /// HiPPO-LegS, (N, N) and (N): A[n, k] = -sqrt(2n + 1) sqrt(2k + 1) below the diagonal, -(n + 1) on it; B[n] = sqrt(2n + 1).
    /// </summary>
    public static (Tensor A, Tensor B) Legs(long states)
    {
        using var scope = NewDisposeScope();
        var n = arange(states, ScalarType.Float64);
        var b = (2 * n + 1).sqrt();
        var a = -(b.unsqueeze(1) * b.unsqueeze(0)).tril(-1) - diag(n + 1);
        return (a.MoveToOuterDisposeScope(), b.MoveToOuterDisposeScope());
    }

    /// <summary>The initialisation of that name with <paramref name="states"/> real states N, an even number.</summary>
    public static StateSpaceStart Start(string name, long states)
    {
        if (states < 2 || states % 2 != 0) throw new ArgumentException($"A state space needs an even number of states, at least 2, but was asked for {states}.");
        using var scope = NewDisposeScope();
        var n = arange(states / 2, ScalarType.Float64);
        var (lambda, b, p) = name switch
        {
            "legs" => DiagonalisedLegs(states),
            "diag-legs" => DiagonalisedLegs(states),
            "diag-lin" => Plain(Math.PI * n),
            "diag-inv" => Plain(states / Math.PI * ((states / ((2 * n) + 1)) - 1)),
            _ => throw new ArgumentException($"There is no initialisation '{name}' of a state space; there are {string.Join(", ", Names)}."),
        };
        if (name != "legs") p = zeros_like(p);
        return new(lambda.MoveToOuterDisposeScope(), b.MoveToOuterDisposeScope(), p.MoveToOuterDisposeScope());
    }

    static (Tensor Lambda, Tensor B, Tensor P) Plain(Tensor imaginary)
    {
        var none = zeros_like(imaginary);
        return (complex(none - 0.5, -imaginary), complex(ones_like(imaginary), none), complex(none, none));
    }

    // With P[n] = sqrt(n + 1/2), A + P P^T = -I/2 + S where S is skew-symmetric: normal, with eigenvectors V of the Hermitian -i S.
    static (Tensor Lambda, Tensor B, Tensor P) DiagonalisedLegs(long states)
    {
        var (a, b) = Legs(states);
        var p = (arange(states, ScalarType.Float64) + 0.5).sqrt();
        var skew = a + (p.unsqueeze(1) * p.unsqueeze(0)) + (0.5 * eye(states, dtype: ScalarType.Float64));
        var (frequencies, vectors) = linalg.eigh(complex(zeros_like(skew), -skew));                    // ascending
        var half = states / 2;
        var kept = vectors.narrow(1, 0, half);                                                         // those of negative frequency
        var first = kept.narrow(0, 0, 1);
        kept = kept * (first.conj() / first.abs());     // an eigenvector's phase is free: a real, positive first element makes it the same everywhere
        var adjoint = kept.conj().transpose(0, 1);
        var none = zeros_like(p);
        var input = adjoint.matmul(complex(b, none));
        var imaginary = frequencies.narrow(0, 0, half);
        return (
            complex(zeros_like(imaginary) - 0.5, imaginary),
            complex(input.real, input.imag.clamp(-BLimit, BLimit)),
            adjoint.matmul(complex(p, none)));
    }
}
