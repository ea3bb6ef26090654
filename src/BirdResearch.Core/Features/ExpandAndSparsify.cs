using BirdResearch.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>
/// Convolutional expand-and-sparsify (after Dasgupta and Tosh 2020, arXiv 2006.03741): a fixed kernel (n_output, mels, window), random or
/// drawn from training sound, slides along the normalised mel series, and few of the activations stay.
/// (B, T) -> (B, channels, n_output, T') with T' = 1 + (frames - window) / stride.
/// </summary>
/// <remarks>
/// Of equal activations winner-take-all keeps those of the lowest unit (of the earliest step, over a clip), so digital silence gives the
/// first k units. A patch without any contrast has activation 0 in every unit once it is centred.
/// </remarks>
public sealed partial class ExpandAndSparsify : FrontEnd
{
    readonly MelFrontEnd mel;
    readonly Tensor? kernel;                                    // (n_output, mels, window), a buffer in the state dictionary
    readonly Tensor? thresholds;                                // (n_output), likewise
    readonly Tensor? fitted;                                    // (1), 1 once kernel and thresholds are fitted
    readonly FrontEndSettings _settings;
    readonly ExpansionSettings _expansion;
    readonly int[] _inputs = [];
    readonly SparseProjection? _sparse;
    readonly Scalar _flat = SparseProjection.Flat;

    /// <param name="settings">What to compute; see <see cref="FrontEnds"/>.</param>
    public ExpandAndSparsify(FrontEndSettings settings) : base("expand-and-sparsify", settings.SampleRate)
    {
        SettingsCheck.FrontEnd(settings);
        (_settings, _expansion) = (settings, settings.Expansion);
        mel = new MelFrontEnd(settings with { Kind = "mel", Channels = 1 });
        var cells = mel.Rows * _expansion.Window;
        if (_expansion.Projection == Projection.SparseBinary)
        {
            _inputs = ExpansionKernels.Inputs(_expansion, cells);
            _sparse = new SparseProjection(_inputs, _expansion);
        }
        else
        {
            var weights = _expansion.Projection == Projection.Gaussian ? ExpansionKernels.Gaussian(_expansion, cells) : new float[_expansion.Outputs * cells];
            kernel = tensor(weights, [_expansion.Outputs, mel.Rows, _expansion.Window]).DetachFromDisposeScope();
        }
        if (_expansion.Rule == SparsityRule.Threshold) thresholds = zeros(_expansion.Outputs).DetachFromDisposeScope();
        if (_expansion.Projection == Projection.Attuned || thresholds is not null) fitted = zeros(1).DetachFromDisposeScope();
        RegisterComponents();
    }

    /// <summary>What it expands.</summary>
    internal MelFrontEnd Mel => mel;

    /// <summary>How it expands.</summary>
    internal ExpansionSettings Expansion => _expansion;

    /// <summary>Cells that each unit adds up, one unit after the other; none where every unit weighs every cell.</summary>
    internal IReadOnlyList<int> Inputs => _inputs;

    /// <summary>Each unit's threshold (n_output); null where units compete.</summary>
    internal Tensor? Thresholds => thresholds;

    /// <inheritdoc/>
    public override int Channels => _settings.Channels;

    /// <inheritdoc/>
    public override int Rows => _expansion.Outputs;

    /// <inheritdoc/>
    public override long Frames(long samples)
    {
        var frames = mel.Frames(samples);
        if (frames < _expansion.Window)
            throw new ArgumentException(
                $"A clip of {samples} samples gives {frames} mel frames, fewer than the expansion's window of {_expansion.Window}: " +
                "lengthen the clip or shorten the window.");
        return 1 + (frames - _expansion.Window) / _expansion.Stride;
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor sound)                                     // (B, T)
    {
        Frames(SoundBatch.Samples(sound));
        RequireFitted();
        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        var activations = Activations(mel.forward(sound).squeeze(1));                // (B, T', n_output)
        var code = Sparsified(activations).unsqueeze(1);                             // (B, 1, n_output, T')
        return (Channels == 1 ? code : code.repeat(1, Channels, 1, 1)).MoveToOuterDisposeScope();
    }

    /// <summary>Responses of every unit: mel series (B, mels, F) -> (B, T', n_output).</summary>
    public Tensor Activations(Tensor series) =>
        _sparse is not null && SoundBatch.CanFuse(series) ? _sparse.Apply(series) : Reference(series);

    /// <summary>The same with every patch and the whole kernel written out: for any projection, device and precision.</summary>
    public Tensor Reference(Tensor series)
    {
        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        var patches = Patches(series, _expansion.Patch);                             // (B, T', mels * window)
        return matmul(patches, Weights(series).t()).MoveToOuterDisposeScope();       // (B, T', n_output)
    }

    /// <summary>The patches under the sliding window, scaled: mel series (B, mels, F) -> (B, T', mels * window).</summary>
    Tensor Patches(Tensor series, PatchScaling scaling)
    {
        using var scope = NewDisposeScope();
        var patches = series.unfold(2, _expansion.Window, _expansion.Stride).transpose(1, 2).flatten(2);
        if (scaling == PatchScaling.Raw) return patches.MoveToOuterDisposeScope();
        var centred = patches - patches.mean([-1], keepdim: true);
        var variance = (centred * centred).mean([-1], keepdim: true);                // (B, T', 1)
        centred.mul_(variance.gt(_flat));
        if (scaling == PatchScaling.UnitNorm) centred.div_(variance.Times(patches.shape[^1]).clamp_min(_flat).sqrt_());
        return centred.MoveToOuterDisposeScope();
    }

    /// <summary>The dense kernel as (n_output, mels * window), cells in the order band * window + frame.</summary>
    internal Tensor Weights() => kernel!.flatten(1);

    /// <summary>The kernel as (n_output, mels * window).</summary>
    Tensor Weights(Tensor like)
    {
        if (kernel is not null) return kernel.flatten(1);
        var cells = mel.Rows * _expansion.Window;
        return tensor(ExpansionKernels.WrittenOut(_inputs, _expansion.Outputs, cells), [_expansion.Outputs, cells], dtype: like.dtype, device: like.device);
    }

    /// <summary>Activations (B, T', n_output) -> code (B, n_output, T'): 1 or the activation for a unit that stays, 0 for the others.</summary>
    internal Tensor Sparsified(Tensor activations)
    {
        using var scope = NewDisposeScope();
        if (thresholds is not null)
        {
            var fires = activations.le(thresholds).logical_not_();                   // NaN fires, so that it is seen
            var kept = _expansion.Binary ? fires.to(activations.dtype) : where(fires, activations, zeros_like(activations));
            return kept.transpose(1, 2).contiguous().MoveToOuterDisposeScope();
        }
        var competing = _expansion.Rule == SparsityRule.PerClip ? activations.flatten(1).unsqueeze(1) : activations;   // (B, contests, units)
        var perContest = _expansion.Rule == SparsityRule.PerClip ? _expansion.K * (int)activations.shape[1] : _expansion.K;
        var winners = WinnerTakeAll.Indices(competing, perContest);                  // (B, contests, winners)
        return SparseCode.Written(activations, winners, _expansion.Binary).MoveToOuterDisposeScope();
    }
}
