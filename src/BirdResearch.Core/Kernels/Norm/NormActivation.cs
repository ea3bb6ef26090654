namespace BirdResearch.Kernels;

/// <summary>What follows a batch norm in the same pass.</summary>
enum NormActivation
{
    None,
    Relu,
    Silu,
    Hardswish,
}

/// <summary>An activation on vectors.</summary>
interface INormActivation<V, L> where V : struct where L : struct, ILanes<V>
{
    static abstract V Value(V z);

    /// <summary>The gradient at z of what has that gradient above it.</summary>
    static abstract V Gradient(V z, V above);
}
