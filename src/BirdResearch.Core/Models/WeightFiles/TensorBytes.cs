using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>The memory of a contiguous tensor, piece by piece.</summary>
static class TensorBytes
{
    const int ChunkBytes = 1 << 26;

    /// <summary>Flat pieces of a contiguous tensor, each small enough for a span.</summary>
    public static IEnumerable<Tensor> Chunks(Tensor tensor)
    {
        var (flat, count) = (tensor.view(-1), tensor.NumberOfElements);
        var step = ChunkBytes / tensor.ElementSize;
        for (var start = 0L; start < count; start += step) yield return flat.narrow(0, start, Math.Min(step, count - start));
    }

    /// <summary>A new tensor of that type and shape, filled from where the stream stands. Of truth values, any byte but 0 is true.</summary>
    public static Tensor Read(Stream stream, ScalarType type, IReadOnlyList<long> shape)
    {
        using var scope = NewDisposeScope();
        var tensor = empty([.. shape], type == ScalarType.Bool ? ScalarType.Byte : type);
        foreach (var chunk in Chunks(tensor)) stream.ReadExactly(chunk.bytes);
        if (type == ScalarType.Bool) tensor = tensor.ne(zeros([], ScalarType.Byte));
        return tensor.MoveToOuterDisposeScope();
    }
}
