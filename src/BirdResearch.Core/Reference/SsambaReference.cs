using System.Text.Json;
using BirdResearch.Models;
using TorchSharp;
using static BirdResearch.Reference.ReferenceJson;
using static TorchSharp.torch;

namespace BirdResearch.Reference;

/// <summary>
/// Judges files made with SiavashShams/ssamba: fine-tuning models (state dictionary, tokens between layers, logits, gradients, and the
/// positions taken over from a pretraining) and pretraining objectives with given masks, in float64 and in float32.
/// </summary>
public sealed class SsambaReference : IReferenceKind
{
    const double TransferTolerance = 1e-6;      // absolute: the reference computed it in float32

    /// <inheritdoc/>
    public string Name => "ssamba";

    /// <inheritdoc/>
    public bool Knows(string fileName, JsonElement root) =>
        root.TryGetProperty("embed_dim", out _) && root.TryGetProperty("state_dict", out _)
        && (root.TryGetProperty("mask_index", out _) || (root.TryGetProperty("task", out _) && root.TryGetProperty("logits", out _)));

    /// <inheritdoc/>
    public IEnumerable<ReferenceFinding> Check(JsonElement root) =>
        root.TryGetProperty("mask_index", out _)
            ? [.. Pretraining(root, ScalarType.Float64), .. Pretraining(root, ScalarType.Float32)]
            : [.. FineTuning(root, ScalarType.Float64), .. FineTuning(root, ScalarType.Float32)];

    static IReadOnlyList<ReferenceFinding> FineTuning(JsonElement root, ScalarType precision)
    {
        using var scope = NewDisposeScope();
        var comparison = Comparison(root, precision, "float32_logits_rel");
        var settings = SettingsOf(root) with { Pooling = PoolingOf(root) };
        var input = Image(root, precision);
        var shape = new InputShape(1, input.shape[2], input.shape[3]);
        using var model = new Ssamba("ssamba", settings, root.GetProperty("label_dim").GetInt32(), shape, new ModelOptions());
        CheckState(comparison, root, model);
        var transfer = precision == ScalarType.Float32 && root.TryGetProperty("transfer_check", out var check) ? Transfer(root, check, model, settings) : [];

        FillEntries(StateDictionary.Of(model), root);
        model.to(precision);
        model.train(IsTraining(root));
        using var watch = new SsambaFeatures(model, ListOf(root, "features"));
        var logits = model.call(input);
        (logits * Named(root.GetProperty("loss_vector"), precision)).sum().backward();

        comparison.Exact("logits_shape", Longs(root.GetProperty("logits_shape")).SequenceEqual(logits.shape));
        comparison.Values("logits", root.GetProperty("logits"), logits);
        watch.Compare(comparison);
        CheckGradients(comparison, root, model);
        return [.. comparison.Findings, .. transfer];
    }

    static IReadOnlyList<ReferenceFinding> Pretraining(JsonElement root, ScalarType precision)
    {
        using var scope = NewDisposeScope();
        var comparison = Comparison(root, precision, "float32_loss_rel");
        var image = Image(root, precision);
        using var model = new SsambaPretrainer("ssamba", SettingsOf(root), new InputShape(1, image.shape[2], image.shape[3]), dropPathRate: 0);
        CheckState(comparison, root, model);
        if (root.TryGetProperty("patch_grid", out var grid))
            comparison.Exact("patch_grid", Longs(grid).SequenceEqual([model.Grid.Rows, model.Grid.Frames]));

        FillEntries(StateDictionary.Of(model), root);
        model.to(precision);
        model.train(IsTraining(root));
        var rows = root.GetProperty("mask_index").EnumerateArray().Select(Longs).ToList();
        var masked = tensor(rows.SelectMany(r => r).ToArray(), [rows.Count, rows[0].Length]);
        Tensor nce, accuracy;
        using (var watch = new SsambaFeatures(model, ListOf(root, "features_of_mpc_pass")))
        {
            (nce, accuracy) = model.Discriminate(image, masked);
            watch.Compare(comparison);
        }
        using var second = new SsambaFeatures(model, ListOf(root, "features"));
        var mse = model.Reconstruct(image, masked);
        second.Compare(comparison);
        var loss = nce + (mse * 10);
        loss.backward();

        foreach (var (name, ours) in new[] { ("nce", nce), ("mse", mse), ("loss", loss) })
        {
            var theirs = root.GetProperty(name).GetDouble();
            comparison.Number(name, theirs, ours.to(ScalarType.Float64).item<double>(), Math.Abs(theirs));
        }
        // The file's accuracy has nine digits too; one patch more or less would be far off.
        comparison.Number("acc", root.GetProperty("acc").GetDouble(), accuracy.to(ScalarType.Float64).item<double>(), 1);
        CheckGradients(comparison, root, model);
        return comparison.Findings;
    }

