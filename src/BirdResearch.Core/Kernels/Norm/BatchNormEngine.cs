using System.Runtime.Intrinsics;

namespace BirdResearch.Kernels;

/// <summary>The passes of <see cref="BatchNormRows{V, L, A}"/>.</summary>
enum BatchNormPass
{
    Moments,
    Forward,
    GradientSums,
    Backward,
}

/// <summary>Finds the code of a form and an activation.</summary>
static class BatchNormEngine
{
    /// <summary>Sixteen lanes only where they fill: widths such as 24 are whole vectors of eight.</summary>
    static bool IsWide(ScanForm form, int width) => form == ScanForm.Vector512 && width % Lanes512.Width == 0;

    public static int Parts(long rows, int width) =>
        BatchNormRows<Vector256<float>, Lanes256, Plain<Vector256<float>, Lanes256>>.Parts(rows, width);

    public static void Run(ScanForm form, NormActivation activation, BatchNormPass pass, BatchNormProblem p)
    {
        if (IsWide(form, p.Width)) Run<Vector512<float>, Lanes512>(activation, pass, p);
        else Run<Vector256<float>, Lanes256>(activation, pass, p);
    }

    static void Run<V, L>(NormActivation activation, BatchNormPass pass, BatchNormProblem p) where V : struct where L : struct, ILanes<V>
    {
        switch (activation)
        {
            case NormActivation.Relu: Run<V, L, Relu<V, L>>(pass, p); break;
            case NormActivation.Silu: Run<V, L, Silu<V, L>>(pass, p); break;
            case NormActivation.Hardswish: Run<V, L, Hardswish<V, L>>(pass, p); break;
            default: Run<V, L, Plain<V, L>>(pass, p); break;
        }
    }

    static void Run<V, L, A>(BatchNormPass pass, BatchNormProblem p) where V : struct where L : struct, ILanes<V> where A : struct, INormActivation<V, L>
    {
        switch (pass)
        {
            case BatchNormPass.Moments: BatchNormRows<V, L, A>.Moments(p); break;
            case BatchNormPass.Forward: BatchNormRows<V, L, A>.Forward(p); break;
            case BatchNormPass.GradientSums: BatchNormRows<V, L, A>.GradientSums(p); break;
            default: BatchNormRows<V, L, A>.Backward(p); break;
        }
    }
}
