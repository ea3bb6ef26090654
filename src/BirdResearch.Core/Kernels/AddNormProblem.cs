namespace BirdResearch.Kernels;

/// <summary>One addition with its norms, as rows of contiguous tensors. Gradients that do not exist are empty rows.</summary>
sealed unsafe class AddNormProblem
{
    public required long Rows { get; init; }

    public required int Width { get; init; }

    /// <summary>Factor of the first term.</summary>
    public required float Scale { get; init; }

    public float Epsilon { get; init; }

    /// <summary>What is added up.</summary>
    public Rows[] Terms { get; init; } = [];

    public Rows Sum { get; init; }

    /// <summary>Mean and reciprocal deviation of every row of the sum, (rows, 2).</summary>
    public Rows Moments { get; init; }

    /// <summary>Of every norm.</summary>
    public required float*[] Weights { get; init; }

    public float*[] Biases { get; init; } = [];

    /// <summary>Normalised sums, or their gradients.</summary>
    public required Rows[] Normed { get; init; }

    public Rows GradSum { get; init; }

    /// <summary>Gradient of every term but the first, and of the first where its factor is 1.</summary>
    public Rows GradTerm { get; init; }

    /// <summary>Gradient of the first term where its factor is not 1.</summary>
    public Rows GradScaled { get; init; }

    /// <summary>For every part of the rows, the gradients of weight and bias of every norm: (parts, norms, 2, width).</summary>
    public float* GradNorms { get; init; }
}
