using BirdResearch.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Cli.Benchmarks;

/// <summary>
/// A plain vision transformer (Dosovitskiy et al. 2021) of SSAMBA-tiny's size over the same patches, with libtorch's own attention: what
/// long sequences are measured against. Width 192, 16 layers, 3 heads, 7.1 M parameters without positions.
/// </summary>
sealed class ViTProbe : nn.Module<Tensor, Tensor>
{
    const long Width = 192, Patch = 16;
    const int Depth = 16;

    readonly Conv2d patches;
    readonly Parameter positions;
    readonly ModuleList<Layer> layers;
    readonly LayerNorm norm;
    readonly Linear head;

    public ViTProbe(InputShape input, long classes) : base(nameof(ViTProbe))
    {
        patches = nn.Conv2d(input.Channels, Width, Patch, Patch);
        positions = nn.Parameter(zeros(1, input.Rows / Patch * (input.Frames / Patch), Width));
        layers = new ModuleList<Layer>([.. Enumerable.Range(0, Depth).Select(_ => new Layer())]);
        norm = nn.LayerNorm(Width);
        head = nn.Linear(Width, classes);
        RegisterComponents();
    }

    public override Tensor forward(Tensor image)                               // (B, channels, rows, frames)
    {
        using var scope = NewDisposeScope();
        var x = patches.call(image).flatten(2).transpose(1, 2) + positions;     // (B, L, width)
        foreach (var layer in layers) x = layer.call(x);
        return head.call(norm.call(x).mean([1])).MoveToOuterDisposeScope();     // (B, C)
    }

    sealed class Layer : nn.Module<Tensor, Tensor>
    {
        const long Heads = 3;

        readonly LayerNorm norm1, norm2;
        readonly Linear qkv, proj, fc1, fc2;

        public Layer() : base(nameof(Layer))
        {
            (norm1, norm2) = (nn.LayerNorm(Width), nn.LayerNorm(Width));
            (qkv, proj) = (nn.Linear(Width, 3 * Width), nn.Linear(Width, Width));
            (fc1, fc2) = (nn.Linear(Width, 4 * Width), nn.Linear(4 * Width, Width));
            RegisterComponents();
        }

        public override Tensor forward(Tensor x)                                // (B, L, width)
        {
            using var scope = NewDisposeScope();
            var (batch, tokens) = (x.shape[0], x.shape[1]);
            var heads = qkv.call(norm1.call(x)).view(batch, tokens, 3, Heads, Width / Heads).permute(2, 0, 3, 1, 4);
            var mixed = nn.functional.scaled_dot_product_attention(heads[0], heads[1], heads[2]);  // (B, heads, L, width / heads)
            x = x + proj.call(mixed.transpose(1, 2).reshape(batch, tokens, Width));
            return (x + fc2.call(nn.functional.gelu(fc1.call(norm2.call(x))))).MoveToOuterDisposeScope();
        }
    }
}
