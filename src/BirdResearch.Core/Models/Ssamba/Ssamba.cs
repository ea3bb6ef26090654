using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// SSAMBA (Shams et al. 2024, SSAMBA: Self-Supervised Audio Representation Learning with Mamba State Space Model): a spectrogram cut into
/// patches that a stack of bidirectional Mamba layers mixes. Keys and numbers are those of SiavashShams/ssamba; features of another size
/// than it was built for are taken with fitted positions. Weights of a pretraining fit, see <see cref="SsambaPretrainer"/>.
/// </summary>
public sealed class Ssamba : Classifier
{
    const string Encoder = "v.", Head = "mlp_head.", Positions = Encoder + "pos_embed";

    readonly VimEncoder v;
    readonly TokenHead mlp_head;
    readonly SsambaSettings _settings;

    /// <param name="name">Catalogue name.</param>
    /// <param name="settings">Its numbers; those that make no model are an error that names them.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="input">Shape of the features, at least one patch.</param>
    /// <param name="options">Drop rates; published is a drop path rate of 0.1.</param>
    public Ssamba(string name, SsambaSettings settings, int classes, InputShape input, ModelOptions options) : base(name, classes, input)
    {
        _settings = settings;
        v = new VimEncoder(settings, input, options.DropPathRate);
        mlp_head = new TokenHead(settings.Width, classes, options.DropRate);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override long MinimumFrames => _settings.PatchFrames;

    /// <inheritdoc/>
    public override string StemKey => "v.patch_embed.proj.weight";

    /// <inheritdoc/>
    public override string HeadKey => "mlp_head.1";

    /// <summary>One for the embeddings, one for each pair of layers (its members act side by side), one for the last norm and the head.</summary>
    public override int Depths => (_settings.Depth / 2) + 2;

    /// <summary>Patches of the features that it was built for.</summary>
    public PatchGrid Grid => v.Grid;

    /// <summary>What it was built from.</summary>
    internal SsambaSettings Settings => _settings;

    internal VimEncoder VimEncoder => v;

    /// <summary>The classifier behind the encoder.</summary>
    internal TokenHead TokenHead => mlp_head;

    /// <inheritdoc/>
    public override Tensor forward(Tensor image)            // (B, channels, rows, frames)
    {
        RequireFeatures(image);
        using var scope = NewDisposeScope();
        var tokens = v.call(image);                         // (B, 1 + patches, width)
        var pooled = _settings.Pooling == TokenPooling.ClassToken
            ? tokens.select(1, 0)
            : tokens.narrow(1, 1, tokens.shape[1] - 1).mean([1]);
        return mlp_head.call(pooled).MoveToOuterDisposeScope();         // (B, C)
    }

    /// <inheritdoc/>
    public override int DepthOf(string key)
    {
        const string Layers = Encoder + "layers.";
        if (key.StartsWith(Layers, StringComparison.Ordinal))
            return 1 + (int.Parse(key[Layers.Length..key.IndexOf('.', Layers.Length)], System.Globalization.CultureInfo.InvariantCulture) / 2);
        return key.StartsWith(Encoder + "norm_f.", StringComparison.Ordinal) || IsHead(key) ? Depths - 1 : 0;
    }

    /// <inheritdoc/>
    public override bool IsDecayed(string key, Tensor parameter) => IsDecayedIn(key, parameter);

    internal static bool IsDecayedIn(string key, Tensor parameter) =>
        parameter.dim() > 1 && key[(key.LastIndexOf('.') + 1)..] is not ("A_log" or "A_b_log" or "cls_token" or "pos_embed" or "mask_embed");

    /// <inheritdoc/>
    public override bool IsHead(string key) => key.StartsWith(Head, StringComparison.Ordinal);

    /// <summary>Fits positions that were learned on another grid of patches: of another stride, of longer or of shorter clips.</summary>
    public override (Tensor Value, string Change)? Adapt(string key, Tensor value, Func<string, Tensor?> file)
    {
        if (key != Positions || value.dim() != 3 || value.shape[2] != _settings.Width) return null;
        if (GridOf(value.shape[1] - 1, file) is not { } from) return null;
        using var scope = NewDisposeScope();
        var fitted = PositionEmbedding.Fitted(value.to(ScalarType.Float32), from, Grid);
        return (fitted.MoveToOuterDisposeScope(), $"from a grid of {from.Rows} x {from.Frames} patches to {Grid.Rows} x {Grid.Frames}");
    }

    /// <summary>The grid that a file's positions were learned on: a pretraining says, else as many rows of patches as here are taken to be meant.</summary>
    PatchGrid? GridOf(long patches, Func<string, Tensor?> file)
    {
        if (file(SsambaPretrainer.RowsKey) is { } rows && file(SsambaPretrainer.FramesKey) is { } frames)
        {
            var (given, grid) = (_settings.WithoutOverlap, default(PatchGrid));
            if (rows.numel() == 1 && frames.numel() == 1) grid = given.GridOf(rows.item<long>(), frames.item<long>());
            return grid.Count == patches ? grid : null;
        }
        return patches > 0 && patches % Grid.Rows == 0 ? new PatchGrid(Grid.Rows, patches / Grid.Rows) : null;
    }
}
