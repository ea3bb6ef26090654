using System.Buffers.Binary;
using System.Numerics;

namespace BirdResearch.Data;

/// <summary>
/// What a sound is like, in 32 bits for every 32 ms, after Haitsma and Kalker, A Highly Robust Audio Fingerprinting System (2002): bit m of
/// frame n is set where E(n,m) - E(n,m+1) - (E(n-1,m) - E(n-1,m+1)) is above zero, E being the energy of one of 33 bands. Gain cancels,
/// codecs and resampling turn few bits. Beside each frame's bits goes a mask of those that are sure; a frame of silence has none. Frames at
/// which most changes are marked, with their five strongest changes: by these, sounds that may be the same are found among many.
/// </summary>
public sealed class Fingerprint
{
    internal const int Version = 1;
    const int FrameBytes = 12;

    /// <summary>Rate in Hz that sound is brought to first.</summary>
    public const int SampleRate = 16_000;

    /// <summary>Samples at that rate from frame to frame.</summary>
    public const int Hop = 512;

    /// <summary>Samples at that rate in a frame.</summary>
    public const int FrameSamples = 4096;

    /// <summary>Seconds from frame to frame.</summary>
    public const double HopSeconds = (double)Hop / SampleRate;

    /// <summary>The strongest changes that are kept for a marked frame.</summary>
    public const int PeaksPerFrame = 5;

    /// <summary>Bits, masks and strongest changes by frame, of one length.</summary>
    public Fingerprint(uint[] bits, uint[] sure, uint[] peaks)
    {
        if (bits.Length != sure.Length || bits.Length != peaks.Length)
            throw new ArgumentException($"{bits.Length} frames of bits, {sure.Length} of masks and {peaks.Length} of changes.");
        (Bits, Sure, Peaks) = (bits, sure, peaks);
        Sounding = sure.Count(m => m != 0);
    }

    /// <summary>The bits of each frame.</summary>
    public uint[] Bits { get; }

    /// <summary>Which bits of each frame are sure.</summary>
    public uint[] Sure { get; }

    /// <summary>
    /// The five strongest changes of a marked frame and its neighbours, by band: six bits each, the band and whether it rose. Zero for all
    /// other frames.
    /// </summary>
    public uint[] Peaks { get; }

    /// <summary>Frames that are not silent.</summary>
    public int Sounding { get; }

    /// <summary>Number of frames.</summary>
    public int Frames => Bits.Length;

    /// <summary>Differing and compared bits of frame <paramref name="i"/> here and frame <paramref name="j"/> of another.</summary>
    public (int Differing, int Compared) Compare(int i, Fingerprint other, int j)
    {
        var both = Sure[i] & other.Sure[j];
        return (BitOperations.PopCount((Bits[i] ^ other.Bits[j]) & both), BitOperations.PopCount(both));
    }

    /// <summary>All three arrays, little-endian, frame by frame.</summary>
    public byte[] ToBytes()
    {
        var bytes = new byte[FrameBytes * Frames];
        for (var i = 0; i < Frames; i++)
        {
            var at = bytes.AsSpan(FrameBytes * i, FrameBytes);
            BinaryPrimitives.WriteUInt32LittleEndian(at, Bits[i]);
            BinaryPrimitives.WriteUInt32LittleEndian(at[4..], Sure[i]);
            BinaryPrimitives.WriteUInt32LittleEndian(at[8..], Peaks[i]);
        }
        return bytes;
    }

    /// <summary>Reads what <see cref="ToBytes"/> wrote.</summary>
    public static Fingerprint FromBytes(ReadOnlySpan<byte> bytes)
    {
        var frames = bytes.Length / FrameBytes;
        var (bits, sure, peaks) = (new uint[frames], new uint[frames], new uint[frames]);
        for (var i = 0; i < frames; i++)
        {
            var at = bytes.Slice(FrameBytes * i, FrameBytes);
            bits[i] = BinaryPrimitives.ReadUInt32LittleEndian(at);
            sure[i] = BinaryPrimitives.ReadUInt32LittleEndian(at[4..]);
            peaks[i] = BinaryPrimitives.ReadUInt32LittleEndian(at[8..]);
        }
        return new Fingerprint(bits, sure, peaks);
    }

    /// <summary>The fingerprint of a whole mono sound at any rate that can be read.</summary>
    public static Fingerprint Of(Audio.Waveform sound)
    {
        var maker = new FingerprintMaker(sound.SampleRate);
        maker.Add(sound.Samples);
        return maker.Finish();
    }
}
