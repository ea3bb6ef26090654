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
}

/// <summary>What a selective scan gives.</summary>
/// <param name="Y">Output, (B, D, L).</param>
/// <param name="LastState">State after the last token (the first, in reverse), (B, D, N); carries no gradient.</param>
public sealed record ScanResult(Tensor Y, Tensor LastState);

/// <summary>
/// The selective scan of Mamba (Gu and Dao 2023; selective_scan_fn of state-spaces/mamba):
/// h_t = exp(delta_t A) h_{t-1} + delta_t B_t u_t, y_t = C_t h_t + D u_t, gated by SiLU(z_t).
/// </summary>
public static partial class SelectiveScan
{
    /// <summary>Scans with the fastest form that this machine and these inputs allow; gradients flow to every input.</summary>
    public static ScanResult Apply(ScanInputs inputs) => Reference(inputs);
}
