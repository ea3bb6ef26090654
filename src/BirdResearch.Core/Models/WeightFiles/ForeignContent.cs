using System.Text;

namespace BirdResearch.Models;

/// <summary>What a file is that was taken for weights, told from its first bytes: mostly downloads that went wrong.</summary>
static class ForeignContent
{
    /// <summary>How many of the first bytes are looked at.</summary>
    public const int Needed = 512;

    const int TarMark = 257;

    static readonly (byte[] Start, string What)[] Known =
    [
        ([0x89, .. "PNG"u8], "it is a PNG image"),
        ([0xFF, 0xD8, 0xFF], "it is a JPEG image"),
        ([.. "GIF8"u8], "it is a GIF image"),
        ([.. "%PDF"u8], "it is a PDF document"),
        ([0x1F, 0x8B], "it is compressed with gzip; unpack it first"),
        ([.. "BZh"u8], "it is compressed with bzip2; unpack it first"),
        ([0xFD, .. "7zXZ"u8], "it is compressed with xz; unpack it first"),
        ([.. "7z"u8, 0xBC, 0xAF], "it is a 7z archive; unpack it first"),
        ([0x89, .. "HDF"u8], "it is an HDF5 file (Keras); expected .safetensors or .pth of PyTorch"),
        ([.. "GGUF"u8], "it is a GGUF file; expected .safetensors or .pth of PyTorch"),
        ([0x93, .. "NUMPY"u8], "it is an array of NumPy; expected .safetensors or .pth of PyTorch"),
        ([.. "version https://git-lfs"u8], "it is a pointer of git-lfs, not the file itself; fetch the file with 'git lfs pull', or download it from its page"),
    ];

    /// <summary>What the file is, in words; null where the first bytes do not tell.</summary>
    public static string? Name(ReadOnlySpan<byte> start)
    {
        if (start.IsEmpty) return "it is empty; the download did not begin, or was cut";
        if (start.IndexOfAnyExcept((byte)0) < 0) return "it begins with nothing but zeros; the download was not finished";
        foreach (var (mark, what) in Known)
            if (start.StartsWith(mark)) return what;
        if (start.Length > TarMark + 5 && start[TarMark..].StartsWith("ustar"u8))
            return "it is a tar archive; unpack it, or where it is PyTorch's format of before 2017, load and save it again with a newer PyTorch";
        var text = Encoding.Latin1.GetString(start).TrimStart('\u00EF', '\u00BB', '\u00BF', ' ', '\t', '\r', '\n');
        if (text.StartsWith('<')) return "it is a web page or XML, as a failed or unauthorised download leaves it; download the file itself";
        if (text.StartsWith('{') || text.StartsWith('[')) return "it is JSON text, such as a server's error or a configuration; download the weights themselves";
        return null;
    }
}
