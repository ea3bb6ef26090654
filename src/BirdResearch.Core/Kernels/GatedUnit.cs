using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>The gated linear unit over the last axis: its first half times the sigmoid of its second half.</summary>
public static class GatedUnit
{
    /// <summary>(..., 2H) -> (..., H), with the fastest form that this machine and this input allow (as <see cref="ScanForms"/>).</summary>
    public static Tensor Apply(Tensor x)
    {
        if (x.shape[^1] % 2 != 0) throw new ArgumentException($"A gated unit halves its last axis, which is {x.shape[^1]}.");
        var form = ScanForms.Current;
        if (form == ScanForm.Reference || x.dtype != ScalarType.Float32 || x.device_type != DeviceType.CPU) return Reference(x);
        using var scope = NewDisposeScope();
        return new GatedUnitOperation(form).Apply(x.contiguous())[0].MoveToOuterDisposeScope();
    }

    /// <summary>The same by torch's own operation.</summary>
    public static Tensor Reference(Tensor x) => nn.functional.glu(x, -1);
}
