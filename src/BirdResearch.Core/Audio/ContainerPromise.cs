using System.Buffers.Binary;

namespace BirdResearch.Audio;

/// <summary>Whether a file is as long as its container says, which decoders pass over in silence.</summary>
public static class ContainerPromise
{
    const int TailBytes = 1 << 17, LastPageFlag = 4, PageHeader = 27, FirstFrameBytes = 256;
    const uint Unknown = 0xFFFFFFFF;

    /// <summary>
    /// The share of the sound, 0 to 1, that a WAV file announces and does not hold; null where the container tells nothing, or announces
    /// no length as recorders that stream do.
    /// </summary>
    public static double? MissingShare(string path)
    {
        using var stream = Open(path);
        Span<byte> chunk = stackalloc byte[12];
        if (stream.ReadAtLeast(chunk, 12, false) < 12 || !chunk[..4].SequenceEqual("RIFF"u8) || !chunk[8..].SequenceEqual("WAVE"u8)) return null;
        while (stream.ReadAtLeast(chunk[..8], 8, false) == 8)
        {
            var size = BinaryPrimitives.ReadUInt32LittleEndian(chunk[4..]);
            var left = stream.Length - stream.Position;
            if (chunk[..4].SequenceEqual("data"u8))
                return size is 0 or Unknown or 0x7FFFFFFF or 0x80000000 ? null : Math.Max(0, 1 - left / (double)size);
            if (size + (size & 1) > left) return null;
            stream.Seek(size + (size & 1), SeekOrigin.Current);
        }
        return null;
    }

    /// <summary>Whether an Ogg file ends without the page that is marked as the last of its stream; false for every other container.</summary>
    public static bool LacksOggEnd(string path)
    {
        using var stream = Open(path);
        Span<byte> tag = stackalloc byte[4];
        if (stream.ReadAtLeast(tag, 4, false) < 4 || !tag.SequenceEqual("OggS"u8)) return false;
        var tail = new byte[(int)Math.Min(stream.Length, TailBytes)];
        stream.Position = stream.Length - tail.Length;
        stream.ReadExactly(tail);
        var last = tail.AsSpan().LastIndexOf("OggS"u8);
        if (last < 0 || last + PageHeader > tail.Length || (tail[last + 5] & LastPageFlag) == 0) return true;
        var (segments, body) = (tail[last + 26], 0);
        if (last + PageHeader + segments > tail.Length) return true;
        foreach (var size in tail.AsSpan(last + PageHeader, segments)) body += size;
        return last + PageHeader + segments + body > tail.Length;
    }

    /// <summary>
    /// Whether an MP3 file has no count of its frames in the first of them (Xing, Info or VBRI), so that any length is an estimate from its
    /// size, tags and pictures included. Meaningless for other files.
    /// </summary>
    public static bool LacksMp3Length(string path)
    {
        using var stream = Open(path);
        var head = new byte[10];
        if (stream.ReadAtLeast(head, 10, false) < 10) return true;
        var tag = head.AsSpan(0, 3).SequenceEqual("ID3"u8) ? 10 + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]) : 0;
        stream.Position = Math.Min(tag, stream.Length);
        var first = new byte[FirstFrameBytes];
        var frame = first.AsSpan(0, stream.ReadAtLeast(first, first.Length, false));
        return frame.IndexOf("Xing"u8) < 0 && frame.IndexOf("Info"u8) < 0 && frame.IndexOf("VBRI"u8) < 0;
    }

    static FileStream Open(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 12);
}
