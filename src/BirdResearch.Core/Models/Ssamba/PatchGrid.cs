namespace BirdResearch.Models;

/// <summary>Patches of a spectrogram, counted along its rows and along its frames; patch (f, t) is token f x Frames + t.</summary>
/// <param name="Rows">Patches along the rows.</param>
/// <param name="Frames">Patches along the frames.</param>
public readonly record struct PatchGrid(long Rows, long Frames)
{
    /// <summary>All patches.</summary>
    public long Count => Rows * Frames;
}
