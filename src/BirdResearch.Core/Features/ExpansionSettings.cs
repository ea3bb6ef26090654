namespace BirdResearch.Features;

/// <summary>Which units of the expanded representation stay.</summary>
public enum SparsityRule
{
    /// <summary>Winner-take-all in every time step: exactly k units.</summary>
    PerStep,

    /// <summary>Winner-take-all over the whole clip: k units for every step, but loud steps may have more of them and quiet ones fewer.</summary>
    PerClip,

    /// <summary>
    /// Each unit by its own threshold, above which it lies in k / n_output of the training windows. Winner-take-all does not adapt to a
    /// low-dimensional manifold of inputs, a variant of it does (Dasgupta and Tosh 2020, abstract): this is such a variant.
    /// </summary>
    Threshold,
}

/// <summary>How the expanded representation is projected from a patch of mel bands x frames.</summary>
public enum Projection
{
    /// <summary>Every unit weighs every cell of the patch, with Gaussian weights.</summary>
    Gaussian,

    /// <summary>Every unit adds up a few random cells of the patch, as the Kenyon cells of a fly read a few of its glomeruli.</summary>
    SparseBinary,

    /// <summary>Every unit's weights are a patch of training sound, centred and of unit norm: random, but attuned to the data's distribution.</summary>
    Attuned,
}

/// <summary>What is done to a patch of mel bands x frames before it is projected.</summary>
public enum PatchScaling
{
    /// <summary>Nothing.</summary>
    Raw,

    /// <summary>Its mean is taken off, so that a unit answers to shape and contrast but not to loudness.</summary>
    Centred,

    /// <summary>Its mean is taken off and it is brought to unit norm, so that it answers to shape alone.</summary>
    UnitNorm,
}

/// <summary>
/// Convolutional expand-and-sparsify: a fixed projection of a sliding window, of which few units stay. Thresholds and attuned kernels are
/// fitted to training sound before a training begins.
/// </summary>
public sealed record ExpansionSettings
{
    /// <summary>Units of the expanded representation (n_output), far above the number of mel bands.</summary>
    public int Outputs { get; init; } = 512;

    /// <summary>Units kept per time step; on average over the clip, or over the training windows, where <see cref="Rule"/> says so.</summary>
    public int K { get; init; } = 32;

    /// <summary>Mel frames that the kernel spans.</summary>
    public int Window { get; init; } = 8;

    /// <summary>Mel frames between time steps.</summary>
    public int Stride { get; init; } = 2;

    /// <summary>Which units stay.</summary>
    public SparsityRule Rule { get; init; } = SparsityRule.PerStep;

    /// <summary>How units are projected.</summary>
    public Projection Projection { get; init; } = Projection.Gaussian;

    /// <summary>Share of a patch's cells that a unit of the sparse binary projection reads, in (0, 1].</summary>
    public double InputShare { get; init; } = 0.08;

    /// <summary>Number of cells that it reads instead; null takes the share.</summary>
    public int? Inputs { get; init; }

    /// <summary>What is done to a patch before it is projected.</summary>
    public PatchScaling Patch { get; init; } = PatchScaling.Raw;

    /// <summary>True gives 1 for a kept unit, false its activation.</summary>
    public bool Binary { get; init; } = true;

    /// <summary>Windows of training sound that thresholds and attuned kernels are fitted to.</summary>
    public int FitClips { get; init; } = 256;

    /// <summary>Seed of the random kernel, or of the choice of patches.</summary>
    public int Seed { get; init; } = 1;
}
