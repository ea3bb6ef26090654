using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>What a selective scan gives.</summary>
/// <param name="Y">Output, (B, D, L).</param>
/// <param name="LastState">State after the last token (the first, in reverse), (B, D, N); carries no gradient.</param>
public sealed record ScanResult(Tensor Y, Tensor LastState);
