using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace BirdResearch.Data;

/// <summary>
/// One file of a <see cref="DiskCache"/>: a head of 64 bytes (kind, sizes, SHA-256 of the key, a checksum of head and table), a table of
/// checksums (CRC-32C, one for every 64 KiB), then the values as they lie in memory. Whatever is cut off, changed or somebody else's does
/// not check and reads as absent.
/// </summary>
static class CacheEntry
{
    const int HeadBytes = 64, BlockBytes = 1 << 16, FirstRead = 4096;
    const long Kind = 0x31_504545_4B_445242;   // "BRDKEEP1" where the low byte comes first; another byte order does not match
    const long MostBytes = 1L << 40;

    /// <summary>Bytes of the file that holds that many bytes of values.</summary>
    public static long SizeOf(long bytes) => HeadBytes + sizeof(uint) * Blocks(bytes) + bytes;

    /// <summary>Writes a whole entry.</summary>
    public static void Write(string path, string key, ReadOnlySpan<byte> values)
    {
        var head = new byte[HeadBytes + sizeof(uint) * Blocks(values.Length)];
        Lead(key, values.Length).CopyTo(head, 0);
        var table = MemoryMarshal.Cast<byte, uint>(head.AsSpan(HeadBytes));
        for (var b = 0; b < table.Length; b++) table[b] = Checksum(0, Block(values, b));
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(56), HeadChecksum(head));
        using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.None, SizeOf(values.Length));
        RandomAccess.Write(file, head, 0);
        RandomAccess.Write(file, values, head.Length);
    }

    /// <summary>All values of the entry; null where there is no whole one of that key.</summary>
    public static T[]? Read<T>(string path, string key)
        where T : unmanaged
    {
        using var file = Open(path);
        if (file is null || Head(file, key) is not { } head) return null;
        var bytes = BytesOf(head);
        if (bytes % Unsafe.SizeOf<T>() != 0 || bytes / Unsafe.SizeOf<T>() > Array.MaxLength) return null;
        var values = GC.AllocateUninitializedArray<T>((int)(bytes / Unsafe.SizeOf<T>()));
        var into = MemoryMarshal.AsBytes(values.AsSpan());
        return Fill(file, head.Length, into) && Holds(head, 0, into) ? values : null;
    }

    /// <summary>Values from <paramref name="offset"/> on; false, with <paramref name="into"/> in any state, where they are not there.</summary>
    public static bool TryRead<T>(string path, string key, long offset, Span<T> into)
        where T : unmanaged
    {
        using var file = Open(path);
        if (file is null || Head(file, key) is not { } head) return false;
        var wanted = MemoryMarshal.AsBytes(into);
        var start = offset * Unsafe.SizeOf<T>();
        if (start < 0 || start + wanted.Length > BytesOf(head)) return false;
        var first = start / BlockBytes * BlockBytes;
        var end = Math.Min(BytesOf(head), (start + wanted.Length + BlockBytes - 1) / BlockBytes * BlockBytes);
        var rented = ArrayPool<byte>.Shared.Rent((int)(end - first));
        try
        {
            var blocks = rented.AsSpan(0, (int)(end - first));
            if (!Fill(file, head.Length + first, blocks) || !Holds(head, (int)(first / BlockBytes), blocks)) return false;
            blocks.Slice((int)(start - first), wanted.Length).CopyTo(wanted);
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    static SafeFileHandle? Open(string path)
    {
        try
        {
            return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Head and table, where they belong to that key and to a file of that length.</summary>
    static byte[]? Head(SafeFileHandle file, string key)
    {
        var length = RandomAccess.GetLength(file);
        var head = new byte[(int)Math.Min(FirstRead, length)];
        if (head.Length < HeadBytes || !Fill(file, 0, head)) return null;
        var bytes = BytesOf(head);
        if (bytes is < 0 or > MostBytes || length != SizeOf(bytes) || !head.AsSpan(0, 56).SequenceEqual(Lead(key, bytes))) return null;
        var (had, whole) = (head.Length, (int)(HeadBytes + sizeof(uint) * Blocks(bytes)));
        Array.Resize(ref head, whole);
        if (whole > had && !Fill(file, had, head.AsSpan(had))) return null;
        return BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(56)) == HeadChecksum(head) ? head : null;
    }

    static byte[] Lead(string key, long bytes)
    {
        var lead = new byte[56];
        MemoryMarshal.Write(lead, Kind);
        MemoryMarshal.Write(lead.AsSpan(8), (long)BlockBytes);
        MemoryMarshal.Write(lead.AsSpan(16), bytes);
        SHA256.HashData(Encoding.UTF8.GetBytes(key), lead.AsSpan(24));
        return lead;
    }

    static long BytesOf(ReadOnlySpan<byte> head) => MemoryMarshal.Read<long>(head[16..]);

    static int Blocks(long bytes) => (int)((bytes + BlockBytes - 1) / BlockBytes);

    static ReadOnlySpan<byte> Block(ReadOnlySpan<byte> values, int block) =>
        values[(block * BlockBytes)..Math.Min(values.Length, (block + 1) * BlockBytes)];

    static bool Holds(ReadOnlySpan<byte> head, int firstBlock, ReadOnlySpan<byte> blocks)
    {
        var table = MemoryMarshal.Cast<byte, uint>(head[HeadBytes..]);
        for (var b = 0; b * BlockBytes < blocks.Length; b++)
            if (Checksum(0, Block(blocks, b)) != table[firstBlock + b]) return false;
        return true;
    }

    static uint HeadChecksum(ReadOnlySpan<byte> head) => Checksum(Checksum(0, head[..56]), head[HeadBytes..]);

    static bool Fill(SafeFileHandle file, long at, Span<byte> into)
    {
        while (into.Length > 0)
        {
            var got = RandomAccess.Read(file, into, at);
            if (got <= 0) return false;
            into = into[got..];
            at += got;
        }
        return true;
    }

    static uint Checksum(uint crc, ReadOnlySpan<byte> bytes)
    {
        crc = ~crc;
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words) crc = BitOperations.Crc32C(crc, word);
        foreach (var one in bytes[(words.Length * sizeof(ulong))..]) crc = BitOperations.Crc32C(crc, one);
        return ~crc;
    }
}
