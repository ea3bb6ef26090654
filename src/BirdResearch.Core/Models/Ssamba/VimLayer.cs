using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// Norm and mixer of one layer, (B, L, width) to the same shape: reads the residual stream and gives what is to be added to it. A flipped
/// one gives what it would give on the stream turned around in time, turned back.
/// </summary>
sealed class VimLayer : nn.Module<Tensor, Tensor>
{
    readonly VimMixer mixer;
    readonly LayerNorm norm;

    public VimLayer(SsambaSettings settings, bool flipped) : base(nameof(VimLayer))
    {
        mixer = new VimMixer(settings.Mixer, flipped: flipped);
        mixer.ScaleOutput(settings.Depth);
        norm = nn.LayerNorm(settings.Width, VimEncoder.Epsilon);
        RegisterComponents();
    }

    /// <summary>Whether it acts as on the stream turned around.</summary>
    public bool Flipped => mixer.Flipped;

    /// <summary>The norm.</summary>
    public LayerNorm Norm => norm;

    /// <summary>The mixer alone.</summary>
    public VimMixer Mixer => mixer;

    public override Tensor forward(Tensor residual)
    {
        using var scope = NewDisposeScope();
        return mixer.call(norm.call(residual)).MoveToOuterDisposeScope();
    }
}