    /// <summary>Positions that the fine-tuning model takes over from a pretraining of the file's length that the rule has filled.</summary>
    static IReadOnlyList<ReferenceFinding> Transfer(JsonElement root, JsonElement check, Ssamba model, SsambaSettings settings)
    {
        var frames = check.GetProperty("pretrain_target_length").GetInt64();
        using var pretraining = new SsambaPretrainer("ssamba", settings, new InputShape(1, model.Input.Rows, frames), dropPathRate: 0);
        FillEntries(StateDictionary.Of(pretraining), root);
        var file = StateDictionary.Of(pretraining).ToDictionary(e => e.Key, e => e.Tensor);
        const string Key = "v.pos_embed";
        using var off = no_grad();
        var fitted = pretraining.Grid == model.Grid ? file[Key] : model.Adapt(Key, file[Key], file.GetValueOrDefault)?.Value;
        var largest = Math.Max(Math.Abs(check.GetProperty("min").GetDouble()), Math.Abs(check.GetProperty("max").GetDouble()));
        var comparison = new ReferenceComparison("float32", TransferTolerance / largest, 0, 0);
        comparison.Array("transfer of pos_embed", check, fitted);
        return comparison.Findings;
    }

    static ReferenceComparison Comparison(JsonElement root, ScalarType precision, string single)
    {
        var tolerance = root.GetProperty("tolerance");
        var floor = Number(tolerance, "grad_floor", 0);
        if (precision == ScalarType.Float32)
            return new("float32", tolerance.GetProperty(single).GetDouble(), tolerance.GetProperty("float32_grad_rel").GetDouble(), floor);
        var tight = tolerance.GetProperty("float64_rel").GetDouble();
        return new("float64", tight, tight, floor);
    }

    /// <summary>Patches of 16 x 16 that touch, and 24 layers, where the file does not say otherwise.</summary>
    static SsambaSettings SettingsOf(JsonElement root)
    {
        var (rows, frames) = ((long)Number(root, "fshape", 16), (long)Number(root, "tshape", 16));
        return new SsambaSettings
        {
            Width = root.GetProperty("embed_dim").GetInt64(),
            Depth = (int)Number(root, "depth", 24),
            PatchRows = rows,
            PatchFrames = frames,
            RowStride = (long)Number(root, "fstride", rows),
            FrameStride = (long)Number(root, "tstride", frames),
        };
    }

    static TokenPooling PoolingOf(JsonElement root) => root.GetProperty("task").GetString() switch
    {
        "ft_avgtok" => TokenPooling.Mean,
        "ft_cls" => TokenPooling.ClassToken,
        var other => throw new ArgumentException($"The task '{other}' is not understood; there are ft_avgtok and ft_cls."),
    };

    /// <summary>The input, time x mel in the file, as (B, 1, mel, time).</summary>
    static Tensor Image(JsonElement root, ScalarType precision) =>
        Named(root.GetProperty("input"), precision).transpose(1, 2).unsqueeze(1).contiguous();

    static bool IsTraining(JsonElement root) => root.GetProperty("mode").GetString()!.StartsWith("train", StringComparison.Ordinal);

    static List<JsonElement> ListOf(JsonElement root, string name) => root.TryGetProperty(name, out var list) ? [.. list.EnumerateArray()] : [];

    /// <summary>The keys and, where the file has them, its counts of all numbers and of those that are used.</summary>
    static void CheckState(ReferenceComparison comparison, JsonElement root, nn.Module model)
    {
        comparison.Keys(root, model);
        if (!root.TryGetProperty("num_parameters", out var counts)) return;
        var entries = StateDictionary.Of(model);
        var all = entries.Sum(e => e.Tensor.numel());
        var used = entries.Where(e => !e.Key.StartsWith("v.head.", StringComparison.Ordinal)).Sum(e => e.Tensor.numel());
        foreach (var (name, ours) in new[] { ("all_state", all), ("without_unused_v_head", used) })
            if (counts.TryGetProperty(name, out var theirs)) comparison.Exact($"{name}: {ours}, theirs {theirs}", ours == theirs.GetInt64());
    }

    static void CheckGradients(ReferenceComparison comparison, JsonElement root, nn.Module model)
    {
        var parameters = model.named_parameters().ToDictionary(p => p.name, p => (Tensor)p.parameter);
        foreach (var gradient in ListOf(root, "grads"))
        {
            var path = gradient.GetProperty("name").GetString()!;
            comparison.Gradient($"grad {path}", gradient, parameters.GetValueOrDefault(path)?.grad);
        }
    }
}
