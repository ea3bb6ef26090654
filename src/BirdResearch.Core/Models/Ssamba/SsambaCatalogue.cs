using BirdResearch.Naming;

namespace BirdResearch.Models;

/// <summary>The published sizes of SSAMBA by name, and a nano of ours for small data sets and small machines. Names that end in <c>_s16</c> have patches that do not overlap, two fifths of the tokens.</summary>
public static class SsambaCatalogue
{
    static readonly OrderedDictionary<string, SsambaSettings> _all = new()
    {
        ["ssamba_nano"] = new() { Width = 96, Depth = 12 },
        ["ssamba_nano_s16"] = new SsambaSettings { Width = 96, Depth = 12 }.WithoutOverlap,
        ["ssamba_tiny"] = new() { Width = 192 },
        ["ssamba_tiny_s16"] = new SsambaSettings { Width = 192 }.WithoutOverlap,
        ["ssamba_tiny_cls"] = new() { Width = 192, Pooling = TokenPooling.ClassToken },
        ["ssamba_small"] = new() { Width = 384 },
        ["ssamba_small_s16"] = new SsambaSettings { Width = 384 }.WithoutOverlap,
        ["ssamba_base"] = new() { Width = 768 },
        ["ssamba_base_s16"] = new SsambaSettings { Width = 768 }.WithoutOverlap,
        ["ssamba_test_tiny"] = new() { Width = 32, Depth = 4 },
    };

    /// <summary>Every size's settings by its name.</summary>
    public static IReadOnlyDictionary<string, SsambaSettings> All => _all;

    /// <summary>Settings by name; another name is an error that lists near ones.</summary>
    public static SsambaSettings Named(string name) =>
        _all.TryGetValue(name, out var settings) ? settings : throw new ArgumentException(NearNames.Unknown("SSAMBA", name, _all.Keys));
}
