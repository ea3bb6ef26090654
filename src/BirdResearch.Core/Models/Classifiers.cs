using BirdResearch.Naming;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>The models by name. A member of a family is a line of numbers here.</summary>
public static class Classifiers
{
    /// <summary>Every model, family by family.</summary>
    public static IReadOnlyList<ClassifierEntry> All { get; } =
    [
        EfficientNet("tf_efficientnet_b0", 1.0, 1.0, "EfficientNet-B0, TensorFlow padding: 5.3 M parameters with 1000 classes"),
        EfficientNet("tf_efficientnet_b1", 1.0, 1.1, "EfficientNet-B1: B0, deeper"),
        EfficientNet("tf_efficientnet_b2", 1.1, 1.2, "EfficientNet-B2: B0, wider and deeper"),
        EfficientNet("tf_efficientnet_b3", 1.2, 1.4, "EfficientNet-B3: B0, wider and deeper"),
        EfficientNet("tf_efficientnet_b4", 1.4, 1.8, "EfficientNet-B4: 19 M parameters with 1000 classes"),
        EfficientNet("tf_efficientnet_tiny", 0.25, 0.3, "EfficientNet for tests", isTest: true),
        Series("tsresnet18", [2, 2, 2, 2], [64, 128, 256, 512], false, 7, 3, "ResNet-18 along time, kernels span all rows and 3 frames"),
        Series("tsresnet34", [3, 4, 6, 3], [64, 128, 256, 512], false, 7, 5, "ResNet-34 along time, 5 frames per kernel: 12 M parameters, 48 MB"),
        Series("tsresnet50", [3, 4, 6, 3], [64, 128, 256, 512], true, 7, 3, "ResNet-50 along time, bottlenecks"),
        Series("tsresnet_tiny", [1, 1], [16, 24], false, 5, 3, "Time-series ResNet for tests", isTest: true),
    ];

    /// <summary>
    /// Builds a model for <paramref name="classes"/> classes and features of shape <paramref name="input"/>, freshly initialised, in
    /// training mode. The weights follow from torch's seed alone.
    /// </summary>
    public static Classifier Create(string name, int classes, InputShape input, ModelOptions? options = null)
    {
        var entry = Named(name);
        options ??= new ModelOptions();
        if (classes < 1) throw new ArgumentException($"{name} needs at least one class, but was asked for {classes}.");
        if (input is not { Channels: > 0, Rows: > 0, Frames: > 0 })
            throw new ArgumentException($"{name} needs at least one channel, row and frame, but was asked for {input}.");
        RequireShare(options.DropRate, nameof(options.DropRate));
        RequireShare(options.DropPathRate, nameof(options.DropPathRate));
        if (options.Seed is { } seed) manual_seed(seed);
        var model = entry.Build(classes, input, options);
        foreach (var tensor in model.parameters().Concat(model.buffers())) tensor.DetachFromDisposeScope(); // a model outlives any scope
        return model;
    }

    /// <summary>The line of that name; an unknown name is an error that lists near ones.</summary>
    public static ClassifierEntry Named(string name) =>
        All.FirstOrDefault(e => e.Name == name) ?? throw new ArgumentException(NearNames.Unknown("model", name, All.Select(e => e.Name)));

    static void RequireShare(double rate, string what)
    {
        if (rate is not (>= 0 and < 1)) throw new ArgumentException($"{what} must be at least 0 and below 1, but is {rate}.");
    }

    static ClassifierEntry EfficientNet(string name, double width, double depth, string description, bool isTest = false) =>
        new(name, "efficientnet", description, isTest,
            (classes, input, options) => new EfficientNet(name, width, depth, classes, input, options));

    static ClassifierEntry Series(
        string name, int[] depths, long[] widths, bool bottleneck, long stemKernel, long kernel, string description, bool isTest = false) =>
        new(name, "time-series-resnet", description, isTest,
            (classes, input, options) =>
                new TimeSeriesResNet(name, new(depths, widths, bottleneck, stemKernel, kernel), classes, input, options));
}
