using System.Collections.Concurrent;

namespace BirdResearch.Data;

/// <summary>Arrays of samples to be used again: a batch is megabytes, and a new one in every step would have the collector busy.</summary>
sealed class SampleArrays
{
    const int MostOfALength = 8;

    readonly ConcurrentDictionary<int, ConcurrentQueue<float[]>> _free = new();

    /// <summary>An array of exactly that length, holding anything.</summary>
    public float[] Rent(int length) =>
        _free.TryGetValue(length, out var free) && free.TryDequeue(out var array) ? array : GC.AllocateUninitializedArray<float>(length);

    /// <summary>Takes an array back.</summary>
    public void Return(float[] array)
    {
        var free = _free.GetOrAdd(array.Length, _ => new());
        if (free.Count < MostOfALength) free.Enqueue(array);
    }
}
