using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace BirdResearch.Data;

/// <summary>Fingerprints of data sets.</summary>
static class ContentKeys
{
    const char Unit = '\u001f';

    /// <summary>
    /// SHA-256 (hex) over classes, clips and file sizes: whatever changes a training or a score, and nothing of where it lies.
    /// </summary>
    public static string Of(
        Labelling labelling, IReadOnlyList<string> classes, IEnumerable<Clip> clips, IReadOnlyDictionary<string, long> sizes)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add("1", labelling.ToString());
        Add([.. classes]);
        foreach (var clip in clips)
            Add(clip.Id, clip.File, Text(sizes[clip.File]), string.Join(' ', clip.Labels), string.Join(' ', clip.SecondaryLabels),
                clip.Group, Text(clip.Fold), Text(clip.StartSeconds), Text(clip.Seconds));
        return Convert.ToHexStringLower(hash.GetHashAndReset());

        void Add(params ReadOnlySpan<string> cells) => hash.AppendData(Encoding.UTF8.GetBytes(string.Join(Unit, cells!) + '\n'));
    }

    /// <summary>SHA-256 (hex) over the names and sizes of files below a folder.</summary>
    public static string OfFiles(string root, IEnumerable<string> files) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
            string.Concat(files.Select(file => $"{file}{Unit}{Text(new FileInfo(Path.Combine(root, file)).Length)}\n")))));

    static string Text(IFormattable? number) => number?.ToString(null, CultureInfo.InvariantCulture) ?? "";
}
