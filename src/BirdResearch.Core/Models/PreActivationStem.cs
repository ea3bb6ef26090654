using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>A 7 x 7 convolution and a maximum pool, each of stride 2, without norm or activation: the first block has its own.</summary>
sealed class PreActivationStem : nn.Module<Tensor, Tensor>
{
    readonly Convolution conv;
    readonly MaxPool2d pool;

    public PreActivationStem(long input, long output) : base(nameof(PreActivationStem))
    {
        conv = new Convolution(input, output, 7, 2);
        pool = nn.MaxPool2d(3, 2, 1);
        RegisterComponents();
    }

    internal IReadOnlyList<nn.Module> Links => [conv, pool];

    public override Tensor forward(Tensor x)                        // (B, channels, H, W)
    {
        using var scope = NewDisposeScope();
        return pool.call(conv.call(x)).MoveToOuterDisposeScope();   // (B, out, H / 4, W / 4)
    }
}
