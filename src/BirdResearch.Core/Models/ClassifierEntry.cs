namespace BirdResearch.Models;

/// <summary>One line of the catalogue of models.</summary>
public sealed class ClassifierEntry
{
    readonly Func<int, InputShape, ModelOptions, Classifier> _build;

    internal ClassifierEntry(
        string name, string family, string description, bool isTest, Func<int, InputShape, ModelOptions, Classifier> build)
    {
        (Name, Family, Description, IsTest) = (name, family, description, isTest);
        _build = build;
    }

    /// <summary>Its name, timm's where timm has the model.</summary>
    public string Name { get; }

    /// <summary>Models that share code: <c>efficientnet</c>, <c>time-series-resnet</c>.</summary>
    public string Family { get; }

    /// <summary>What it is, in one line.</summary>
    public string Description { get; }

    /// <summary>True for the tiny member of a family that tests run on.</summary>
    public bool IsTest { get; }

    internal Classifier Build(int classes, InputShape input, ModelOptions options) => _build(classes, input, options);
}
