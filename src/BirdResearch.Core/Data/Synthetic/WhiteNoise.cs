using System.Runtime.CompilerServices;

namespace BirdResearch.Data;

/// <summary>Fast uniform noise in [-1, 1) for sample loops (xorshift64*, Vigna 2016), started from a <see cref="CounterRandom"/>.</summary>
sealed class WhiteNoise(CounterRandom random)
{
    ulong _state = random.NextBits() | 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Next()
    {
        _state ^= _state >> 12;
        _state ^= _state << 25;
        _state ^= _state >> 27;
        return (long)(_state * 0x2545F4914F6CDD1DUL) * (1.0 / (1UL << 63));
    }
}
