using System.Text;

namespace BirdResearch.Reference;

/// <summary>Deterministic numbers that are a pure function of a name and an index, shared with the reference implementations.</summary>
public static partial class Fill
{
    /// <summary>64-bit FNV-1a hash of the name's UTF-8 bytes.</summary>
    public static ulong Hash(string name)
    {
        var hash = 0xCBF29CE484222325UL;
        foreach (var b in Encoding.UTF8.GetBytes(name)) hash = (hash ^ b) * 0x00000100000001B3UL;
        return hash;
    }

    /// <summary>The splitmix64 output for element <paramref name="index"/> of the sequence that <paramref name="hash"/> names.</summary>
    public static ulong Bits(ulong hash, long index)
    {
        var z = hash + ((ulong)index + 1) * 0x9E3779B97F4A7C15UL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    /// <summary>A value in [-1, 1), a multiple of 2^-23.</summary>
    public static double Value(ulong hash, long index) => 2 * ((Bits(hash, index) >> 40) * (1.0 / (1 << 24))) - 1;

    /// <summary><paramref name="count"/> values <c>offset + scale * v</c>, computed in double and rounded once to float32.</summary>
    public static float[] Values(string name, long count, double scale = 1, double offset = 0)
    {
        var hash = Hash(name);
        var values = new float[count];
        for (var i = 0L; i < count; i++) values[i] = (float)(offset + scale * Value(hash, i));
        return values;
    }
}
