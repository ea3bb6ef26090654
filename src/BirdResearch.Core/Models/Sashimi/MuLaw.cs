using BirdResearch.Kernels;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>Eight-bit mu-law codes of sound in [-1, 1] (ITU-T G.711 with mu = 255).</summary>
public static class MuLaw
{
    /// <summary>Number of codes.</summary>
    public const long Codes = 256;

    /// <summary>
    /// round(mu (1 + sign(x) ln(1 + mu |x|) / ln(1 + mu)) / 2), int64 in 0..255, with sound beyond [-1, 1] clipped.
    /// </summary>
    public static Tensor Encode(Tensor sound)
    {
        const double Mu = Codes - 1;
        using var scope = NewDisposeScope();
        var x = sound.clamp(KeptScalar.Of(-1.0), KeptScalar.Of(1.0));
        var pressed = x.sign() * x.abs().Times(Mu).log1p() / tensor(Math.Log(Codes), sound.dtype);
        return pressed.Plus(1).Times(Mu / 2).Plus(0.5).floor().to(ScalarType.Int64).MoveToOuterDisposeScope();
    }
}
