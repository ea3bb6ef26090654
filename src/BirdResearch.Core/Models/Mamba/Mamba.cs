using System.Globalization;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>The numbers of a Mamba classifier.</summary>
/// <param name="Width">Width of the tokens.</param>
/// <param name="Depth">Layers.</param>
/// <param name="Bidirectional">Vision Mamba's mixer, which reads the tokens both ways, instead of Mamba's causal one.</param>
/// <param name="Strides">Frames per token of a spectrogram; for raw sound, the strides of the two convolutions of the stem.</param>
sealed record MambaPlan(long Width, int Depth, bool Bidirectional, params long[] Strides);

/// <summary>
/// A stack of Mamba blocks over tokens in the order of time, mean pooling and a linear head. Gu and Dao 2023, Mamba; with
/// the bidirectional mixer, Zhu et al. 2024, Vision Mamba (without its class token and position embedding: the scan knows the order). A
/// spectrogram gives a token for every few frames, raw sound one for every few samples; any number of them is taken.
/// </summary>
public sealed class Mamba : Classifier
{
    readonly nn.Module<Tensor, Tensor> stem;
    readonly ModuleList<MambaLayer> layers;
    readonly LayerNorm norm_f;
    readonly Linear head;
    readonly double _dropRate;
    readonly int _depth;
    readonly bool _readsSound;
    static readonly long[] Tokens = [1];

    internal Mamba(string name, MambaPlan plan, int classes, InputShape input, ModelOptions options) : base(name, classes, input)
    {
        if (plan.Strides.Length == 2 && input is not { Channels: 1, Rows: 1 })
            throw new ArgumentException(
                $"{name} reads raw sound, one channel and one row of samples, but was asked for {input}. Give it the front-end waveform-16k.");
        (_dropRate, _depth, _readsSound) = (options.DropRate, plan.Depth, plan.Strides.Length == 2);
        stem = _readsSound
            ? new SoundTokens(plan.Strides[0], plan.Strides[1], plan.Width)
            : new FrameTokens(input.Channels, input.Rows, plan.Strides[0], plan.Width);
        layers = new ModuleList<MambaLayer>([.. Enumerable.Range(0, plan.Depth).Select(i =>
            new MambaLayer(plan.Width, Mixer(plan), options.DropPathRate * i / Math.Max(plan.Depth - 1, 1)))]);
        norm_f = nn.LayerNorm(plan.Width, 1e-5);
        head = nn.Linear(plan.Width, classes);
        RegisterComponents();
    }

    /// <summary>What makes tokens: <see cref="FrameTokens"/> or <see cref="SoundTokens"/>.</summary>
    internal nn.Module<Tensor, Tensor> Stem => stem;

    /// <summary>The layers in their order.</summary>
    internal IEnumerable<MambaLayer> Layers => layers;

    /// <summary>The norm behind the last layer.</summary>
    internal LayerNorm LastNorm => norm_f;

    /// <summary>The classifier.</summary>
    internal Linear Head => head;

    /// <inheritdoc/>
    public override string? StemKey => _readsSound ? null : "stem.weight";

    /// <inheritdoc/>
    public override string HeadKey => "head";

    /// <inheritdoc/>
    public override int Depths => _depth + 2;

    /// <inheritdoc/>
    public override int DepthOf(string key) => key.Split('.') switch
    {
        ["stem", ..] => 0,
        ["layers", var index, ..] => int.Parse(index, CultureInfo.InvariantCulture) + 1,
        _ => _depth + 1,
    };

    /// <inheritdoc/>
    public override bool IsDecayed(string key, Tensor parameter) =>
        base.IsDecayed(key, parameter) && key[(key.LastIndexOf('.') + 1)..] is not ("A_log" or "A_b_log");

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)                        // (B, channels, rows, frames)
    {
        RequireFeatures(input);
        if (input.shape[2] != Input.Rows)
            throw new ArgumentException($"{ModelName} was built for {Input.Rows} rows, but the features have {input.shape[2]}.");
        using var scope = NewDisposeScope();
        var stream = new ResidualStream(stem.call(input));              // (B, L, width)
        foreach (var layer in layers) stream = layer.call(stream);
        var x = stream.LastNorm(norm_f);                                // (B, L, width)
        x = x.mean(Tokens);                                             // (B, width)
        if (_dropRate > 0 && training) x = nn.functional.dropout(x, _dropRate);
        return head.call(x).MoveToOuterDisposeScope();                  // (B, C)
    }

    static nn.Module<Tensor, Tensor> Mixer(MambaPlan plan)
    {
        var settings = new MambaSettings { Width = plan.Width };
        nn.Module<Tensor, Tensor> mixer = plan.Bidirectional ? new VimMixer(settings) : new MambaMixer(settings);
        ((ISelectiveMixer)mixer).ScaleOutput(plan.Depth);
        return mixer;
    }
}
