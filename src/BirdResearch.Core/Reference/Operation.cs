using System.Globalization;
using System.Text.RegularExpressions;
using BirdResearch.Kernels;
using BirdResearch.Models;
using static TorchSharp.torch;

namespace BirdResearch.Reference;

/// <summary>One operation of a file by its name, with the layer that the models use for it.</summary>
/// <param name="Apply">Computes it.</param>
/// <param name="Module">The layer that holds its parameters, or null where it has none.</param>
sealed partial record Operation(Func<Tensor, Tensor> Apply, nn.Module<Tensor, Tensor>? Module = null)
{
    /// <summary>
    /// The operation that a name stands for, or null where it is not understood. Kernels, strides, epsilon and mode are read from the name, such as
    /// <c>conv_same_k3s2</c> or <c>bn_eval_eps1e-3_silu</c>; widths and groups from the shapes.
    /// </summary>
    public static Operation? Of(string name, OperationShapes shapes)
    {
        var words = name.Split('_');
        return words switch
        {
            ["conv", "same", ..] => Layer(Same(name, shapes)),
            ["scaled", "std", "conv", ..] => Layer(Scaled(name, shapes)),
            ["eca", ..] => Attention(shapes),
            ["se", "resnet", ..] => Layer(SqueezeExcite(shapes, "fc1", "fc2")),
            ["se", "efficientnet", ..] => Layer(SqueezeExcite(shapes, "conv_reduce", "conv_expand")),
            ["avgpool2", "ceil", "nopadcount"] => new(PooledShortcut.Pool),
            ["maxpool3", "s2", "p1"] => Layer(nn.MaxPool2d(3, 2, 1)),
            ["bn", "train" or "eval", ..] => Norm(words, shapes),
            ["layernorm", var epsilon] when Epsilon(epsilon) is { } e => Layer(nn.LayerNorm(shapes["weight"], e)),
            ["interpolate", "bilinear"] => new(x => nn.functional.interpolate(x, shapes.Output[2..], mode: InterpolationMode.Bilinear, align_corners: false)),
            ["gelu", "erf"] => Pointwise(Activation.Gelu),
            ["softplus"] => new(x => x.Softplus()),
            [var word] when Named(word) is { } activation => Pointwise(activation),
            _ => null,
        };
    }

    static Operation Layer(nn.Module<Tensor, Tensor> module) => new(module.call, module);

    static Operation Pointwise(Activation activation) => new(x => activation.Consume(x.clone()));

    static Activation? Named(string word) => Enum.TryParse<Activation>(word, ignoreCase: true, out var known) && !int.TryParse(word, out _) ? known : null;

    static Convolution Same(string name, OperationShapes shapes)
    {
        var weight = shapes["weight"];
        return new(shapes.Input[1], weight[0], weight[2], StrideOf(name, shapes), shapes.Input[1] / weight[1], shapes.Parameters.ContainsKey("bias"), padding: Padding.Same);
    }

    static ScaledConvolution Scaled(string name, OperationShapes shapes)
    {
        var weight = shapes["weight"];
        return new(shapes.Input[1], weight[0], weight[2], StrideOf(name, shapes), shapes.Input[1] / weight[1]);
    }

    /// <summary>The stride that the name ends a kernel with, or that the shapes show.</summary>
    static long StrideOf(string name, OperationShapes shapes) =>
        KernelAndStride().Match(name) is { Success: true } found ? long.Parse(found.Groups[1].Value, CultureInfo.InvariantCulture) : shapes.Stride;

    [GeneratedRegex(@"k\d+s(\d+)")]
    private static partial Regex KernelAndStride();

    static Operation Attention(OperationShapes shapes) => Layer(new EfficientAttention(shapes.Input[1]));

    static SqueezeExcite SqueezeExcite(OperationShapes shapes, string reduce, string expand)
    {
        var weight = shapes[$"{reduce}.weight"];
        return new(weight[1], weight[0], reduce == "fc1" ? Activation.Relu : Activation.Silu, Activation.Sigmoid, reduce, expand);
    }

    static Operation? Norm(string[] words, OperationShapes shapes)
    {
        var activation = Activation.None;
        if (words.Length > 4 || Epsilon(words.ElementAtOrDefault(2)) is not { } epsilon) return null;
        if (words.Length == 4)
        {
            if (Named(words[3]) is not { } named) return null;
            activation = named;
        }
        var norm = new BatchNormAct(shapes["weight"][0], activation, epsilon);
        norm.train(words[1] == "train");
        return Layer(norm);
    }

    static double? Epsilon(string? word) =>
        word is ['e', 'p', 's', .. var number] && double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var epsilon) ? epsilon : null;
}
