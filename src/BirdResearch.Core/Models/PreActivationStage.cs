using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>The blocks of one stage under timm's key <c>blocks</c>.</summary>
sealed class PreActivationStage : nn.Module<Tensor, Tensor>
{
    readonly Chain blocks;

    public PreActivationStage(IEnumerable<PreActivationBlock> blocks) : base(nameof(PreActivationStage))
    {
        this.blocks = new Chain(blocks);
        RegisterComponents();
    }

    internal Chain Blocks => blocks;

    public override Tensor forward(Tensor x) => blocks.call(x); // (B, in, H, W) -> (B, out, H / s, W / s)
}
