using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>The weights of one direction of a Mamba block. D inner channels, K taps, R rank, N states.</summary>
/// <param name="ConvWeight">(D, 1, K), the token itself last.</param>
/// <param name="ConvBias">(D), or null.</param>
/// <param name="XProjection">(R + 2N, D): rows for the step size, B and C.</param>
/// <param name="DtWeight">(D, R).</param>
/// <param name="DtBias">(D), inside the softplus.</param>
/// <param name="ALog">(D, N); A is minus its exponential.</param>
/// <param name="D">(D).</param>
/// <param name="Reverse">Whether it reads from the last token to the first.</param>
public sealed record MambaInnerDirection(
    Tensor ConvWeight, Tensor? ConvBias, Tensor XProjection, Tensor DtWeight, Tensor DtBias, Tensor ALog, Tensor D, bool Reverse);
