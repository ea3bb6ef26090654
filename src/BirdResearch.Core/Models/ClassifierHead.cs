using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// timm's ClassifierHead: mean over rows and frames, dropout, and the last layer, linear or a 1 x 1 convolution, whose weight has four dimensions.
/// It begins with a deviation of 0.01 and no bias, and runs in float32.
/// </summary>
sealed class ClassifierHead : nn.Module<Tensor, Tensor>
{
    readonly GlobalAverage global_pool;
    readonly nn.Module<Tensor, Tensor> fc;
    readonly double _dropRate;

    public ClassifierHead(long features, int classes, double dropRate, bool convolution = false) : base(nameof(ClassifierHead))
    {
        _dropRate = dropRate;
        global_pool = new GlobalAverage(keepAxes: convolution);
        fc = convolution ? nn.Conv2d(features, classes, 1) : nn.Linear(features, classes);
        var parameters = fc.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        nn.init.normal_(parameters["weight"], 0, 0.01);
        nn.init.zeros_(parameters["bias"]);
        RegisterComponents();
    }

    internal Tensor Weight => fc.get_parameter("weight")!;

    internal Tensor Bias => fc.get_parameter("bias")!;

    public override Tensor forward(Tensor x)                        // (B, C, H, W)
    {
        using var scope = NewDisposeScope();
        var pooled = global_pool.call(x);                           // (B, C) or (B, C, 1, 1)
        if (_dropRate > 0 && training) pooled = nn.functional.dropout(pooled, _dropRate);
        return fc.call(pooled).flatten(1).MoveToOuterDisposeScope(); // (B, K)
    }
}
