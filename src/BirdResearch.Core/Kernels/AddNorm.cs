using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>
/// The step between two blocks of a residual stream: what the blocks before gave is added to it, and the sum is normalised for the blocks
/// to come. In one pass forward and one backward, where torch makes about twice as many over memory.
/// </summary>
static class AddNorm
{
    static readonly Scalar Two = 2;

    /// <summary>The sum, residual (twice it, where asked) + all of <paramref name="added"/>, and its layer norm by every one of <paramref name="norms"/>.</summary>
    /// <param name="residual">The stream, (..., width).</param>
    /// <param name="added">What is added to it, one tensor or more of its shape.</param>
    /// <param name="norms">Layer norms over the last axis, with weight and bias and all of one epsilon.</param>
    /// <param name="doubled">Whether the stream counts twice.</param>
    public static (Tensor Sum, Tensor[] Normed) Apply(Tensor residual, IReadOnlyList<Tensor> added, IReadOnlyList<LayerNorm> norms, bool doubled = false)
    {
        if (!Takes(residual, added, norms)) return Reference(residual, added, norms, doubled);
        var outputs = Run(residual, added, norms, doubled, givesSum: true);
        return (outputs[0], outputs[1..]);
    }

    /// <summary>The last norm of a stream, whose sum nothing else asks for. As <see cref="Apply"/>.</summary>
    public static Tensor Last(Tensor residual, IReadOnlyList<Tensor> added, LayerNorm norm, bool doubled = false) => Takes(residual, added, [norm])
        ? Run(residual, added, [norm], doubled, givesSum: false)[0]
        : Reference(residual, added, [norm], doubled).Normed[0];

    /// <summary>The same in torch's own operations.</summary>
    public static (Tensor Sum, Tensor[] Normed) Reference(Tensor residual, IReadOnlyList<Tensor> added, IReadOnlyList<LayerNorm> norms, bool doubled = false)
    {
        using var scope = NewDisposeScope();
        var sum = doubled ? residual.mul(Two) : residual;
        foreach (var term in added) sum = sum.Plus(term);
        var normed = norms.Select(n => n.call(sum).MoveToOuterDisposeScope()).ToArray();
        return (sum.MoveToOuterDisposeScope(), normed);
    }

    static bool Takes(Tensor residual, IReadOnlyList<Tensor> added, IReadOnlyList<LayerNorm> norms) =>
        ScanForms.Current != ScanForm.Reference && residual.device_type == DeviceType.CPU
        && added.Append(residual).Concat(norms.Select(n => n.weight)).All(t => t.dtype == ScalarType.Float32);

    static Tensor[] Run(Tensor residual, IReadOnlyList<Tensor> added, IReadOnlyList<LayerNorm> norms, bool doubled, bool givesSum)
    {
        using var scope = NewDisposeScope();
        var operation = new AddNormOperation(ScanForms.Current, added.Count, doubled ? 2 : 1, (float)norms[0].eps, givesSum);
        var outputs = operation.Apply(
            [residual.contiguous(), .. added.Select(a => a.contiguous()), .. norms.SelectMany(n => new[] { n.weight, n.bias })]);
        foreach (var output in outputs) output.MoveToOuterDisposeScope();
        return outputs;
    }
}
