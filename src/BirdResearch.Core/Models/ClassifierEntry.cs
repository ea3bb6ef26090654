namespace BirdResearch.Models;

/// <summary>One line of the catalogue of models.</summary>
public sealed class ClassifierEntry
{
    readonly Func<int, InputShape, ModelOptions, Classifier> _build;

    /// <param name="name">Its name.</param>
    /// <param name="family">Models that share code.</param>
    /// <param name="description">What it is, in one line.</param>
    /// <param name="isTest">True for the tiny member of a family that tests run on.</param>
    /// <param name="build">Makes it for so many classes and features of a shape.</param>
    public ClassifierEntry(
        string name, string family, string description, bool isTest, Func<int, InputShape, ModelOptions, Classifier> build)
    {
        (Name, Family, Description, IsTest) = (name, family, description, isTest);
        _build = build;
    }

    /// <summary>Its name, timm's where timm has the model.</summary>
    public string Name { get; }

    /// <summary>Models that share code: <c>efficientnet</c>, <c>time-series-resnet</c>, <c>mamba</c>.</summary>
    public string Family { get; }

    /// <summary>What it is, in one line.</summary>
    public string Description { get; }

    /// <summary>True for the tiny member of a family that tests run on.</summary>
    public bool IsTest { get; }

    /// <summary>Name of the front-end that the model is made for. Others serve too where their features have a shape that it takes.</summary>
    public string FrontEnd { get; init; } = "mel";

    /// <summary>Whether it has batch norms, whose running statistics can be estimated anew.</summary>
    public bool HasBatchNorm => BatchNormFamilies.Contains(Family);

    /// <summary>The families that have batch norms.</summary>
    internal static IReadOnlyList<string> BatchNormFamilies { get; } = ["efficientnet", "mobilenetv3", "time-series-resnet", "resnet", "resnetv2", "mamba-raw"];

    /// <summary>Whether it is made for raw sound: features of one row, a frame per sample.</summary>
    public bool ReadsSound => FrontEnd.StartsWith("waveform", StringComparison.Ordinal);

    internal Classifier Build(int classes, InputShape input, ModelOptions options) => _build(classes, input, options);
}
