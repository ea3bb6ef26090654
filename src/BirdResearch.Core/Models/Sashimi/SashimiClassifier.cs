using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// A SaShiMi backbone that classifies: every frame becomes a token, padded with zeros to a multiple of the pools, and the mean over the
/// real tokens goes to a linear head. Made for raw sound, features (B, 1, 1, T), it takes any rows.
/// </summary>
public sealed class SashimiClassifier : Classifier
{
    const double StateLearningRate = 0.001;     // state-spaces/s4, configs/model/layer/s4.yaml

    static readonly HashSet<string> Undecayed = ["A_log", "A_b_log"];

    readonly nn.Module<Tensor, Tensor> encoder;
    readonly Sashimi backbone;
    readonly Linear head;

    readonly double _dropRate;
    readonly SoundInput _sound;
    readonly Dictionary<string, int> _depths;

    internal SashimiClassifier(string name, SashimiSettings settings, SoundInput sound, int classes, InputShape input, ModelOptions options)
        : base(name, classes, input)
    {
        var rows = input.Channels * input.Rows;
        if (sound == SoundInput.MuLaw && rows != 1)
            throw new ArgumentException($"{name} reads mu-law codes of raw sound, one row of samples, but was asked for {input}. Use the waveform front-end.");
        (_dropRate, _sound) = (options.DropRate, sound);
        encoder = sound == SoundInput.MuLaw ? nn.Embedding(MuLaw.Codes, settings.Width) : new Dense(rows, settings.Width);
        backbone = new Sashimi(settings with { DropPath = options.DropPathRate });
        head = nn.Linear(settings.Width, classes);
        _depths = backbone.Layers.Select((path, i) => (Path: $"{nameof(backbone)}.{path}.", Depth: i + 1)).ToDictionary(p => p.Path, p => p.Depth);
        RegisterComponents();
    }

    /// <summary>The backbone.</summary>
    public Sashimi Backbone => backbone;

    /// <summary>What makes tokens: <see cref="Dense"/> over rows, or an embedding of mu-law codes.</summary>
    internal nn.Module<Tensor, Tensor> Encoder => encoder;

    /// <summary>The classifier.</summary>
    internal Linear Head => head;

    /// <inheritdoc/>
    public override string HeadKey => nameof(head);

    /// <summary>The encoder, one for every pool and residual block, and the head with the last norm.</summary>
    public override int Depths => _depths.Count + 2;

    /// <inheritdoc/>
    public override int DepthOf(string key)
    {
        if (key.StartsWith($"{nameof(encoder)}.", StringComparison.Ordinal)) return 0;
        return _depths.Where(d => key.StartsWith(d.Key, StringComparison.Ordinal)).Select(d => d.Value).FirstOrDefault(Depths - 1);
    }

    /// <summary>As in every model, but for the state matrices of S4 and Mamba and S4's input vectors and step sizes.</summary>
    public override bool IsDecayed(string key, Tensor parameter) =>
        base.IsDecayed(key, parameter) && !IsStateParameter(key) && !Undecayed.Contains(Leaf(key));

    /// <inheritdoc/>
    public override double? LearningRateLimitOf(string key) => IsStateParameter(key) ? StateLearningRate : null;

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)                    // (B, channels, rows, T)
    {
        RequireFeatures(input);
        if (input.shape[2] != Input.Rows)
            throw new ArgumentException($"{ModelName} was built for {Input.Rows} rows, but the features have {input.shape[2]}.");
        using var scope = NewDisposeScope();
        var (frames, stride) = (input.shape[3], backbone.Settings.Stride);
        var x = input.flatten(1, 2);                                // (B, rows, T)
        x = _sound == SoundInput.MuLaw ? encoder.call(MuLaw.Encode(x.squeeze(1))) : encoder.call(x.transpose(1, 2));
        var missing = (stride - (frames % stride)) % stride;
        if (missing > 0) x = nn.functional.pad(x, (0, 0, 0, missing));
        x = backbone.call(x);                                       // (B, T + padding, width)
        x = x.narrow(1, 0, frames).mean([1]);                       // (B, width)
        if (_dropRate > 0 && training) x = nn.functional.dropout(x, _dropRate);
        return head.call(x).MoveToOuterDisposeScope();              // (B, C)
    }

    static bool IsStateParameter(string key) => key.Contains(".kernel.", StringComparison.Ordinal) && S4Kernel.IsStateParameter(Leaf(key));

    static string Leaf(string key) => key[(key.LastIndexOf('.') + 1)..];
}
