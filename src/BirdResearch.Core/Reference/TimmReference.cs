using System.Text.Json;
using BirdResearch.Models;
using TorchSharp;
using static BirdResearch.Reference.ReferenceJson;
using static TorchSharp.torch;

namespace BirdResearch.Reference;

/// <summary>
/// Judges files made with huggingface/pytorch-image-models: the state dictionary, the outputs of modules, the logits, gradients and
/// running statistics of a model whose weights follow the fill rule, in float64 and in float32.
/// </summary>
public sealed class TimmReference : IReferenceKind
{
    /// <inheritdoc/>
    public string Name => "timm";

    /// <inheritdoc/>
    public bool Knows(string fileName, JsonElement root) =>
        root.TryGetProperty("model", out var model) && model.ValueKind == JsonValueKind.String
        && root.TryGetProperty("create", out _) && root.TryGetProperty("state_dict", out _) && root.TryGetProperty("logits", out _);

    /// <inheritdoc/>
    public IEnumerable<ReferenceFinding> Check(JsonElement root)
    {
        var model = root.GetProperty("model").GetString()!;
        return Classifiers.All.Any(e => e.Name == model)
            ? [.. Run(root, model, ScalarType.Float64), .. Run(root, model, ScalarType.Float32)]
            : [new($"model '{model}' is not in the catalogue", "float64", double.PositiveInfinity, 0)];
    }

    static IReadOnlyList<ReferenceFinding> Run(JsonElement root, string name, ScalarType precision)
    {
        using var scope = NewDisposeScope();
        using var model = Create(root, name);
        var comparison = Comparison(root.GetProperty("tolerance"), precision);
        comparison.StateDictionary(root, model);

        FillEntries(StateDictionary.Of(model), root);
        model.to(precision);
        model.train(root.GetProperty("mode").GetString() == "train");
        var features = root.TryGetProperty("features", out var listed) ? listed.EnumerateArray().ToList() : [];
        var recorded = Record(model, features);

        var input = Named(root.GetProperty("input"), precision).requires_grad_();
        var vector = Named(root.GetProperty("loss_vector"), precision);
        var logits = model.call(input);
        var loss = (logits * vector).sum();
        loss.backward();

        CheckOutput(comparison, root, logits, loss, vector);
        foreach (var feature in features)
        {
            var path = feature.GetProperty("name").GetString()!;
            if (recorded.TryGetValue(path, out var figures)) comparison.Figures(path, feature, figures);
            else comparison.Exact($"{path}: the model has no such module, or does not call it", false);
        }
        CheckGradients(comparison, root, model, input);
        CheckBuffers(comparison, root, model);
        return comparison.Findings;
    }

    static Classifier Create(JsonElement root, string name)
    {
        var create = root.GetProperty("create");
        var size = Longs(root.GetProperty("input").GetProperty("shape"));
        var options = new ModelOptions { DropRate = Number(create, "drop_rate", 0), DropPathRate = Number(create, "drop_path_rate", 0) };
        var shape = new InputShape(create.GetProperty("in_chans").GetInt64(), size[2], size[3]);
        return Classifiers.Create(name, create.GetProperty("num_classes").GetInt32(), shape, options);
    }

    static ReferenceComparison Comparison(JsonElement tolerance, ScalarType precision)
    {
        var floor = Number(tolerance, "grad_floor", 0);
        if (precision == ScalarType.Float64)
        {
            var tight = tolerance.GetProperty("float64_rel").GetDouble();
            return new("float64", tight, tight, floor);
        }
        return new("float32", tolerance.GetProperty("float32_logits_rel").GetDouble(), tolerance.GetProperty("float32_grad_rel").GetDouble(), floor);
    }

    /// <summary>Figures of the output of every module that is named, filled in as the model runs.</summary>
    static Dictionary<string, Figures> Record(Classifier model, IEnumerable<JsonElement> features)
    {
        var recorded = new Dictionary<string, Figures>();
        var modules = model.named_modules().ToDictionary(m => m.name, m => m.module);
        foreach (var feature in features)
        {
            var path = feature.GetProperty("name").GetString()!;
            if (modules.GetValueOrDefault(path) is not nn.Module<Tensor, Tensor> module) continue;
            var probes = Longs(feature.GetProperty("probe_index"));
            module.register_forward_hook((_, _, output) =>
            {
                recorded[path] = Figures.Of(output, probes);
                return output;
            });
        }
        return recorded;
    }

    static void CheckOutput(ReferenceComparison comparison, JsonElement root, Tensor logits, Tensor loss, Tensor vector)
    {
        var expected = root.GetProperty("logits");
        comparison.Exact("logits_shape", Longs(root.GetProperty("logits_shape")).SequenceEqual(logits.shape));
        comparison.Values("logits", expected, logits);
        // An error of e in every logit moves the weighted sum by at most e times the sum of the weights.
        var scale = Doubles(expected).Max(Math.Abs) * vector.abs().sum().to(ScalarType.Float64).item<double>();
        comparison.Number("loss", root.GetProperty("loss").GetDouble(), loss.to(ScalarType.Float64).item<double>(), scale);
    }

    static void CheckGradients(ReferenceComparison comparison, JsonElement root, Classifier model, Tensor input)
    {
        if (!root.TryGetProperty("grads", out var gradients)) return;
        var parameters = model.named_parameters().ToDictionary(p => p.name, p => (Tensor)p.parameter);
        parameters["<input>"] = input;
        foreach (var gradient in gradients.EnumerateArray())
        {
            var path = gradient.GetProperty("name").GetString()!;
            comparison.Gradient($"grad {path}", gradient, parameters.GetValueOrDefault(path)?.grad);
        }
    }

    static void CheckBuffers(ReferenceComparison comparison, JsonElement root, Classifier model)
    {
        if (!root.TryGetProperty("buffers_after", out var buffers)) return;
        var entries = StateDictionary.Of(model).ToDictionary(e => e.Key, e => e.Tensor);
        foreach (var buffer in buffers.EnumerateArray())
        {
            var path = buffer.GetProperty("name").GetString()!;
            if (entries.TryGetValue(path, out var tensor)) comparison.Figures($"after {path}", buffer, Figures.Of(tensor, Figures.ProbesOf(buffer)));
            else comparison.Exact($"after {path}: the model has no such buffer", false);
        }
    }
}
