using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// SSAMBA's encoder, spectrogram (B, channels, rows, frames) to tokens (B, 1 + patches, width), the class token first. Its layers work in
/// pairs, one on the sequence and one on the sequence turned around, and both add the same residual, so that the residual stream doubles
/// with every pair: the released weights were trained so.
/// </summary>
sealed class VimEncoder : nn.Module<Tensor, Tensor>
{
    /// <summary>Of every layer norm.</summary>
    public const double Epsilon = 1e-5;

    readonly Parameter cls_token;       // (1, 1, width)
    readonly Parameter pos_embed;       // (1, 1 + patches, width)
    readonly PatchEmbedding patch_embed;
    readonly UnusedHead head;
    readonly ModuleList<VimLayer> layers;
    readonly LayerNorm norm_f;
    readonly DropPath[] _dropPaths;
    readonly DropPath _lastDropPath;
    readonly SsambaSettings _settings;
    readonly Scalar _one = 1;

    public VimEncoder(SsambaSettings settings, InputShape input, double dropPathRate) : base(nameof(VimEncoder))
    {
        const double Deviation = 0.02;
        settings.Check();
        (_settings, Grid) = (settings, settings.GridOf(input.Rows, input.Frames));
        cls_token = nn.Parameter(zeros(1, 1, settings.Width));
        pos_embed = nn.Parameter(zeros(1, 1 + Grid.Count, settings.Width));
        // TorchSharp's trunc_normal_ fills with a constant; timm cuts at +-2, a hundred deviations away, so that this is the same.
        foreach (var drawn in (Parameter[])[cls_token, pos_embed]) nn.init.normal_(drawn, 0, Deviation);
        patch_embed = new PatchEmbedding(input.Channels, settings);
        head = new UnusedHead(settings.Width);
        layers = new ModuleList<VimLayer>([.. Enumerable.Range(0, settings.Depth).Select(i => new VimLayer(settings, flipped: i % 2 == 1))]);
        norm_f = nn.LayerNorm(settings.Width, Epsilon);
        _dropPaths = [.. Enumerable.Range(0, settings.Depth).Select(i => new DropPath(Math.Max(0, i - 1) * dropPathRate / (settings.Depth - 1)))];
        _lastDropPath = new DropPath(dropPathRate);
        RegisterComponents();
    }

    /// <summary>The grid of the features that it was built for.</summary>
    public PatchGrid Grid { get; }

    /// <summary>The class token, (1, 1, width).</summary>
    public Tensor ClassToken => cls_token;

    /// <summary>Positions of the class token and of the patches, (1, 1 + patches, width).</summary>
    public Tensor Positions => pos_embed;

    /// <summary>What makes tokens of patches.</summary>
    public PatchEmbedding PatchEmbedding => patch_embed;

    /// <summary>The layers, which work in pairs.</summary>
    public IReadOnlyList<VimLayer> Layers => [.. layers];

    /// <summary>The norm behind the last pair, taken twice.</summary>
    public LayerNorm LastNorm => norm_f;

    /// <summary>As <see cref="Sashimi.IsStepwise"/>.</summary>
    public bool IsStepwise { get; set; }

    /// <summary>Probability that a sample's branch is dropped on its way into each layer, and into the last norm.</summary>
    public IReadOnlyList<double> DropPathRates => [.. _dropPaths.Select(d => d.Rate), _lastDropPath.Rate];

    /// <inheritdoc/>
    public override Tensor forward(Tensor image)
    {
        using var scope = NewDisposeScope();
        return Encode(Patches(image), _settings.GridOf(image.shape[2], image.shape[3])).MoveToOuterDisposeScope();
    }

    /// <summary>One token per patch, (B, patches, width), before positions are added.</summary>
    public Tensor Patches(Tensor image) => patch_embed.call(image);

    /// <summary>Patches (B, patches, width) of that grid to tokens (B, 1 + patches, width).</summary>
    public Tensor Encode(Tensor patches, PatchGrid grid)
    {
        using var scope = NewDisposeScope();
        var hidden = cat([cls_token.expand(patches.shape[0], -1, -1), patches], 1);             // (B, L, width)
        hidden = hidden.add(grid == Grid ? pos_embed : PositionEmbedding.Fitted(pos_embed, Grid, grid), _one);
        var stream = new ResidualStream(hidden);
        for (var pair = 0; pair < layers.Count; pair += 2) stream = Pair(pair, stream);
        var normed = IsStepwise || (training && _lastDropPath.Rate > 0)
            ? norm_f.call(Dropped(stream, _lastDropPath))
            : stream.LastNorm(norm_f);
        return norm_f.call(normed).MoveToOuterDisposeScope();                                   // twice, as published
    }

    ResidualStream Pair(int first, ResidualStream stream)
    {
        using var scope = NewDisposeScope();
        var (one, other, last) = (layers[first], layers[first + 1], first + 1);
        if (IsStepwise || (training && stream.Waiting.Count > 0 && _dropPaths[first].Rate + _dropPaths[last].Rate > 0))
        {
            Tensor straight = Dropped(stream, _dropPaths[first]), turned = Dropped(stream, _dropPaths[last]);
            Tensor[] mixed = [one.call(straight).MoveToOuterDisposeScope(), other.call(turned).MoveToOuterDisposeScope()];
            return new(straight.add(turned, _one).MoveToOuterDisposeScope(), mixed);
        }
        var (sum, normed) = stream.Norm(one.Norm, other.Norm);
        return new(
            stream.Waiting.Count == 0 ? sum : sum.MoveToOuterDisposeScope(),
            one.Mixer.call(normed[0]).MoveToOuterDisposeScope(),
            other.Mixer.call(normed[1]).MoveToOuterDisposeScope())
        {
            Doubled = true,
        };
    }

    /// <summary>The stream with what waits, or with nothing more where that is dropped.</summary>
    Tensor Dropped(ResidualStream stream, DropPath dropPath)
    {
        if (stream.Waiting.Count == 0) return stream.Residual;
        using var scope = NewDisposeScope();
        var hidden = stream.Waiting[0].add(stream.Waiting[1], _one);
        return (stream with { Waiting = [dropPath.Apply(hidden, training)] }).Sum().MoveToOuterDisposeScope();
    }
}
