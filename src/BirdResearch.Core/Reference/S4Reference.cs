using System.Text.Json;
using BirdResearch.Models;
using TorchSharp;
using TorchSharp.Modules;
using static BirdResearch.Reference.ReferenceJson;
using static TorchSharp.torch;

namespace BirdResearch.Reference;

/// <summary>
/// Judges files of S4 blocks, minimal S4D layers and SaShiMi backbones (state-spaces/s4): state dictionary, convolution kernels, the outputs
/// of layers, the output and gradients, in float64 and in float32.
/// </summary>
public sealed class S4Reference : IReferenceKind
{
    /// <inheritdoc/>
    public string Name => "s4";

    /// <inheritdoc/>
    public bool Knows(string fileName, JsonElement root) =>
        root.TryGetProperty("class", out var type) && type.ToString().Split(" ")[0] is "S4Block" or "S4" or "S4D" or "Sashimi"
        && root.TryGetProperty("kwargs", out _) && root.TryGetProperty("state_dict", out _) && root.TryGetProperty("y", out _);

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
        var gradientComparison = new ReferenceComparison(wide ? "float64" : "float32", gradientTolerance, gradientTolerance, 0);

        using var model = S4Arguments.Build(root, comparison);
        comparison.StateDictionary(root, model);
        FillEntries(StateDictionary.Of(model), root);
        model.to(precision);
        model.eval();
        var features = root.TryGetProperty("features", out var listed) ? listed.EnumerateArray().ToList() : [];
        var recorded = Record(model, features);
        var input = Named(root.GetProperty("input"), precision).requires_grad_();
        var output = model.call(input);
        (output * Named(root.GetProperty("dy"), precision)).sum().backward();

        comparison.Array("y", root.GetProperty("y"), output);
        if (root.TryGetProperty("dx", out var dx)) gradientComparison.Array("dx", dx, input.grad);
        if (root.TryGetProperty("kernel", out var kernel)) comparison.Array("kernel", kernel, Kernels(model, kernel));
        foreach (var feature in features)
        {
            var path = feature.GetProperty("name").GetString()!;
            comparison.Array(path, feature, recorded.GetValueOrDefault(path));
        }
        var parameters = model.named_parameters().ToDictionary(p => p.name, p => (Tensor)p.parameter);
        if (root.TryGetProperty("grads", out var gradients))
            foreach (var gradient in gradients.EnumerateArray())
            {
                var key = gradient.GetProperty("name").GetString()!;
                comparison.Gradient($"grad {key}", gradient, parameters.GetValueOrDefault(key)?.grad);
            }
        return [.. comparison.Findings, .. gradientComparison.Findings];
    }

    /// <summary>The kernels of the whole model, as many tokens of them as the file has.</summary>
    static Tensor? Kernels(nn.Module model, JsonElement expected)
    {
        using var off = no_grad();
        var length = Longs(expected.GetProperty("shape"))[^1];
        return model switch
        {
            S4Block block => block.Layer.Kernel.Kernels(length),
            S4D layer => layer.Kernel.Kernels(length),
            _ => null,
        };
    }

    /// <summary>The outputs of modules by path, filled in as the model runs, with the axes in the order that the file has them in.</summary>
    static Dictionary<string, Tensor> Record(nn.Module model, IEnumerable<JsonElement> features)
    {
        if (model is Sashimi backbone) backbone.IsStepwise = features.Any();
        var recorded = new Dictionary<string, Tensor>();
        var modules = model.named_modules().ToDictionary(m => m.name, m => m.module);
        foreach (var feature in features)
        {
            var path = feature.GetProperty("name").GetString()!;
            if (modules.GetValueOrDefault(path) is not nn.Module<Tensor, Tensor> module) continue;
            // The published layers hand on (B, H, L); only norms, the convolution and what follows it in an S4 block work on (B, L, H).
            var tokens = model is Sashimi && module is not (LayerNorm or S4Convolution or Dense) && !path.Contains("output_linear", StringComparison.Ordinal);
            module.register_forward_hook((_, _, output) =>
            {
                var copy = output.detach().clone();
                recorded[path] = (tokens ? copy.transpose(1, 2) : copy).DetachFromDisposeScope();
                return output;
            });
        }
        return recorded;
    }
}
