using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>What every front-end does with the batch of sound (B, T) that it is given.</summary>
static class SoundBatch
{
    // This many windowed samples at a time stay in the caches and below malloc's map-and-unmap size: measured with 16 clips of 5 s,
    // five times faster than all at once.
    const long SamplesAtOnce = 1_500_000;

    /// <summary>T; another shape or precision is an error.</summary>
    public static long Samples(Tensor sound)
    {
        if (sound.dim() != 2)
            throw new ArgumentException(
                $"Sound must have the shape (clips, samples), not ({string.Join(", ", sound.shape)}): add an axis or take one channel.");
        if (sound.dtype is not (ScalarType.Float32 or ScalarType.Float64))
            throw new ArgumentException($"Sound must be float32 or float64, not {sound.dtype}: convert it first.");
        return sound.shape[1];
    }

    /// <summary>Whether the fused passes take that sound: float32 on the CPU.</summary>
    public static bool CanFuse(Tensor sound) => sound.dtype == ScalarType.Float32 && sound.device_type == TorchSharp.DeviceType.CPU;

    /// <summary>Computes a few clips at a time and joins the results along the first axis.</summary>
    /// <param name="sound">(B, T).</param>
    /// <param name="windowedPerClip">Samples that one clip has once it is cut into overlapping frames.</param>
    /// <param name="compute">(b, T) -> (b, ...), each row by itself.</param>
    public static Tensor InParts(Tensor sound, long windowedPerClip, Func<Tensor, Tensor> compute)
    {
        var clips = Math.Max(1, SamplesAtOnce / windowedPerClip);
        if (clips >= sound.shape[0]) return compute(sound);
        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        for (var first = 0L; first < sound.shape[0]; first += clips)
            parts.Add(compute(sound.narrow(0, first, Math.Min(clips, sound.shape[0] - first))));
        return cat(parts, 0).MoveToOuterDisposeScope();
    }
}
