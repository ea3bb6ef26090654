using System.Buffers;

namespace BirdResearch.Features;

/// <summary>Numbers from the shared pool, given back on disposal. They are what was left in them.</summary>
readonly struct Rented : IDisposable
{
    readonly float[] _array;
    readonly int _length;

    /// <param name="length">How many.</param>
    public Rented(int length) => (_array, _length) = (ArrayPool<float>.Shared.Rent(length), length);

    /// <summary>The numbers.</summary>
    public Span<float> Span => _array.AsSpan(0, _length);

    /// <inheritdoc/>
    public void Dispose() => ArrayPool<float>.Shared.Return(_array);
}
