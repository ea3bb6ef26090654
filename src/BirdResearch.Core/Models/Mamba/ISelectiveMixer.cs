using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>What the mixers of Mamba and of Vision Mamba have in common.</summary>
interface ISelectiveMixer
{
    /// <summary>The projection to input and gate.</summary>
    Dense InProjection { get; }

    /// <summary>The projection of the gated output.</summary>
    Dense OutProjection { get; }

    /// <summary>The directions, whose gated scans are added up and multiplied by <see cref="Share"/>.</summary>
    IReadOnlyList<MambaDirection> Directions { get; }

    /// <summary>Factor on the sum of the directions.</summary>
    double Share { get; }

    /// <summary>The direction from the first token to the last.</summary>
    MambaDirection Forward { get; }

    /// <summary>Divides the output projection's weights by the square root of the number of layers that add to one residual.</summary>
    void ScaleOutput(int layers);

    /// <summary>All between the two projections: input and gate (B, L, 2D) to the gated output (B, L, D).</summary>
    Tensor Inner(Tensor xz);
}
