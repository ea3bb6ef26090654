namespace BirdResearch.Reference;

/// <summary>What a file of single operations says of one: the shapes of its input, its output and its parameters by key.</summary>
sealed record OperationShapes(long[] Input, long[] Output, IReadOnlyDictionary<string, long[]> Parameters)
{
    /// <summary>Shape of a parameter.</summary>
    public long[] this[string key] =>
        Parameters.TryGetValue(key, out var shape) ? shape : throw new InvalidDataException($"params holds no '{key}'.");

    /// <summary>Rows and frames of the input for every one of the output: the stride of an operation that keeps all but its stride.</summary>
    public long Stride
    {
        get
        {
            for (var stride = 1L; stride <= Input[^1]; stride++)
                if (Ceiling(Input[^1], stride) == Output[^1] && Ceiling(Input[^2], stride) == Output[^2])
                    return stride;
            throw new InvalidDataException($"No stride takes {Input[^2]} x {Input[^1]} to {Output[^2]} x {Output[^1]}.");
        }
    }

    static long Ceiling(long size, long stride) => (size + stride - 1) / stride;
}
