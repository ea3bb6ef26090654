using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>What a selective scan reads. Shapes: B batch, D channels, L tokens, N states, G groups of channels.</summary>
/// <param name="U">Input, (B, D, L).</param>
/// <param name="Delta">Step size before bias and softplus, (B, D, L).</param>
/// <param name="A">Continuous-time state matrix, diagonal, (D, N).</param>
/// <param name="B">Input matrix: (B, N, L), grouped (B, G, N, L), or constant (D, N).</param>
/// <param name="C">Output matrix, in one of the shapes of <paramref name="B"/>.</param>
public sealed record ScanInputs(Tensor U, Tensor Delta, Tensor A, Tensor B, Tensor C)
{
    /// <summary>Skip connection, (D), or null for none.</summary>
    public Tensor? D { get; init; }

    /// <summary>Gate, (B, D, L): the output is multiplied by its SiLU; null for none.</summary>
    public Tensor? Z { get; init; }

    /// <summary>Added to <see cref="Delta"/>, (D), or null for none.</summary>
    public Tensor? DeltaBias { get; init; }

    /// <summary>Whether softplus is taken of delta and its bias (the identity above 20).</summary>
    public bool Softplus { get; init; }

    /// <summary>True scans from the last token to the first; outputs stay at their tokens.</summary>
    public bool Reverse { get; init; }

    /// <summary>Groups G that share B and C.</summary>
    internal long Groups => Math.Max(B.dim() == 4 ? B.shape[1] : 1, C.dim() == 4 ? C.shape[1] : 1);

    /// <summary>Whether B and C are both grouped, but not alike.</summary>
    internal bool HasUnlikeGroups => B.dim() == 4 && C.dim() == 4 && B.shape[1] != C.shape[1];

    /// <summary>Throws an error that names the first tensor whose shape does not fit the others.</summary>
    internal void Check()
    {
        if (U.dim() != 3 || U.numel() == 0) throw Misfit(nameof(U), U, "(batch, channels, tokens), none of them 0");
        var (batch, channels, length) = (U.shape[0], U.shape[1], U.shape[2]);
        Require(nameof(Delta), Delta, batch, channels, length);
        if (A.dim() != 2 || A.shape[0] != channels || A.shape[1] == 0) throw Misfit(nameof(A), A, $"({channels}, states)");
        CheckMatrix(nameof(B), B, batch, channels, A.shape[1], length);
        CheckMatrix(nameof(C), C, batch, channels, A.shape[1], length);
        if (D is { } d) Require(nameof(D), d, channels);
        if (DeltaBias is { } bias) Require(nameof(DeltaBias), bias, channels);
        if (Z is { } z) Require(nameof(Z), z, batch, channels, length);
    }

    static void CheckMatrix(string name, Tensor matrix, long batch, long channels, long states, long length)
    {
        var fits = matrix.shape switch
        {
            [var d, var n] => d == channels && n == states,
            [var b, var n, var l] => b == batch && n == states && l == length,
            [var b, var g, var n, var l] => b == batch && g > 0 && channels % g == 0 && n == states && l == length,
            _ => false,
        };
        if (!fits) throw Misfit(name, matrix, $"({batch}, {states}, {length}), ({batch}, groups, {states}, {length}) with groups that divide {channels}, or ({channels}, {states})");
    }

    static void Require(string name, Tensor tensor, params long[] shape)
    {
        if (!tensor.shape.SequenceEqual(shape)) throw Misfit(name, tensor, $"({string.Join(", ", shape)})");
    }

    static ArgumentException Misfit(string name, Tensor tensor, string expected) =>
        new($"A selective scan's {name} has shape ({string.Join(", ", tensor.shape)}); expected {expected}.");
}
