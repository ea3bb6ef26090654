namespace BirdResearch.Features;

/// <summary>
/// What the ablation <c>expand-and-sparsify</c> compares: <see cref="Base"/> changed in one thing at a time, then in a few together. A name says
/// what was changed, so that tables and charts can be read by it.
/// </summary>
public static class ExpansionArms
{
    /// <summary>What they all start from: 256 units of which 16 stay in every step, Gaussian, over 8 frames of 64 mel bands, binary.</summary>
    public const string Base = "expand-and-sparsify-64";

    static readonly ExpansionSettings Plain = FrontEnds.All[Base].Expansion;

    /// <summary>Every arm's settings by its name, <see cref="Base"/> itself left out.</summary>
    public static IReadOnlyDictionary<string, FrontEndSettings> All { get; } = new OrderedDictionary<string, FrontEndSettings>
    {
        ["es64-n64"] = With(Plain with { Outputs = 64 }),
        ["es64-n1024"] = With(Plain with { Outputs = 1024 }),
        ["es64-n4096"] = With(Plain with { Outputs = 4096 }),
        ["es64-k4"] = With(Plain with { K = 4 }),
        ["es64-k64"] = With(Plain with { K = 64 }),
        ["es64-window1"] = With(Plain with { Window = 1 }),
        ["es64-window4"] = With(Plain with { Window = 4 }),
        ["es64-window16"] = With(Plain with { Window = 16 }),
        ["es64-per-clip"] = With(Plain with { Rule = SparsityRule.PerClip }),
        ["es64-threshold"] = With(Plain with { Rule = SparsityRule.Threshold }),
        ["es64-sparse"] = With(Plain with { Projection = Projection.SparseBinary }),
        ["es64-attuned"] = With(Plain with { Projection = Projection.Attuned }),
        ["es64-centred"] = With(Plain with { Patch = PatchScaling.Centred }),
        ["es64-real"] = With(Plain with { Binary = false }),
        ["es64-real-unit"] = With(Plain with { Binary = false, Patch = PatchScaling.UnitNorm }),
        ["es64-threshold-unit"] = With(Plain with { Rule = SparsityRule.Threshold, Patch = PatchScaling.UnitNorm }),
        ["es64-threshold-n1024"] = With(Plain with { Rule = SparsityRule.Threshold, Outputs = 1024, K = 64 }),
        ["es64-sparse-threshold"] = With(Plain with { Rule = SparsityRule.Threshold, Projection = Projection.SparseBinary }),
        ["es64-attuned-threshold"] = With(Plain with { Rule = SparsityRule.Threshold, Projection = Projection.Attuned }),
        ["es64-attuned-threshold-unit"] =
            With(Plain with { Rule = SparsityRule.Threshold, Projection = Projection.Attuned, Patch = PatchScaling.UnitNorm }),
    };

    static FrontEndSettings With(ExpansionSettings expansion) => FrontEnds.All[Base] with { Expansion = expansion };
}
