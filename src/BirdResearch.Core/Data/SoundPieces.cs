using System.Collections.Concurrent;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using BirdResearch.Audio;

namespace BirdResearch.Data;

/// <summary>
/// Decoded sound of a data set's recordings at one rate: from memory, else from disk, else decoded and left in both. Decoding is the
/// slow twin of the other two and gives the same bits. Any number of threads may read.
/// </summary>
/// <remarks>
/// Sound is decoded in pieces of six windows (and one more, so that a window that begins in a piece lies in it); a short recording is one
/// piece. When neither memory nor disk has room, only the window itself is decoded where the format gives the same samples either
/// way, else its piece.
/// </remarks>
sealed class SoundPieces(Dataset dataset, int sampleRate, int windowSamples, long memoryBytes, DiskCache? disk)
{
    const int WindowsPerPiece = 6;

    // Raised when decoding or resampling gives other bits for the same file.
    const int Recipe = 1;

    readonly SampleCache _memory = new(memoryBytes);
    readonly ConcurrentDictionary<string, (RecordingFile File, string? Key)> _files = new();
    readonly long _step = (long)WindowsPerPiece * windowSamples;
    long _decoded;

    /// <summary>Bytes of decoded sound in memory.</summary>
    public long MemoryBytes => _memory.Bytes;

    /// <summary>How often sound was decoded.</summary>
    public long Decoded => Interlocked.Read(ref _decoded);

    /// <summary>Where decoded sound is kept, or null.</summary>
    public DiskCache? Disk => disk;

    /// <summary>The recording's length and kind; its header is read the first time.</summary>
    public RecordingFile FileOf(Clip clip) => Known(clip).File;

    /// <summary>What stands for a recording's sound at this rate in the keys of the disk cache; null where nothing can.</summary>
    public string? KeyOf(Clip clip) => Known(clip).Key;

    /// <summary>Fills a window that lies whole in the recording straight from the disk, where that is the best place to take it from.</summary>
    public bool TryRead(Clip clip, long start, Span<float> window)
    {
        var (file, key) = Known(clip);
        if (disk is null || key is null || file.Plain) return false;
        var (piece, begin, count) = PieceAt(file, start);
        return !_memory.HoldsOrTakes(clip.File, piece, sizeof(float) * count) && disk.TryRead(PieceKey(key, begin, count), start - begin, window);
    }

    /// <summary>Sound that holds [start, end) where the file does, and the sample it begins at: a piece, or just what was asked for.</summary>
    public (float[] Sound, long Begin) At(Clip clip, long start, long end)
    {
        var (file, key) = Known(clip);
        var (piece, begin, count) = PieceAt(file, start);
        var bytes = sizeof(float) * count;
        if (_memory.GetIfRoom(clip.File, piece, bytes, Piece) is { } kept) return (kept, begin);
        var goesToDisk = disk is not null && key is not null && !file.Plain && disk.Accepts(bytes);
        if (!goesToDisk && file.Exact && Decode(clip, start, end - start) is var window && window.Length == end - start) return (window, start);
        return (_memory.Get(clip.File, piece, Piece), begin);

        float[] Piece()
        {
            if (disk is null || key is null || file.Plain) return Decode(clip, begin, count);
            var name = PieceKey(key, begin, count);
            if (disk.Read<float>(name) is { } there) return there;
            var made = Decode(clip, begin, count);
            disk.Write<float>(name, made);
            return made;
        }
    }

    (long Piece, long Begin, long Count) PieceAt(RecordingFile file, long start)
    {
        var last = Math.Max(0, (file.Length - windowSamples + _step - 1) / _step - 1);   // the last piece reaches to the end of the file
        var piece = Math.Min(start / _step, last);
        return (piece, piece * _step, Math.Min(_step + windowSamples, file.Length - piece * _step));
    }

    static string PieceKey(string key, long begin, long count) => string.Create(CultureInfo.InvariantCulture, $"{key}|{begin}+{count}");

    float[] Decode(Clip clip, long start, long count)
    {
        Interlocked.Increment(ref _decoded);
        return AudioFile.Read(dataset.PathOf(clip), (double)start / sampleRate, (double)count / sampleRate, sampleRate).Samples;
    }

    (RecordingFile File, string? Key) Known(Clip clip) => _files.TryGetValue(clip.File, out var known) ? known : _files.GetOrAdd(clip.File, _ =>
    {
        var key = disk is not null && RecordingFile.Identity(dataset.PathOf(clip)) is { } identity ? $"{Way}|{clip.File}|{identity}|{sampleRate}" : null;
        if (key is not null && disk!.Read<long>(key) is [var length, var exact]) return (new RecordingFile(length, exact == 1, Plain: false), key);
        var probed = Probe(clip);
        if (key is not null && !probed.Plain) disk!.Write<long>(key, [probed.Length, probed.Exact ? 1 : 0]);
        return (probed, key);
    });

    RecordingFile Probe(Clip clip)
    {
        var info = AudioFile.Probe(dataset.PathOf(clip));
        var same = info.SampleRate == sampleRate;
        return new RecordingFile(
            same ? info.Frames : Resampler.Between(info.SampleRate, sampleRate).LengthOf(info.Frames),
            // These decoders carry state from packet to packet, which a jump can leave a rounding error away.
            info.Seekable && info.Subtype != "OPUS" && info.Format != "MP3",
            same && info.Format is ("WAV" or "RF64" or "W64" or "AIFF" or "AU") && info.Subtype is not ("IMA_ADPCM" or "MS_ADPCM"));
    }

    /// <summary>How sound is decoded here: another library, or other vectors in the resampler, may round another way.</summary>
    static string Way { get; } = string.Create(CultureInfo.InvariantCulture,
        $"{Recipe}|{AudioFile.LibraryVersion}|{Vector<float>.Count}|{Fma.IsSupported}|{RuntimeInformation.ProcessArchitecture}");
}
