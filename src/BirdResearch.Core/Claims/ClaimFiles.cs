using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Win32.SafeHandles;

namespace BirdResearch.Claims;

/// <summary>
/// The files of a claim: <c>&lt;path&gt;-&lt;generation&gt;</c>. The highest generation holds; the next one is made by an exclusive create, which
/// one of several succeeds in, on any file system. A file is only ever written by whom it belongs to, through the handle it was made with, so
/// that a late writer never touches his successor's.
/// </summary>
static class ClaimFiles
{
    const FileShare Shared = FileShare.ReadWrite | FileShare.Delete;

    static readonly JsonSerializerOptions _json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    /// <summary>Generations that have a file, in no order.</summary>
    public static IReadOnlyList<long> Generations(string path)
    {
        var (folder, start) = (Path.GetDirectoryName(path)!, Path.GetFileName(path) + "-");
        try
        {
            return [.. Directory.EnumerateFiles(folder, start + "*")
                .Select(file => long.TryParse(Path.GetFileName(file).AsSpan(start.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var g) ? g : 0)
                .Where(g => g > 0)];
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }

    /// <summary>The highest generation, 0 without any.</summary>
    public static long Latest(string path) => Generations(path).DefaultIfEmpty().Max();

    /// <summary>Makes the file of a generation, or returns null where there is one.</summary>
    public static SafeFileHandle? TryCreate(string path, long generation)
    {
        try
        {
            return File.OpenHandle(FileOf(path, generation), FileMode.CreateNew, FileAccess.Write, Shared);
        }
        catch (IOException e) when (e.HResult is 17 or unchecked((int)0x80070050))   // it exists: Linux and macOS, Windows
        {
            return null;
        }
    }

    /// <summary>Writes a note over the one before, and has it reach the disk.</summary>
    public static void Write(SafeFileHandle file, ClaimNote note)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(note, _json);
        var length = Math.Max(bytes.Length + 1, RandomAccess.GetLength(file));
        var line = new byte[length];
        Array.Fill(line, (byte)' ');
        bytes.CopyTo(line, 0);
        line[^1] = (byte)'\n';
        RandomAccess.Write(file, line, 0);
        RandomAccess.FlushToDisk(file);
    }

    /// <summary>The text of a generation's file; null where it has just gone.</summary>
    public static string? Read(string path, long generation)
    {
        try
        {
            using var reader = new StreamReader(new FileStream(FileOf(path, generation), FileMode.Open, FileAccess.Read, Shared));
            return reader.ReadToEnd();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>What the text says; null while it is being written.</summary>
    public static ClaimNote? Parse(string text)
    {
        try
        {
            return JsonSerializer.Deserialize<ClaimNote>(text, _json);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Removes the files up to a generation, the oldest first.</summary>
    public static void Delete(string path, long upTo)
    {
        foreach (var generation in Generations(path).Where(g => g <= upTo).Order())
            try
            {
                File.Delete(FileOf(path, generation));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // A reader may have it open on systems that mind; the highest generation counts anyway.
            }
    }

    static string FileOf(string path, long generation) => string.Create(CultureInfo.InvariantCulture, $"{path}-{generation}");
}
