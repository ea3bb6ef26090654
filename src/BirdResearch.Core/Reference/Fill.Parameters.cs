namespace BirdResearch.Reference;

public static partial class Fill
{
    /// <summary>
    /// The values of one state-dictionary entry, row-major: computed in double from <paramref name="seed"/> + <paramref name="key"/>, rounded
    /// once to float32. Null where the constructor's value stays. The first rule that matches the key decides.
    /// </summary>
    /// <param name="key">Full key; a <c>module.</c> prefix does not count.</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="g4">Gain of four-dimensional weights, over their fan-in.</param>
    /// <param name="g2">Gain of weights with two, three or five and more dimensions.</param>
    /// <param name="seed">What the name is prefixed with; often empty.</param>
    public static float[]? Parameter(string key, IReadOnlyList<long> shape, double g4 = 6, double g2 = 3, string seed = "")
    {
        const string Prefix = "module.";
        var name = key.StartsWith(Prefix, StringComparison.Ordinal) ? key[Prefix.Length..] : key;
        var leaf = name[(name.LastIndexOf('.') + 1)..];
        if (leaf is "p_input_fdim" or "p_input_tdim" or "l_kernel") return null;

        var count = shape.Aggregate(1L, (a, b) => a * b);
        var values = new float[count];
        if (leaf == "num_batches_tracked") return values;

        var (offset, scale) = Rule(name, leaf, shape, g4, g2);
        var hash = Hash(seed + name);
        for (var i = 0L; i < count; i++) values[i] = (float)(offset(i) + scale * Value(hash, i));
        return values;
    }

    /// <summary>An entry is offset(i) + scale x v(i).</summary>
    static (Func<long, double> Offset, double Scale) Rule(string name, string leaf, IReadOnlyList<long> shape, double g4, double g2)
    {
        static Func<long, double> Constant(double value) => _ => value;
        long Column(long i) => i % shape[^1];

        if (name.EndsWith("dt_proj.bias", StringComparison.Ordinal) || name.EndsWith("dt_proj_b.bias", StringComparison.Ordinal))
            return (Constant(-3), 1.5);
        return leaf switch
        {
            "running_var" => (Constant(1), 0.25),
            "running_mean" => (Constant(0), 0.1),
            "A_log" or "A_b_log" => (i => Math.Log(1 + Column(i)), 0.1),
            "log_dt" or "inv_dt" => (Constant(-4), 1.5),
            "log_A_real" or "A_real" => (Constant(Math.Log(0.5)), 0.1),
            "A_imag" => (i => Math.PI * Column(i), 0.1),
            "C" => (Constant(0), 1),
            "B" => (i => i % 2 == 0 ? 1 : 0, 0.1),
            "P" => (Constant(0), 0.5),
            "D" or "D_b" or "gain" or "skipinit_gain" => (Constant(1), 0.1),
            "cls_token" or "pos_embed" or "mask_embed" => (Constant(0), 0.2),
            "bias" => (Constant(0), 0.05),
            "weight" when shape.Count == 1 => (Constant(1), 0.1),
            _ when shape.Count >= 2 => (Constant(0), Math.Sqrt((shape.Count == 4 ? g4 : g2) / shape.Skip(1).Aggregate(1.0, (a, b) => a * b))),
            _ => throw new ArgumentException($"No fill rule covers '{name}' of shape ({string.Join(", ", shape)})."),
        };
    }
}
