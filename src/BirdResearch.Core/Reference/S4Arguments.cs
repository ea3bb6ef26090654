using System.Text.Json;
using BirdResearch.Models;
using static TorchSharp.torch;

namespace BirdResearch.Reference;

/// <summary>Builds our modules from the arguments of state-spaces/s4; arguments that a file does not give have the published defaults.</summary>
static class S4Arguments
{
    static readonly string[] Modes = ["diag", "s4d", "dplr", "nplr", "s4"];

    // Optimiser groups, messages and ways of computing: they change no value.
    static readonly string[] WithoutEffect = ["lr", "wd", "verbose", "kernel_backend", "backend", "deterministic", "dt_tie", "swap_channels", "tie_dropout"];

    /// <summary>The module that the file's class and kwargs name; arguments that are not understood become failed findings.</summary>
    public static nn.Module<Tensor, Tensor> Build(JsonElement root, ReferenceComparison comparison)
    {
        var given = root.GetProperty("kwargs");
        var arguments = new CallArguments(given);
        nn.Module<Tensor, Tensor> model = root.GetProperty("class").ToString().Split(" ")[0] switch
        {
            "S4D" => S4D(arguments),
            "Sashimi" => new Sashimi(Sashimi(given, arguments)),
            _ => new S4Block(arguments.Count("d_model", 0), S4(given, arguments), arguments.Flag("transposed", true)),
        };
        foreach (var argument in arguments.Unread) comparison.Exact($"argument {argument} is not understood", false);
        return model;
    }

    static S4D S4D(CallArguments arguments)
    {
        foreach (var name in (string[])["lr", "dt_min", "dt_max"]) arguments.Word(name, "");     // first weights and optimiser alone
        return new S4D(
            arguments.Count("d_model", 0), arguments.Count("d_state", 64), arguments.Number("dropout", 0), arguments.Flag("transposed", true));
    }

    static SashimiSettings Sashimi(JsonElement given, CallArguments arguments)
    {
        arguments.Word("pool", "");
        IReadOnlyList<int> pools = given.TryGetProperty("pool", out var list) ? [.. list.EnumerateArray().Select(p => p.GetInt32())] : [4, 4];
        var level = new SashimiLevel(SashimiMixer.S4, arguments.Count("n_layers", 8)) { FeedForward = arguments.Count("ff", 2) };
        arguments.Only("transposed", true);
        return new SashimiSettings
        {
            Width = arguments.Count("d_model", 64),
            Pools = pools,
            Expand = arguments.Count("expand", 2),
            Levels = [.. Enumerable.Repeat(level, pools.Count + 1)],
            Unet = arguments.Flag("unet", false),
            Dropout = arguments.Number("dropout", 0),
            S4 = S4(given, arguments),
        };
    }

    static S4Settings S4(JsonElement given, CallArguments arguments)
    {
        foreach (var name in WithoutEffect) arguments.Word(name, "");
        foreach (var name in (string[])["gate", "bottleneck", "mult_act", "bandlimit", "kernel", "weight_norm", "drop_kernel", "dt_fast", "is_real"])
            arguments.Only(name, "", "False", 0.0);
        arguments.Only("final_act", "glu");
        arguments.Only("activation", "gelu");
        arguments.Only("real_transform", "exp");
        arguments.Only("imag_transform", "none");
        arguments.Only("rank", 1.0);
        var mode = arguments.Word("mode", "dplr");
        if (!Modes.Contains(mode)) throw new ArgumentException($"mode '{mode}' is not understood; there are {string.Join(", ", Modes)}.");
        return new S4Settings
        {
            Mode = mode is "diag" or "s4d" ? S4Mode.Diagonal : S4Mode.DiagonalPlusLowRank,
            Starts = Starts(given, arguments),
            Discretisation = arguments.Word("disc", "zoh") switch
            {
                "zoh" => Discretisation.ZeroOrderHold,
                "bilinear" => Discretisation.Bilinear,
                var other => throw new ArgumentException($"disc '{other}' is not understood; there are zoh and bilinear."),
            },
            StepTransform = arguments.Word("dt_transform", "exp") switch
            {
                "exp" => StepTransform.Exponential,
                "softplus" => StepTransform.Softplus,
                var other => throw new ArgumentException($"dt_transform '{other}' is not understood; there are exp and softplus."),
            },
            States = arguments.Count("d_state", 64),
            Copies = arguments.Count("n_ssm", 0) is > 0 and var copies ? copies : null,
            Heads = arguments.Count("channels", 1),
            Bidirectional = arguments.Flag("bidirectional", false),
            MostTokens = arguments.Count("l_max", 0) is > 0 and var most ? most : null,
            LeastStep = arguments.Number("dt_min", 0.001),
            MostStep = arguments.Number("dt_max", 0.1),
            Dropout = arguments.Number("dropout", 0),
        };
    }

    static IReadOnlyList<string> Starts(JsonElement given, CallArguments arguments)
    {
        var word = arguments.Word("init", "legs");
        if (given.TryGetProperty("init", out var init) && init.ValueKind == JsonValueKind.Array) return [.. init.EnumerateArray().Select(s => s.GetString()!)];
        return word switch
        {
            "diag" => ["diag-inv", "diag-lin"],
            "diag-hippo" => ["diag-legs"],
            "diag-linear" => ["diag-lin"],
            "diag-inverse" => ["diag-inv"],
            _ => [word],
        };
    }
}
