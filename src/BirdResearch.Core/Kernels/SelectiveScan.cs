using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>
/// The selective scan of Mamba (Gu and Dao 2023; selective_scan_fn of state-spaces/mamba):
/// h_t = exp(delta_t A) h_{t-1} + delta_t B_t u_t, y_t = C_t h_t + D u_t, gated by SiLU(z_t).
/// Beside its inputs and outputs a training scan keeps its states before every sixteenth token, 4 N / 16 bytes per token and channel;
/// what it works in does not grow with the number of tokens.
/// </summary>
public static partial class SelectiveScan
{
    /// <summary>
    /// Scans with the fastest form that this machine and these inputs allow; gradients flow to every input. State and sums are float32
    /// unless an input is float64; the output has the type of U. float64, tensors elsewhere than on the
    /// CPU, and B and C grouped differently take the reference form.
    /// </summary>
    public static ScanResult Apply(ScanInputs inputs)
    {
        inputs.Check();
        var form = ScanForms.Current;
        var all = new[] { inputs.U, inputs.Delta, inputs.A, inputs.B, inputs.C, inputs.D, inputs.Z, inputs.DeltaBias }.OfType<Tensor>();
        return form == ScanForm.Reference || inputs.HasUnlikeGroups || all.Any(t => t.dtype == ScalarType.Float64 || t.device_type != DeviceType.CPU)
            ? Reference(inputs)
            : Fused(inputs, form);
    }

    static ScanResult Fused(ScanInputs inputs, ScanForm form)
    {
        using var scope = NewDisposeScope();
        var operation = new ScanOperation(form, (int)inputs.Groups, inputs.Softplus, inputs.Reverse);
        var results = operation.Apply(
            TokenMajor(inputs.U), TokenMajor(inputs.Delta), Plain(inputs.A), Matrix(inputs.B, inputs), Matrix(inputs.C, inputs),
            inputs.D is { } d ? Plain(d) : null, inputs.Z is { } z ? TokenMajor(z) : null, inputs.DeltaBias is { } bias ? Plain(bias) : null);
        var y = results[0].transpose(1, 2);                                                          // (B, L, D) -> (B, D, L)
        return new ScanResult(y.to(inputs.U.dtype).MoveToOuterDisposeScope(), results[1].detach().MoveToOuterDisposeScope());
    }

    static Tensor Plain(Tensor x) => x.to(ScalarType.Float32).contiguous();

    static Tensor TokenMajor(Tensor x) => Plain(x.transpose(1, 2));                                  // (B, D, L) -> (B, L, D)

    static Tensor Matrix(Tensor matrix, ScanInputs inputs) => matrix.dim() switch
    {
        2 => Plain(matrix),                                                                         // (D, N)
        3 when inputs.Groups > 1 => Plain(matrix.unsqueeze(1).expand(-1, inputs.Groups, -1, -1).permute(0, 3, 1, 2)),
        3 => TokenMajor(matrix).unsqueeze(2),                                                       // (B, N, L) -> (B, L, 1, N)
        _ => Plain(matrix.permute(0, 3, 1, 2)),                                                     // (B, G, N, L) -> (B, L, G, N)
    };
}
