using TorchSharp.Modules;
using static TorchSharp.torch;
using Layer = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace BirdResearch.Models;

/// <summary>
/// The SaShiMi backbone (Goel et al. 2022, It's Raw! Audio Generation with State-Space Models; state-spaces/s4, models/sashimi):
/// (B, L, width) -> (B, L, width), L a multiple of <see cref="SashimiSettings.Stride"/>. It mixes tokens at several rates, each reached by
/// pooling, and adds up the rates on the way back.
/// </summary>
public sealed class Sashimi : nn.Module<Tensor, Tensor>
{
    readonly ModuleList<Layer> d_layers;
    readonly ModuleList<Layer> c_layers;
    readonly ModuleList<ModuleList<Layer>> u_layers;
    readonly LayerNorm norm;

    readonly int _blocks;
    int _built;

    /// <summary>A backbone with freshly drawn weights; settings out of range are an error that names them.</summary>
    public Sashimi(SashimiSettings settings) : base(nameof(Sashimi))
    {
        settings.Check();
        Settings = settings;
        var (levels, last) = (settings.Levels, settings.Pools.Count);
        _blocks = levels.Select((l, i) => Blocks(l) * (settings.Unet && i < last ? 2 : 1)).Sum();

        var down = new List<Layer>();
        for (var level = 0; level < last; level++)
        {
            if (settings.Unet) down.AddRange(Build(level));
            down.Add(new DownPool(WidthOf(level), settings.Expand, settings.Pools[level]));
        }
        d_layers = nn.ModuleList(down.ToArray());
        c_layers = nn.ModuleList(Build(last).ToArray());
        var up = new List<ModuleList<Layer>>();
        for (var level = last - 1; level >= 0; level--)
            up.Add(nn.ModuleList<Layer>([new UpPool(WidthOf(level + 1), settings.Expand, settings.Pools[level]), .. Build(level)]));
        u_layers = nn.ModuleList(up.ToArray());
        norm = nn.LayerNorm(settings.Width);
        RegisterComponents();
    }

    /// <summary>What it was built from.</summary>
    public SashimiSettings Settings { get; }

    /// <summary>Whether every block gives its own sum, for those who look at it with a hook; otherwise the next norm adds it up, which is faster.</summary>
    internal bool IsStepwise { get; set; }

    /// <summary>Paths of its pools and residual blocks, in the order in which they act.</summary>
    public IReadOnlyList<string> Layers =>
    [
        .. d_layers.Select((_, i) => $"{nameof(d_layers)}.{i}"),
        .. c_layers.Select((_, i) => $"{nameof(c_layers)}.{i}"),
        .. u_layers.SelectMany((block, j) => block.Select((_, i) => $"{nameof(u_layers)}.{j}.{i}")),
    ];

    /// <summary>The way down: pools, and blocks too where it is a U-net.</summary>
    internal IEnumerable<Layer> Down => d_layers;

    /// <summary>The blocks at the lowest rate.</summary>
    internal IEnumerable<Layer> Centre => c_layers;

    /// <summary>The way up, rate by rate: a pool, then blocks.</summary>
    internal IEnumerable<IReadOnlyList<Layer>> Upwards => u_layers.Select(block => (IReadOnlyList<Layer>)[.. block]);

    /// <summary>The norm at the end.</summary>
    internal LayerNorm LastNorm => norm;

    /// <inheritdoc/>
    public override Tensor forward(Tensor tokens)                   // (B, L, width)
    {
        if (tokens.shape is not [_, var length, var width] || width != Settings.Width || length < 1 || length % Settings.Stride != 0)
            throw new ArgumentException(
                $"SaShiMi takes tokens (batch, length, {Settings.Width}), the length a multiple of {Settings.Stride}, but got " +
                $"({string.Join(", ", tokens.shape)}). Pad them with zeros first.");
        using var scope = NewDisposeScope();
        var x = tokens;
        var skips = new Stack<Tensor>([x]);
        foreach (var layer in d_layers) skips.Push(x = layer.call(x));
        var stream = new ResidualStream(x);
        foreach (var layer in c_layers) stream = Continue(layer, stream);
        stream = stream.Plus(skips.Pop());
        foreach (var block in u_layers) stream = Settings.Unet ? UpThroughEverySkip(block, stream, skips) : Up(block, stream, skips);
        return (IsStepwise ? norm.call(stream.Sum()) : stream.LastNorm(norm)).MoveToOuterDisposeScope();
    }

    ResidualStream Up(ModuleList<Layer> block, ResidualStream stream, Stack<Tensor> skips)
    {
        stream = Continue(block[0], stream).Plus(skips.Pop());
        if (block.Count == 1) stream = new(stream.Sum());
        Tensor? pooled = null;
        foreach (var layer in block.Skip(1))
        {
            if (IsStepwise && pooled is null) stream = new(pooled = stream.Sum());
            stream = Continue(layer, stream);
            pooled ??= stream.Residual;
        }
        return stream.Plus(pooled ?? stream.Residual);
    }

    ResidualStream UpThroughEverySkip(ModuleList<Layer> block, ResidualStream stream, Stack<Tensor> skips)
    {
        foreach (var layer in block) stream = Continue(layer, stream).Plus(skips.Pop());
        return stream;
    }

    ResidualStream Continue(Layer layer, ResidualStream stream) =>
        layer is ResidualBranch branch && !IsStepwise ? branch.Continue(stream) : new(layer.call(stream.Sum()));

    long WidthOf(int level) => Enumerable.Repeat((long)Settings.Expand, level).Aggregate(Settings.Width, (a, b) => a * b);

    static int Blocks(SashimiLevel level) => level.Layers * (level.FeedForward > 0 ? 2 : 1);

    IEnumerable<Layer> Build(int index)
    {
        var (level, width) = (Settings.Levels[index], WidthOf(index));
        for (var i = 0; i < level.Layers; i++)
        {
            yield return Branch(width, Mixer(level, width, i));
            if (level.FeedForward > 0) yield return Branch(width, new FeedForward(width, level.FeedForward, Settings.Dropout));
        }
    }

    Layer Mixer(SashimiLevel level, long width, int index)
    {
        var mamba = new MambaSettings { Width = width, States = level.States ?? 16, Expand = level.MambaExpand };
        return level.Mixer switch
        {
            SashimiMixer.S4 => new S4Block(width, Settings.S4 with { States = level.States ?? Settings.S4.States, Dropout = Settings.Dropout }),
            SashimiMixer.Mamba => new MambaMixer(mamba),
            SashimiMixer.Vim => new VimMixer(mamba),
            SashimiMixer.MambaInTurn => new MambaMixer(mamba, reverse: index % 2 == 1),
            _ => throw new ArgumentException($"There is no mixer {level.Mixer}."),
        };
    }

    ResidualBranch Branch(long width, Layer layer) =>
        new(width, layer, Settings.Dropout, Settings.DropPath * _built++ / Math.Max(_blocks - 1, 1));
}
