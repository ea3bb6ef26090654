using System.Buffers.Binary;
using System.Text.Json;
using BirdResearch.Files;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>A safetensors file that is open for reading, its header checked as a whole; and the writer of such files.</summary>
public sealed class Safetensors : IDisposable
{
    const int Prefix = sizeof(ulong);

    readonly FileStream _file;
    readonly long _data;
    readonly Dictionary<string, SafetensorsEntry> _byKey;

    Safetensors(FileStream file, long data, IReadOnlyList<SafetensorsEntry> entries, IReadOnlyDictionary<string, string> metadata)
    {
        (_file, _data, Entries, Metadata) = (file, data, entries, metadata);
        _byKey = entries.ToDictionary(e => e.Key);
    }

    /// <summary>Its tensors, in the order of the header.</summary>
    public IReadOnlyList<SafetensorsEntry> Entries { get; }

    /// <summary>Free texts that the file carries.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Opens a file and checks its header against its size; a file that breaks the format is an <see cref="InvalidDataException"/>.</summary>
    public static Safetensors Open(string path)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        try
        {
            Span<byte> prefix = stackalloc byte[Prefix];
            if (file.Length < Prefix) throw SafetensorsHeader.Broken(path, $"it has {file.Length} bytes, fewer than the {Prefix} of the header's length");
            file.ReadExactly(prefix);
            var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
            if (length > (ulong)(file.Length - Prefix))
                throw SafetensorsHeader.Broken(path, $"its header is said to have {length} bytes, but only {file.Length - Prefix} follow");
            if (length > SafetensorsHeader.LongestText)
                throw SafetensorsHeader.Broken(path, $"its header of {length} bytes is longer than the {SafetensorsHeader.LongestText} allowed");
            var text = new byte[length];
            file.ReadExactly(text);
            var data = Prefix + (long)length;
            var (entries, metadata) = SafetensorsHeader.Parse(text, file.Length - data, path);
            return new Safetensors(file, data, entries, metadata);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Reads one tensor, straight from the file into torch's memory.</summary>
    public Tensor Read(string key)
    {
        var entry = _byKey.GetValueOrDefault(key) ?? throw new KeyNotFoundException($"'{_file.Name}' holds no tensor '{key}'.");
        _file.Position = _data + entry.Offset;
        return TensorBytes.Read(_file, SafetensorsTypes.Type(entry.Type), entry.Shape);
    }

    /// <summary>Writes tensors and texts beside <paramref name="path"/> and renames, so that no half-written file is ever seen.</summary>
    public static void Write(
        string path, IEnumerable<(string Key, Tensor Tensor)> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        // As the format's own writer does: wide types first, so that every tensor lies at a multiple of its element size; then by name.
        var ordered = tensors.OrderByDescending(t => t.Tensor.ElementSize).ThenBy(t => t.Key, StringComparer.Ordinal).ToList();
        var header = Header(ordered, metadata);
        WholeFile.Write(path, beside =>
        {
            using var file = new FileStream(beside, FileMode.Create, FileAccess.Write);
            Span<byte> prefix = stackalloc byte[Prefix];
            BinaryPrimitives.WriteUInt64LittleEndian(prefix, (ulong)header.Length);
            file.Write(prefix);
            file.Write(header);
            foreach (var (_, tensor) in ordered)
            {
                using var scope = NewDisposeScope();
                foreach (var chunk in TensorBytes.Chunks(tensor.detach().cpu().contiguous())) file.Write(chunk.bytes);
            }
            file.Flush(flushToDisk: true);
        });
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    static byte[] Header(List<(string Key, Tensor Tensor)> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, value) in metadata.OrderBy(m => m.Key, StringComparer.Ordinal)) json.WriteString(key, value);
                json.WriteEndObject();
            }
            var offset = 0L;
            foreach (var (key, tensor) in tensors)
            {
                var end = offset + tensor.NumberOfElements * tensor.ElementSize;
                json.WriteStartObject(key);
                json.WriteString("dtype", SafetensorsTypes.Name(tensor.dtype));
                json.WriteStartArray("shape");
                foreach (var length in tensor.shape) json.WriteNumberValue(length);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(end);
                json.WriteEndArray();
                json.WriteEndObject();
                offset = end;
            }
            json.WriteEndObject();
        }
        while (text.Length % Prefix != 0) text.WriteByte((byte)' '); // the data begins at a multiple of eight
        return text.ToArray();
    }
}
