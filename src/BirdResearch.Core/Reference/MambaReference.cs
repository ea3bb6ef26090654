using System.Text.Json;
using BirdResearch.Models;
using TorchSharp;
using static BirdResearch.Reference.ReferenceJson;
using static TorchSharp.torch;

namespace BirdResearch.Reference;

/// <summary>
/// Judges files of the Mamba block (state-spaces/mamba) and of Vision Mamba's bidirectional mixer (hustvl/Vim, bimamba v2): state
/// dictionary, intermediate tensors, output and all gradients, in float64 and in float32.
/// </summary>
public sealed class MambaReference : IReferenceKind
{
    /// <inheritdoc/>
    public string Name => "mamba";

    /// <inheritdoc/>
    public bool Knows(string fileName, JsonElement root) =>
        root.TryGetProperty("module", out var module) && module.ValueKind == JsonValueKind.String
        && module.GetString()!.StartsWith("Mamba", StringComparison.Ordinal)
        && root.TryGetProperty("state_dict", out _) && root.TryGetProperty("y", out _);

    /// <inheritdoc/>
    public IEnumerable<ReferenceFinding> Check(JsonElement root) => [.. Run(root, ScalarType.Float64), .. Run(root, ScalarType.Float32)];

    static IReadOnlyList<ReferenceFinding> Run(JsonElement root, ScalarType precision)
    {
        using var scope = NewDisposeScope();
        var wide = precision == ScalarType.Float64;
        var allowed = root.GetProperty("tolerance");
        var tolerance = allowed.GetProperty(wide ? "float64_rel" : "float32_rel").GetDouble();
        var gradientTolerance = wide ? tolerance : Number(allowed, "float32_grad_rel", tolerance);
        var comparison = new ReferenceComparison(wide ? "float64" : "float32", tolerance, gradientTolerance, Number(allowed, "grad_floor", 0));

        using var mixer = Create(root, comparison);
        comparison.StateDictionary(root, mixer, types: false);
        FillEntries(StateDictionary.Of(mixer), root);
        mixer.to(precision);
        var input = Named(root.GetProperty("input"), precision).requires_grad_();
        var output = mixer.call(input);
        using (var weight = Weight(root, output.shape, precision))
            (output * weight).sum().backward();

        comparison.Array("y", root.GetProperty("y"), output);
        if (root.TryGetProperty("dx", out var dx)) comparison.Array("dx", dx, input.grad);
        CheckFeatures(comparison, root, (ISelectiveMixer)mixer, input);
        var parameters = mixer.named_parameters().ToDictionary(p => p.name, p => (Tensor)p.parameter);
        if (root.TryGetProperty("grads", out var gradients))
            foreach (var gradient in gradients.EnumerateArray())
            {
                var key = gradient.GetProperty("name").GetString()!;
                comparison.Gradient($"grad {key}", gradient, parameters.GetValueOrDefault(key)?.grad);
            }
        return comparison.Findings;
    }

    /// <summary>The fixed tensor that the loss weighs the output with; it has the output's shape where the file gives none.</summary>
    static Tensor Weight(JsonElement root, long[] shape, ScalarType precision)
    {
        var entry = root.GetProperty("dy");
        if (entry.TryGetProperty("shape", out _)) return Named(entry, precision);
        using var scope = NewDisposeScope();
        var count = shape.Aggregate(1L, (a, b) => a * b);
        var values = Fill.Values(entry.GetProperty("name").GetString()!, count, Number(entry, "scale", 1), Number(entry, "offset", 0));
        return tensor(values, shape).to(precision, copy: true).MoveToOuterDisposeScope();
    }

    static nn.Module<Tensor, Tensor> Create(JsonElement root, ReferenceComparison comparison)
    {
        var module = root.GetProperty("module").GetString()!;
        var isBlock = root.TryGetProperty("kwargs", out var given);
        var arguments = new CallArguments(isBlock ? given : root);
        var settings = new MambaSettings
        {
            Width = arguments.Count("d_model", 0),
            States = arguments.Count("d_state", 16),
            Kernel = arguments.Count("d_conv", 4),
            Expand = arguments.Number("expand", 2),
            DtRank = arguments.Word("dt_rank", "auto") == "auto" ? null : arguments.Count("dt_rank", 0),
            ConvBias = arguments.Flag("conv_bias", true),
            Bias = arguments.Flag("bias", false),
        };
        // What decides only the first weights, or the way of computing, changes nothing here.
        foreach (var other in (string[])["dt_min", "dt_max", "dt_init", "dt_scale", "dt_init_floor", "use_fast_path", "layer_idx"])
            arguments.Word(other, "");
        var kind = arguments.Word("bimamba_type", module.Contains("v2", StringComparison.Ordinal) ? "v2" : "none");
        var divide = arguments.Flag("if_divide_out", false) | arguments.Flag("if_devide_out", false);
        if (isBlock)
            foreach (var argument in arguments.Unread) comparison.Exact($"argument {argument} is not understood", false);

        if (root.TryGetProperty("d_inner", out var inner)) comparison.Exact("d_inner", inner.GetInt64() == settings.Inner);
        if (root.TryGetProperty("dt_rank", out var rank)) comparison.Exact("dt_rank", rank.ToString() == "auto" || rank.GetInt64() == settings.Rank);
        return kind switch
        {
            "none" => new MambaMixer(settings),
            "v2" => new VimMixer(settings, divide),
            _ => throw new ArgumentException($"bimamba_type '{kind}' is not understood; there are none and v2."),
        };
    }

    /// <summary>The tensors between the projections, each named by what it is and its axes.</summary>
    static void CheckFeatures(ReferenceComparison comparison, JsonElement root, ISelectiveMixer mixer, Tensor input)
    {
        if (!root.TryGetProperty("features", out var features)) return;
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var direction = mixer.Forward;
        var xz = mixer.InProjection.call(input).transpose(1, 2);                                  // (B, 2D, L)
        var u = direction.Convolve(xz.narrow(1, 0, xz.shape[1] / 2));                             // (B, D, L)
        var scan = direction.Inputs(u);
        var tensors = new Dictionary<string, Tensor>
        {
            ["in_proj_out"] = xz,
            ["x_after_conv_silu"] = u,
            ["delta_after_softplus"] = nn.functional.softplus(scan.Delta + scan.DeltaBias!.unsqueeze(1), 1, 20),
            ["A"] = scan.A,
            ["B"] = scan.B.transpose(1, 2),                                                       // (B, L, N)
            ["C"] = scan.C.transpose(1, 2),
        };
        foreach (var feature in features.EnumerateArray())
        {
            var name = feature.GetProperty("name").GetString()!;
            if (tensors.TryGetValue(name.Split('[')[0], out var ours)) comparison.Array(name, feature, ours);
            else comparison.Exact($"feature {name} is not understood", false);
        }
    }
}
