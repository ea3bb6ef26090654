using System.Runtime.Intrinsics;

namespace BirdResearch.Kernels;

/// <summary>The forms that the selective scan exists in.</summary>
public enum ScanForm
{
    /// <summary>Token by token in plain torch operations.</summary>
    Reference,

    /// <summary>Vectors of eight numbers, on every processor.</summary>
    Vector256,

    /// <summary>AVX-512, sixteen numbers.</summary>
    Vector512,
}

/// <summary>Which form of the scan is in use.</summary>
public static class ScanForms
{
    /// <summary>Environment variable that forces a form: <c>reference</c>, <c>vector256</c> or <c>vector512</c>.</summary>
    public const string Variable = "BIRD_SCAN";

    /// <summary>The form that <see cref="Variable"/> asks for, else the fastest that this processor has.</summary>
    public static ScanForm Current => Environment.GetEnvironmentVariable(Variable) switch
    {
        null or "" => Lanes512.IsSupported && Vector512.IsHardwareAccelerated ? ScanForm.Vector512 : ScanForm.Vector256,
        "reference" => ScanForm.Reference,
        "vector256" => ScanForm.Vector256,
        "vector512" when Lanes512.IsSupported => ScanForm.Vector512,
        "vector512" => throw new PlatformNotSupportedException($"{Variable} is vector512, but this processor has no AVX-512 (F and DQ). Use vector256 or unset it."),
        var other => throw new ArgumentException($"{Variable} is '{other}'; it must be reference, vector256 or vector512."),
    };

    internal static int Width(ScanForm form) => form == ScanForm.Vector512 ? Lanes512.Width : Lanes256.Width;

    internal static void Forward(ScanForm form, in ScanProblem problem)
    {
        if (form == ScanForm.Vector512) ScanEngine<Vector512<float>, Lanes512>.Forward(problem);
        else ScanEngine<Vector256<float>, Lanes256>.Forward(problem);
    }

    internal static void Backward(ScanForm form, in ScanProblem problem)
    {
        if (form == ScanForm.Vector512) ScanEngine<Vector512<float>, Lanes512>.Backward(problem);
        else ScanEngine<Vector256<float>, Lanes256>.Backward(problem);
    }

    internal static void Convolve(ScanForm form, in ConvolutionProblem problem)
    {
        if (form == ScanForm.Vector512) ScanEngine<Vector512<float>, Lanes512>.Convolve(problem);
        else ScanEngine<Vector256<float>, Lanes256>.Convolve(problem);
    }

    internal static void ConvolveBackward(ScanForm form, in ConvolutionProblem problem)
    {
        if (form == ScanForm.Vector512) ScanEngine<Vector512<float>, Lanes512>.ConvolveBackward(problem);
        else ScanEngine<Vector256<float>, Lanes256>.ConvolveBackward(problem);
    }
}
