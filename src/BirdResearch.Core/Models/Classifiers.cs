using BirdResearch.Naming;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>The models by name. A member of a family is a line of numbers here.</summary>
public static class Classifiers
{
    static readonly Dictionary<string, ClassifierEntry> _added = [];

    /// <summary>Every model of the catalogue, family by family; what <see cref="Add"/> added is found by <see cref="Named"/> alone.</summary>
    public static IReadOnlyList<ClassifierEntry> All { get; } =
    [
        EfficientNet("tf_efficientnet_b0", 1.0, 1.0, "EfficientNet-B0, TensorFlow padding: 5.3 M parameters with 1000 classes"),
        EfficientNet("tf_efficientnet_b1", 1.0, 1.1, "EfficientNet-B1: B0, deeper"),
        EfficientNet("tf_efficientnet_b2", 1.1, 1.2, "EfficientNet-B2: B0, wider and deeper"),
        EfficientNet("tf_efficientnet_b3", 1.2, 1.4, "EfficientNet-B3: B0, wider and deeper"),
        EfficientNet("tf_efficientnet_b4", 1.4, 1.8, "EfficientNet-B4: 19 M parameters with 1000 classes"),
        EfficientNet("tf_efficientnet_tiny", 0.25, 0.3, "EfficientNet for tests", isTest: true),
        MobileNetV3("mobilenetv3_large_100", Models.MobileNetV3.Large, 1.0, 1280, "MobileNetV3-Large: 5.5 M parameters with 1000 classes; timm's weights miil_in21k know 11221"),
        MobileNetV3("mobilenetv3_small_100", Models.MobileNetV3.Small, 1.0, 1024, "MobileNetV3-Small: 2.5 M parameters with 1000 classes"),
        MobileNetV3("mobilenetv3_tiny", Models.MobileNetV3.Small, 0.25, 64, "MobileNetV3 for tests", isTest: true),
        Series("tsresnet18", [2, 2, 2, 2], [64, 128, 256, 512], false, 7, 3, "ResNet-18 along time, kernels span all rows and 3 frames"),
        Series("tsresnet34", [3, 4, 6, 3], [64, 128, 256, 512], false, 7, 5, "ResNet-34 along time, 5 frames per kernel: 12 M parameters, 48 MB"),
        Series("tsresnet50", [3, 4, 6, 3], [64, 128, 256, 512], true, 7, 3, "ResNet-50 along time, bottlenecks"),
        Series("tsresnet_tiny", [1, 1], [16, 24], false, 5, 3, "Time-series ResNet for tests", isTest: true),
        ResNet("resnet18", new([2, 2, 2, 2], Wide), "ResNet-18 of timm and torchvision: 11.7 M parameters with 1000 classes"),
        ResNet("resnet34", new([3, 4, 6, 3], Wide), "ResNet-34 of timm and torchvision: 21.8 M parameters with 1000 classes"),
        ResNet("resnet50", new([3, 4, 6, 3], Wide) { Bottleneck = true }, "ResNet-50, bottlenecks: 25.6 M parameters with 1000 classes"),
        ResNet("resnet101", new([3, 4, 23, 3], Wide) { Bottleneck = true }, "ResNet-101, bottlenecks: 44.5 M parameters with 1000 classes"),
        ResNet("resnext50_32x4d", NeXt([3, 4, 6, 3], 4, false), "ResNeXt-50, 32 groups of 4 channels: 25.0 M parameters with 1000 classes"),
        ResNet("resnext101_32x8d", NeXt([3, 4, 23, 3], 8, false), "ResNeXt-101, 32 groups of 8 channels: 88.8 M parameters with 1000 classes"),
        ResNet("seresnext50_32x4d", NeXt([3, 4, 6, 3], 4, true), "SE-ResNeXt-50: ResNeXt-50 that squeezes and excites, 27.6 M parameters with 1000 classes"),
        ResNet("seresnext101_32x4d", NeXt([3, 4, 23, 3], 4, true), "SE-ResNeXt-101: 49.0 M parameters with 1000 classes"),
        ResNet("resnet18_w32", new([2, 2, 2, 2], [32, 64, 128, 256]), "ResNet-18 at half its width: ours, for small data"),
        ResNet("resnet10_w32", new([1, 1, 1, 1], [32, 64, 128, 256]), "ResNet with one block per stage at half of ResNet-18's width: ours, for small data"),
        ResNet("resnet_tiny", new([1, 1, 1, 1], [16, 24, 32, 48]), "ResNet for tests", isTest: true),
        ResNet("seresnext_tiny", new([1, 1, 2, 1], [16, 16, 24, 32]) { Bottleneck = true, Groups = 4, GroupWidth = 16, Squeezes = true }, "SE-ResNeXt for tests", isTest: true),
        ResNetV2("resnetv2_50", [3, 4, 6, 3], [256, 512, 1024, 2048], "ResNet-50 that normalises before it convolves: 25.5 M parameters with 1000 classes"),
        ResNetV2("resnetv2_101", [3, 4, 23, 3], [256, 512, 1024, 2048], "ResNet-101 that normalises before it convolves: 44.5 M parameters with 1000 classes"),
        ResNetV2("resnetv2_tiny", [1, 2, 1, 1], [32, 64, 96, 128], "ResNetV2 for tests", isTest: true),
        NfNet("eca_nfnet_l0", new([1, 2, 6, 3], 2304), "ECA-NFNet-L0, no norms: 24.1 M parameters with 1000 classes"),
        NfNet("eca_nfnet_l1", new([2, 4, 12, 6], 3072), "ECA-NFNet-L1, no norms: 41.4 M parameters with 1000 classes"),
        NfNet("eca_nfnet_l2", new([3, 6, 18, 9], 3072), "ECA-NFNet-L2, no norms: 56.7 M parameters with 1000 classes"),
        NfNet("eca_nfnet_tiny", new([1, 2, 1, 1], 96) { Stem = 16, Widths = [32, 64, 96, 96], GroupWidth = 8 }, "ECA-NFNet for tests", isTest: true),
        Readout("linear", new(0, false), "Linear readout of each row's mean over time: what the features alone give"),
        Readout("linear_peaks", new(0, true), "Linear readout of each row's mean and largest value over time"),
        Readout("mlp", new(512, false), "One hidden layer of 512 units over each row's mean over time"),
        Readout("linear_tiny", new(0, true), "Linear readout for tests", isTest: true),
        Readout("mlp_tiny", new(48, false), "Readout with a hidden layer for tests", isTest: true),
        Mamba("mamba", "mamba", new(256, 12, false, 4), "Mamba over a spectrogram, a token per 4 frames, causal: 5.4 M parameters"),
        Mamba("mamba_tiny", "mamba", new(24, 2, false, 4), "Mamba for tests", isTest: true),
        Mamba("vim", "vim", new(256, 12, true, 4), "Mamba over a spectrogram, a token per 4 frames, both directions (Vim's bimamba v2)"),
        Mamba("vim_tiny", "vim", new(24, 2, true, 4), "Bidirectional Mamba for tests", isTest: true),
        Mamba("mamba_raw", "mamba-raw", new(64, 4, false, 4, 4), "Mamba on raw sound, a token per 16 samples, causal"),
        Mamba("mamba_raw_tiny", "mamba-raw", new(24, 2, false, 8, 8), "Mamba on raw sound for tests", isTest: true),
        Sashimi("sashimi_s4d", [Level(8), Level(8), Level(8)], "SaShiMi on raw sound, published size: 8 bidirectional S4D layers at each of 3 rates"),
        Sashimi("sashimi_s4d_small", [Level(1, states: 32), Level(2), Level(4)], "SaShiMi with 1, 2 and 4 bidirectional S4D layers"),
        Sashimi("sashimi_s4d_mulaw", [Level(1, states: 32), Level(2), Level(4)], "sashimi_s4d_small on 8-bit mu-law codes", SoundInput.MuLaw),
        Sashimi("sashimi_mamba_small", [LongLevel, LongLevel, InTurn], "sashimi_mamba at half the width", width: 32),
        Sashimi("sashimi_mamba", [LongLevel, LongLevel, InTurn], "SaShiMi with S4D at two rates, at the lowest a Mamba layer each way, no feed-forward blocks"),
        Sashimi("sashimi_mamba_base", [LongLevel, Level(1, SashimiMixer.Vim), Level(4, SashimiMixer.Vim)], "SaShiMi with S4D at the full rate and bidirectional Mamba below"),
        Sashimi("sashimi_mamba_all", [Level(1, SashimiMixer.Vim), Level(1, SashimiMixer.Vim), Level(2, SashimiMixer.Vim)], "SaShiMi with bidirectional Mamba at every rate"),
        Sashimi("sashimi_s4d_tiny", [Level(1, states: 8), Level(1, states: 8)], "SaShiMi with S4D for tests", width: 16, isTest: true),
        Sashimi("sashimi_mamba_tiny", [Level(1, states: 8), Level(1, SashimiMixer.Vim, states: 4)], "SaShiMi with S4D and Mamba for tests", width: 16, isTest: true),
        Ssamba("ssamba_nano", "SSAMBA at half of tiny's width and depth, a seventh of its weights: ours, for small data"),
        Ssamba("ssamba_nano_s16", "SSAMBA-nano over patches that do not overlap"),
        Ssamba("ssamba_tiny", "SSAMBA: 24 bidirectional Mamba layers over overlapping patches, width 192"),
        Ssamba("ssamba_tiny_s16", "SSAMBA-tiny over patches that do not overlap: two fifths of the tokens"),
        Ssamba("ssamba_tiny_cls", "SSAMBA-tiny that reads its class token instead of the mean"),
        Ssamba("ssamba_small", "SSAMBA, width 384"),
        Ssamba("ssamba_small_s16", "SSAMBA-small over patches that do not overlap"),
        Ssamba("ssamba_base", "SSAMBA, width 768: 97 M parameters"),
        Ssamba("ssamba_base_s16", "SSAMBA-base over patches that do not overlap"),
        Ssamba("ssamba_test_tiny", "SSAMBA for tests", isTest: true),
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

    /// <summary>Adds a model of your own, or puts it in the place of an added one of the same name; a name of the catalogue is an error.</summary>
    public static void Add(ClassifierEntry entry)
    {
        if (All.Any(e => e.Name == entry.Name)) throw new ArgumentException($"'{entry.Name}' is a model of the catalogue; give yours another name.");
        lock (_added) _added[entry.Name] = entry;
    }

    static ClassifierEntry? Added(string name)
    {
        lock (_added) return _added.GetValueOrDefault(name);
    }

    /// <summary>The line of that name, added ones included; an unknown name is an error that lists near ones.</summary>
    public static ClassifierEntry Named(string name) =>
        All.FirstOrDefault(e => e.Name == name) ?? Added(name) ?? throw new ArgumentException(NearNames.Unknown("model", name, All.Select(e => e.Name)));

    static void RequireShare(double rate, string what)
    {
        if (rate is not (>= 0 and < 1)) throw new ArgumentException($"{what} must be at least 0 and below 1, but is {rate}.");
    }

    static ClassifierEntry EfficientNet(string name, double width, double depth, string description, bool isTest = false) =>
        new(name, "efficientnet", description, isTest,
            (classes, input, options) => new EfficientNet(name, width, depth, classes, input, options));

    static ClassifierEntry MobileNetV3(string name, MobileStage[] stages, double width, long head, string description, bool isTest = false) =>
        new(name, "mobilenetv3", description, isTest,
            (classes, input, options) => new MobileNetV3(name, stages, width, head, classes, input, options));

    static long[] Wide => [64, 128, 256, 512];

    static ResNetPlan NeXt(int[] depths, long groupWidth, bool squeezes) =>
        new(depths, Wide) { Bottleneck = true, Groups = 32, GroupWidth = groupWidth, Squeezes = squeezes };

    static ClassifierEntry ResNet(string name, ResNetPlan plan, string description, bool isTest = false) =>
        new(name, "resnet", description, isTest, (classes, input, options) => new ResNet(name, plan, classes, input, options));

    static ClassifierEntry ResNetV2(string name, int[] depths, long[] widths, string description, bool isTest = false) =>
        new(name, "resnetv2", description, isTest, (classes, input, options) => new ResNetV2(name, depths, widths, classes, input, options));

    static ClassifierEntry NfNet(string name, NfPlan plan, string description, bool isTest = false) =>
        new(name, "nfnet", description, isTest, (classes, input, options) => new NfNet(name, plan, classes, input, options));

    static ClassifierEntry Series(
        string name, int[] depths, long[] widths, bool bottleneck, long stemKernel, long kernel, string description, bool isTest = false) =>
        new(name, "time-series-resnet", description, isTest,
            (classes, input, options) =>
                new TimeSeriesResNet(name, new(depths, widths, bottleneck, stemKernel, kernel), classes, input, options));

    static ClassifierEntry Readout(string name, ReadoutPlan plan, string description, bool isTest = false) =>
        new(name, "readout", description, isTest, (classes, input, options) => new Readout(name, plan, classes, input, options));

    // The cheapest layer that sees every token: no feed-forward block and few states.
    static SashimiLevel LongLevel => new(SashimiMixer.S4, 1) { FeedForward = 0, States = 16 };

    // Mamba in the place of S4 and of the feed-forward block, as in Mamba's own SaShiMi (Gu and Dao 2023, 4.4), without widening.
    static SashimiLevel InTurn => new(SashimiMixer.MambaInTurn, 2) { FeedForward = 0, MambaExpand = 1 };

    static SashimiLevel Level(int layers, SashimiMixer mixer = SashimiMixer.S4, long? states = null) => new(mixer, layers) { States = states };

    static ClassifierEntry Sashimi(
        string name, SashimiLevel[] levels, string description, SoundInput sound = SoundInput.Linear, long width = 64, bool isTest = false)
    {
        var settings = new SashimiSettings
        {
            Width = width,
            Pools = [.. Enumerable.Repeat(4, levels.Length - 1)],
            Levels = levels,
            S4 = new S4Settings { Bidirectional = true },
        };
        return new(name, "sashimi", description, isTest,
            (classes, input, options) => new SashimiClassifier(name, settings, sound, classes, input, options))
        {
            FrontEnd = sound == SoundInput.MuLaw ? "waveform-16k-peak" : "waveform-16k",
        };
    }

    static ClassifierEntry Ssamba(string name, string description, bool isTest = false) =>
        new(name, "ssamba", description, isTest, (classes, input, options) => new Ssamba(name, SsambaCatalogue.Named(name), classes, input, options))
        {
            FrontEnd = "ssamba-fbank",
        };

    static ClassifierEntry Mamba(string name, string family, MambaPlan plan, string description, bool isTest = false) =>
        new(name, family, description, isTest, (classes, input, options) => new Mamba(name, plan, classes, input, options))
        {
            FrontEnd = plan.Strides.Length == 2 ? "waveform-16k" : "mel",
        };
}
