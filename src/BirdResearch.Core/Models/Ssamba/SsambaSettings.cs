namespace BirdResearch.Models;

/// <summary>How the tokens of a clip become one vector.</summary>
public enum TokenPooling
{
    /// <summary>The mean over all patches, without the class token (<c>ft_avgtok</c>).</summary>
    Mean,

    /// <summary>The class token (<c>ft_cls</c>).</summary>
    ClassToken,
}

/// <summary>The numbers of an SSAMBA, with the published defaults of fine-tuning (run_amba.py of SiavashShams/ssamba).</summary>
public sealed record SsambaSettings
{
    /// <summary>Width of the tokens: 192, 384 and 768 for tiny, small and base.</summary>
    public required long Width { get; init; }

    /// <summary>Vim layers, an even number: they work in pairs.</summary>
    public int Depth { get; init; } = 24;

    /// <summary>Rows (mel bins) of a patch.</summary>
    public long PatchRows { get; init; } = 16;

    /// <summary>Frames of a patch.</summary>
    public long PatchFrames { get; init; } = 16;

    /// <summary>Rows between patches: 10 in fine-tuning, so that they overlap, and the patch's own in pretraining.</summary>
    public long RowStride { get; init; } = 10;

    /// <summary>Frames between patches.</summary>
    public long FrameStride { get; init; } = 10;

    /// <summary>How the tokens of a clip become one vector.</summary>
    public TokenPooling Pooling { get; init; } = TokenPooling.Mean;

    /// <summary>The mixer of every layer.</summary>
    public MambaSettings Mixer => new() { Width = Width };

    /// <summary>The same model with patches that touch and do not overlap, as pretraining has them.</summary>
    public SsambaSettings WithoutOverlap => this with { RowStride = PatchRows, FrameStride = PatchFrames };

    /// <summary>Grid of the patches of features with so many rows and frames; features smaller than a patch are an error.</summary>
    public PatchGrid GridOf(long rows, long frames) =>
        rows >= PatchRows && frames >= PatchFrames
            ? new PatchGrid(((rows - PatchRows) / RowStride) + 1, ((frames - PatchFrames) / FrameStride) + 1)
            : throw new ArgumentException(
                $"Features of {rows} rows x {frames} frames hold no patch of {PatchRows} x {PatchFrames}: take longer clips or more mel bins.");

    /// <summary>Refuses numbers that make no model, naming the number.</summary>
    internal void Check()
    {
        foreach (var (name, value) in new[]
            { (nameof(Width), Width), (nameof(PatchRows), PatchRows), (nameof(PatchFrames), PatchFrames), (nameof(RowStride), RowStride), (nameof(FrameStride), FrameStride) })
            if (value < 1) throw new ArgumentException($"{name} of an SSAMBA is {value}: it must be at least 1.");
        if (Depth < 2 || Depth % 2 != 0)
            throw new ArgumentException($"{nameof(Depth)} of an SSAMBA is {Depth}: its layers work in pairs, so it must be an even number from 2.");
    }
}
