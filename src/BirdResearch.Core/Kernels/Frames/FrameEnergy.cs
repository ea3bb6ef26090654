namespace BirdResearch.Kernels;

/// <summary>Which energy of a frame is given besides its filters' outputs.</summary>
public enum FrameEnergy
{
    /// <summary>None.</summary>
    None,

    /// <summary>That of the samples, after the mean is taken off and before pre-emphasis and window.</summary>
    Raw,

    /// <summary>That of the windowed samples.</summary>
    Windowed,
}
