using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;

namespace BirdResearch.Data;

/// <summary>A recording's file at one sample rate.</summary>
/// <param name="Length">Samples at that rate.</param>
/// <param name="Exact">Whether a slice that is decoded holds bit for bit what the whole file does there.</param>
/// <param name="Plain">Whether it lies uncompressed at that rate, so that reading it costs no more than reading a cache.</param>
readonly record struct RecordingFile(long Length, bool Exact, bool Plain)
{
    const int EdgeBytes = 1 << 16;

    /// <summary>
    /// What tells a file from every other: its size, its time of change, and the SHA-256 of its first and last 64 KiB (of
    /// all of it up to 128 KiB); null where it cannot be read. The time alone would not do: archives are unpacked with made-up times, and
    /// uncompressed recordings of one length have one size.
    /// </summary>
    public static string? Identity(string path)
    {
        var rented = ArrayPool<byte>.Shared.Rent(2 * EdgeBytes);
        try
        {
            using var file = File.OpenHandle(path);
            var length = RandomAccess.GetLength(file);
            var got = RandomAccess.Read(file, rented.AsSpan(0, length <= 2 * EdgeBytes ? 2 * EdgeBytes : EdgeBytes), 0);
            if (length > 2 * EdgeBytes) got += RandomAccess.Read(file, rented.AsSpan(got, EdgeBytes), length - EdgeBytes);
            return string.Create(CultureInfo.InvariantCulture,
                $"{length}|{File.GetLastWriteTimeUtc(file).Ticks}|{Convert.ToHexStringLower(SHA256.HashData(rented.AsSpan(0, got)))}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}
