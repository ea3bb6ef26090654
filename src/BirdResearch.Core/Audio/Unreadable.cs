using System.Text;

namespace BirdResearch.Audio;

/// <summary>Why libsndfile does not know a file, told from its first bytes.</summary>
static class Unreadable
{
    public static string Reason(Stream stream, string complaint)
    {
        if (stream.Length == 0) return "is empty (0 bytes); fetch it again or leave it out.";
        var head = new byte[(int)Math.Min(512, stream.Length)];
        stream.Position = 0;
        stream.ReadExactly(head);
        var text = Encoding.Latin1.GetString(head).TrimStart();
        if (text.StartsWith("version https://git-lfs", StringComparison.Ordinal))
        {
            return "is a Git LFS pointer (text), not the sound itself; run `git lfs pull` in the repository that it comes from.";
        }
        if (text.StartsWith('<')) return "is a web page or other markup, not sound; the download went wrong, fetch it again.";
        if (head.All(b => b == 0)) return "begins with zeros only; the download or copy went wrong, fetch it again.";
        if (stream.Length < 44) return $"is cut off after {stream.Length} bytes, less than any header; fetch it again.";
        string? container =
            text.StartsWith("OggS", StringComparison.Ordinal) ? "Ogg"
            : text.StartsWith("RIFF", StringComparison.Ordinal) ? "WAV"
            : text.StartsWith("fLaC", StringComparison.Ordinal) ? "FLAC"
            : text.StartsWith("ID3", StringComparison.Ordinal) ? "MP3"
            : null;
        return container is not null
            ? $"begins as {container} but is damaged, cut off, or of a kind that is not read ({complaint}); fetch it again or convert it."
            : $"is not a sound file that libsndfile knows ({complaint}); convert it to wav, flac, ogg or mp3.";
    }
}
