using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>SaShiMi's feed-forward block, token by token: wider, GELU, back.</summary>
sealed class FeedForward : nn.Module<Tensor, Tensor>
{
    readonly Chain ff;

    public FeedForward(long width, int expand, double dropout) : base(nameof(FeedForward))
    {
        nn.Module<Tensor, Tensor> between = dropout > 0 ? nn.Dropout(dropout) : nn.Identity();
        ff = new Chain([new Chain([new Pointwise(width, expand * width), nn.GELU()]), between, new Pointwise(expand * width, width)]);
        RegisterComponents();
    }

    /// <summary>The layer that widens.</summary>
    public Pointwise Widen => (Pointwise)((Chain)ff.Links[0]).Links[0];

    /// <summary>The layer that goes back.</summary>
    public Pointwise Narrow => (Pointwise)ff.Links[2];

    public override Tensor forward(Tensor x) => ff.call(x);     // (B, L, H)
}
