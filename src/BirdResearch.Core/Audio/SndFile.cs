using System.Runtime.InteropServices;

namespace BirdResearch.Audio;

/// <summary>One sound opened by libsndfile over a .NET stream, so that its kind is decided by content alone.</summary>
sealed unsafe class SndFile : IDisposable
{
    readonly Bytes _bytes;
    GCHandle _pin;
    nint _file;

    /// <summary>Opens a seekable stream for reading.</summary>
    /// <exception cref="InvalidDataException">libsndfile does not know the content; the message is its reason.</exception>
    public static SndFile OpenRead(Stream stream) => new(stream, ReadMode, default);

    /// <summary>Opens a seekable, readable stream for writing mono sound.</summary>
    public static SndFile OpenWrite(Stream stream, int sampleRate, int format) =>
        new(stream, WriteMode, new() { SampleRate = sampleRate, Channels = 1, Format = format });

    SndFile(Stream stream, int mode, SndFileLibrary.Info info)
    {
        _bytes = new(stream);
        _pin = GCHandle.Alloc(_bytes);
        try
        {
            var io = new SndFileLibrary.VirtualIo
            {
                Length = &Length,
                Seek = &SeekBytes,
                Read = &ReadBytes,
                Write = &WriteBytes,
                Tell = &Tell,
            };
            _file = SndFileLibrary.OpenVirtual(&io, mode, &info, GCHandle.ToIntPtr(_pin));
            if (_file == 0) throw new InvalidDataException(SndFileLibrary.Error(0) ?? "unknown format", _bytes.Failure);
            Info = info;
        }
        catch
        {
            _pin.Free();
            throw;
        }
    }

    /// <summary>What the header says.</summary>
    public SndFileLibrary.Info Info { get; }

    /// <summary>libsndfile's complaint about this file, or the stream's; null when there is none.</summary>
    public string? Error => _bytes.Failure?.Message ?? SndFileLibrary.Error(_file);

    /// <summary>Reads whole interleaved frames; 0 at the end or where decoding fails.</summary>
    public long Read(Span<float> interleaved)
    {
        fixed (float* to = interleaved) return SndFileLibrary.ReadFrames(_file, to, interleaved.Length / Info.Channels);
    }

    /// <summary>Writes mono samples; the number written.</summary>
    public long Write(ReadOnlySpan<float> samples)
    {
        fixed (float* from = samples) return SndFileLibrary.WriteFrames(_file, from, samples.Length);
    }

    /// <summary>Moves to a frame counted from the start; false when the file cannot.</summary>
    public bool Seek(long frame) => SndFileLibrary.Seek(_file, frame, 0) == frame;

    /// <summary>Clips instead of wrapping around when floats become integers.</summary>
    public void ClipOnWrite() => SndFileLibrary.Command(_file, SetClipping, null, 1);

    /// <summary>Quality of a variable bit rate, 0 to 1; to be set before the first sample is written.</summary>
    public void SetQuality(double quality) => SndFileLibrary.Command(_file, SetVbrQuality, &quality, sizeof(double));

    /// <summary>Closes libsndfile's side; the stream stays open.</summary>
    public void Dispose()
    {
        if (_file == 0) return;
        _ = SndFileLibrary.Close(_file);
        _file = 0;
        _pin.Free();
    }

    const int ReadMode = 0x10, WriteMode = 0x20, SetClipping = 0x10C0, SetVbrQuality = 0x1300;

    /// <summary>The stream with the first failure met inside a callback, where an exception must not leave.</summary>
    sealed class Bytes(Stream stream)
    {
        public Exception? Failure { get; private set; }

        public long Try(Func<Stream, long> step, long otherwise)
        {
            try
            {
                return step(stream);
            }
            catch (Exception e)
            {
                Failure ??= e;
                return otherwise;
            }
        }

        public static Bytes At(nint user) => (Bytes)GCHandle.FromIntPtr(user).Target!;
    }

    [UnmanagedCallersOnly]
    static long Length(nint user) => Bytes.At(user).Try(s => s.Length, 0);

    [UnmanagedCallersOnly]
    static long Tell(nint user) => Bytes.At(user).Try(s => s.Position, -1);

    [UnmanagedCallersOnly]
    static long SeekBytes(long offset, int whence, nint user) => Bytes.At(user).Try(s =>
    {
        var target = whence switch { 0 => offset, 1 => s.Position + offset, _ => s.Length + offset };
        return target < 0 ? -1 : s.Seek(target, SeekOrigin.Begin);
    }, -1);

    [UnmanagedCallersOnly]
    static long ReadBytes(byte* to, long count, nint user)
    {
        var whole = Whole(count);
        return whole == 0 ? 0 : Bytes.At(user).Try(s => s.ReadAtLeast(new Span<byte>(to, whole), whole, throwOnEndOfStream: false), 0);
    }

    [UnmanagedCallersOnly]
    static long WriteBytes(byte* from, long count, nint user) => Bytes.At(user).Try(s =>
    {
        s.Write(new ReadOnlySpan<byte>(from, Whole(count)));
        return count;
    }, 0);

    static int Whole(long count) => (int)Math.Clamp(count, 0, int.MaxValue);
}
