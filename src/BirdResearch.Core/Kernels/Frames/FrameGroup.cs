namespace BirdResearch.Kernels;

/// <summary>Neighbouring frames of one clip that are computed together.</summary>
readonly unsafe struct FrameGroup(float* sound, int samples, int first, int count, float* output, int frames)
{
    /// <summary>The clip.</summary>
    public float* Sound { get; } = sound;

    /// <summary>Its length.</summary>
    public int Samples { get; } = samples;

    /// <summary>First frame.</summary>
    public int First { get; } = first;

    /// <summary>Frames, at most as many as a vector has lanes.</summary>
    public int Count { get; } = count;

    /// <summary>The clip's result, rows x frames.</summary>
    public float* Output { get; } = output;

    /// <summary>Frames of the whole clip.</summary>
    public int Frames { get; } = frames;
}
