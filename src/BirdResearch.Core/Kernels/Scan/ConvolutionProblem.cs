namespace BirdResearch.Kernels;

/// <summary>A causal depthwise convolution followed by SiLU, and its way back, as pointers.</summary>
unsafe struct ConvolutionProblem
{
    public int Batch, Length, Channels, Kernel;

    /// <summary>Whether a token reads those after it instead of those before it.</summary>
    public bool Reverse;

    public Rows X, Y;

    /// <summary>(D, K), the token itself last; and (D) or nothing.</summary>
    public float* Weight, Bias;

    /// <summary>Gradient of Y; becomes that of the convolution's output before SiLU.</summary>
    public Rows GradY;

    /// <summary>Gradient of X, and whether it is added to what is there.</summary>
    public Rows GradX;
    public bool AddToGradX;

    /// <summary>Gradients of the weight (B, D, K) and the bias (B, D) or nothing, a batch each.</summary>
    public float* GradWeight, GradBias;

    /// <summary>Rows from one token to the next in scan order.</summary>
    public readonly int Step => Reverse ? -1 : 1;

    /// <summary>The row of a token that is counted in scan order.</summary>
    public readonly long Row(int batch, int token) => ((long)batch * Length) + (Reverse ? Length - 1 - token : token);
}
