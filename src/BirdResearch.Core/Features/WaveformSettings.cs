namespace BirdResearch.Features;

/// <summary>How raw sound is handed to a model.</summary>
public sealed record WaveformSettings
{
    /// <summary>
    /// <c>linear</c> gives the samples; <c>mu-law</c> cuts them to [-1, 1] and compresses loud ones,
    /// sign(x) ln(1 + mu |x|) / ln(1 + mu), as telephones (G.711) and WaveNet do.
    /// </summary>
    public string Encoding { get; init; } = "linear";

    /// <summary>The constant of <c>mu-law</c>.</summary>
    public double Mu { get; init; } = 255;

    /// <summary>Number of evenly spaced values that <c>mu-law</c> rounds to, such as 256; null rounds nothing.</summary>
    public int? Levels { get; init; }
}
