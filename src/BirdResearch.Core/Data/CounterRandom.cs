using System.Text;

namespace BirdResearch.Data;

/// <summary>
/// Random numbers that are a pure function of a seed and some keys (an epoch, a clip, a part of a song), so that they depend neither
/// on what was drawn for others nor on thread timing. splitmix64 (Steele, Lea and Flood 2014) over a mixed start.
/// </summary>
/// <remarks>A class, since a copied struct would repeat its numbers. One thread at a time; two with the same keys agree.</remarks>
public sealed class CounterRandom
{
    const ulong Golden = 0x9E3779B97F4A7C15UL;

    readonly ulong _start;
    ulong _drawn;

    /// <param name="seed">The experiment's seed.</param>
    /// <param name="keys">What the numbers are for; their order matters.</param>
    public CounterRandom(long seed, params long[] keys)
    {
        _start = Mix((ulong)seed + Golden);
        foreach (var key in keys) _start = Mix((_start ^ Mix((ulong)key + Golden)) * Golden + Golden);
    }

    /// <summary>A key made of a name: the 64-bit FNV-1a hash of its UTF-8 bytes.</summary>
    public static long KeyOf(string name)
    {
        var hash = 0xCBF29CE484222325UL;
        foreach (var b in Encoding.UTF8.GetBytes(name)) hash = (hash ^ b) * 0x00000100000001B3UL;
        return (long)hash;
    }

    /// <summary>64 random bits.</summary>
    public ulong NextBits() => Mix(_start + ++_drawn * Golden);

    /// <summary>Uniform in [0, 1), a multiple of 2^-53.</summary>
    public double NextDouble() => (NextBits() >> 11) * (1.0 / (1L << 53));

    /// <summary>Uniform in [<paramref name="low"/>, <paramref name="high"/>).</summary>
    public double NextDouble(double low, double high) => low + (high - low) * NextDouble();

    /// <summary>Uniform over 0 .. <paramref name="count"/> - 1.</summary>
    public int NextInt(int count) => (int)NextLong(count);

    /// <summary>Uniform over <paramref name="low"/> .. <paramref name="high"/> - 1.</summary>
    public int NextInt(int low, int high) => (int)(low + NextLong((long)high - low));

    /// <summary>Uniform over 0 .. <paramref name="count"/> - 1.</summary>
    public long NextLong(long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        // Lemire 2019: the high word of a product, with the few draws rejected that would favour some values.
        var unfair = (0UL - (ulong)count) % (ulong)count;
        while (true)
        {
            var high = Math.BigMul(NextBits(), (ulong)count, out ulong low);
            if (low >= unfair) return (long)high;
        }
    }

    /// <summary>Normal with mean 0 and standard deviation 1 (Box and Muller; two draws each).</summary>
    public double NextGaussian() =>
        Math.Sqrt(-2 * Math.Log(1 - NextDouble())) * Math.Cos(2 * Math.PI * NextDouble());

    /// <summary>Puts the items into a uniformly random order, in place.</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = NextInt(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
