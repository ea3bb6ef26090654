using BirdResearch.Models;
using static TorchSharp.torch;

namespace BirdResearch.Training;

/// <summary>The number formats that a model's matrix products can be taken in.</summary>
public static class ProductPrecision
{
    /// <summary>The setting that has <see cref="PrecisionTrial"/> choose.</summary>
    public const string Auto = "auto";

    const string Single = "fp32", Brain = "bf16";

    /// <summary>The names: <c>fp32</c> and <c>bf16</c>.</summary>
    public static IReadOnlyList<string> Names { get; } = [Single, Brain];

    /// <summary>An unknown name is an error that lists the known ones.</summary>
    public static void Check(string name, bool mayChoose = false)
    {
        string[] known = mayChoose ? [.. Names, Auto] : [.. Names];
        if (!known.Contains(name)) throw new ArgumentException($"training.precision is '{name}'; it must be {string.Join(" or ", known)}.");
    }

    /// <summary>Has every module that can do so take its products in that format. A model without any such module has no bf16 form.</summary>
    public static void Apply(string name, nn.Module model)
    {
        Check(name);
        var products = model.modules().OfType<IMixedPrecision>().ToList();
        if (name == Brain && products.Count == 0)
            throw new ArgumentException($"{model.GetName()} has no bf16 form yet: train it with training.precision=fp32.");
        foreach (var product in products) product.Bfloat16 = name == Brain;
    }
}
