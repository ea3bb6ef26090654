namespace BirdResearch.Kernels;

/// <summary>One batch norm with its activation over an image batch in channels-last order: rows = B x H x W, width = C.</summary>
sealed unsafe class BatchNormProblem
{
    public required long Rows { get; init; }

    public required int Width { get; init; }

    /// <summary>What is normalised.</summary>
    public required Rows Input { get; init; }

    /// <summary>Its result, or the gradient of its result.</summary>
    public required Rows Output { get; init; }

    /// <summary>Gradient of the input.</summary>
    public Rows GradInput { get; init; }

    /// <summary>Factor and offset (2, C) of every channel: z = factor x + offset.</summary>
    public float* Affine { get; init; }

    /// <summary>What is taken off every channel before it is summed (C): a sample of it, or its mean.</summary>
    public float* Centre { get; init; }

    /// <summary>Two sums of every channel for every part of the rows, (parts, 2, C).</summary>
    public float* Sums { get; init; }

    /// <summary>Of every channel (2, C): what the gradient of z loses, and what it loses per distance of x from the mean.</summary>
    public float* Corrections { get; init; }
}
