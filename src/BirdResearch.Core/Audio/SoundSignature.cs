using System.Text;

namespace BirdResearch.Audio;

/// <summary>What a file is by its first bytes, whatever it is called.</summary>
public static class SoundSignature
{
    /// <summary>The text that Git LFS leaves in place of a file.</summary>
    public const string GitLfsPointer = "git-lfs-pointer";

    /// <summary>A web page or other markup.</summary>
    public const string Markup = "markup";

    /// <summary>No byte at all.</summary>
    public const string Empty = "empty";

    /// <summary>Nothing but zeros at the start.</summary>
    public const string Zeros = "zeros";

    const int HeadBytes = 512;

    static readonly Dictionary<string, string[]> _extensions = new()
    {
        ["WAV"] = [".wav", ".wave", ".bwf"],
        ["RF64"] = [".wav", ".rf64", ".bwf"],
        ["W64"] = [".w64", ".wav"],
        ["OGG"] = [".ogg", ".oga", ".opus", ".spx"],
        ["FLAC"] = [".flac"],
        ["MP3"] = [".mp3", ".mp2", ".mpga", ".mpeg"],
        ["AIFF"] = [".aif", ".aiff", ".aifc"],
        ["AU"] = [".au", ".snd"],
        ["CAF"] = [".caf"],
        ["MP4"] = [".m4a", ".mp4", ".aac"],
        ["WMA"] = [".wma", ".asf"],
    };

    /// <summary>Every extension that a sound file may have, with its dot, in lower case.</summary>
    public static IReadOnlySet<string> Extensions { get; } = _extensions.Values.SelectMany(e => e).ToHashSet();

    /// <summary>
    /// A container (<c>WAV</c>, <c>RF64</c>, <c>W64</c>, <c>OGG</c>, <c>FLAC</c>, <c>MP3</c>, <c>AIFF</c>, <c>AU</c>, <c>CAF</c>, <c>MP4</c>,
    /// <c>WMA</c>), one of the words above, or null for anything else.
    /// </summary>
    public static string? Of(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
        var head = new byte[HeadBytes];
        var length = stream.ReadAtLeast(head, HeadBytes, throwOnEndOfStream: false);
        return Of(head.AsSpan(0, length));
    }

    /// <summary>The same of the first bytes themselves; 512 of them are enough.</summary>
    public static string? Of(ReadOnlySpan<byte> head)
    {
        if (head.Length == 0) return Empty;
        if (!head.ContainsAnyExcept((byte)0)) return Zeros;
        if (Tag(head, 0, "RIFF")) return Tag(head, 8, "WAVE") ? "WAV" : null;
        if (Tag(head, 0, "RIFX")) return "WAV";
        if (Tag(head, 0, "RF64") || Tag(head, 0, "BW64")) return "RF64";
        if (Tag(head, 0, "riff")) return "W64";
        if (Tag(head, 0, "OggS")) return "OGG";
        if (Tag(head, 0, "fLaC")) return "FLAC";
        if (Tag(head, 0, "FORM")) return Tag(head, 8, "AIF") ? "AIFF" : null;
        if (Tag(head, 0, ".snd")) return "AU";
        if (Tag(head, 0, "caff")) return "CAF";
        if (Tag(head, 4, "ftyp")) return "MP4";
        if (head.StartsWith((ReadOnlySpan<byte>)[0x30, 0x26, 0xB2, 0x75])) return "WMA";
        if (Tag(head, 0, "ID3") || IsMpegFrame(head)) return "MP3";
        var text = Encoding.Latin1.GetString(head).TrimStart();
        if (text.StartsWith("version https://git-lfs", StringComparison.Ordinal)) return GitLfsPointer;
        return text.StartsWith('<') ? Markup : null;
    }

    /// <summary>Whether a file of that container is usually called so; true for a container that is not in the table.</summary>
    public static bool Fits(string container, string extension) =>
        !_extensions.TryGetValue(container, out var usual) || usual.Contains(extension.ToLowerInvariant());

    static bool Tag(ReadOnlySpan<byte> head, int at, string tag)
    {
        if (head.Length < at + tag.Length) return false;
        for (var i = 0; i < tag.Length; i++)
            if (head[at + i] != tag[i]) return false;
        return true;
    }

    /// <summary>Eleven bits of sync, then a version, layer, bit rate and sample rate that exist.</summary>
    static bool IsMpegFrame(ReadOnlySpan<byte> head) =>
        head.Length >= 4 && head[0] == 0xFF && (head[1] & 0xE0) == 0xE0 && (head[1] & 0x18) != 0x08 && (head[1] & 0x06) != 0
        && (head[2] & 0xF0) is not 0xF0 && (head[2] & 0x0C) != 0x0C;
}
