using System.Collections.Concurrent;

namespace BirdResearch.Data;

/// <summary>
/// Decoded sound in memory, up to a number of bytes. What came first stays: epochs pass over all recordings in turn, where dropping the
/// oldest would always drop what is needed next. Threads that ask for the same piece decode it once.
/// </summary>
sealed class SampleCache(long limit)
{
    readonly ConcurrentDictionary<(string File, long Piece), Lazy<float[]>> _pieces = new();
    long _bytes;

    /// <summary>Bytes of samples held, those being decoded left out.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Whether the piece is held, or its bytes would fit.</summary>
    public bool HoldsOrTakes(string file, long piece, long bytes) => _pieces.ContainsKey((file, piece)) || Bytes + bytes <= limit;

    /// <summary>The piece, decoded if it is not held; null where it is not held and its bytes would not fit.</summary>
    public float[]? GetIfRoom(string file, long piece, long bytes, Func<float[]> decode) =>
        HoldsOrTakes(file, piece, bytes) ? Get(file, piece, decode) : null;

    /// <summary>The piece, decoded if it is not held, and kept if it fits.</summary>
    public float[] Get(string file, long piece, Func<float[]> decode)
    {
        var key = (file, piece);
        var kept = _pieces.GetOrAdd(key, _ => new Lazy<float[]>(() => Admit(key, decode())));
        try
        {
            return kept.Value;
        }
        catch
        {
            _pieces.TryRemove(KeyValuePair.Create(key, kept));   // a Lazy would repeat a passing failure for ever
            throw;
        }
    }

    float[] Admit((string, long) key, float[] samples)
    {
        var bytes = (long)sizeof(float) * samples.Length;
        if (Interlocked.Add(ref _bytes, bytes) <= limit) return samples;
        Interlocked.Add(ref _bytes, -bytes);
        _pieces.TryRemove(key, out _);
        return samples;
    }
}
