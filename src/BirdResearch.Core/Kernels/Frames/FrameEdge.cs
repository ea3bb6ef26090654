namespace BirdResearch.Kernels;

/// <summary>What a frame sees beyond the ends of the sound.</summary>
public enum FrameEdge
{
    /// <summary>Nothing but zeros.</summary>
    Zeros,

    /// <summary>The sound mirrored about its end sample: 2, 1, [0, 1, 2.</summary>
    Reflect,

    /// <summary>The sound mirrored with its end sample repeated: 1, 0, [0, 1, 2.</summary>
    Mirror,

    /// <summary>The end sample over and over.</summary>
    Replicate,

    /// <summary>The sound's other end.</summary>
    Circular,
}
