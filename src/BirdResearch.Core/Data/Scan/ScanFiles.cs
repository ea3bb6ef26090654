using BirdResearch.Audio;

namespace BirdResearch.Data;

/// <summary>The sound files of a data set or of a plain folder.</summary>
static class ScanFiles
{
    /// <summary>Every file that the data set uses, and the sound files of its folder that no table names.</summary>
    public static IReadOnlyList<ScanFile> Of(Dataset data)
    {
        var files = new SortedDictionary<string, ScanFile>(StringComparer.Ordinal);
        foreach (var clip in data.Focal) files.TryAdd(clip.File, new ScanFile(clip.File, ScanRole.Focal, clip));
        foreach (var clip in data.Soundscapes) files.TryAdd(clip.File, new ScanFile(clip.File, ScanRole.Soundscape));
        foreach (var file in data.Unlabelled) files.TryAdd(file, new ScanFile(file, ScanRole.Unlabelled));
        foreach (var file in data.NoCall) files.TryAdd(file, new ScanFile(file, ScanRole.Unlabelled));
        foreach (var left in data.LeftOut) files.TryAdd(left.File, new ScanFile(left.File, ScanRole.Focal));
        foreach (var file in In(data.Root)) files.TryAdd(file, new ScanFile(file, ScanRole.Unlisted));
        return [.. files.Values];
    }

    /// <summary>
    /// Every file below a folder that is called like sound or begins like sound, and every one that is empty or a Git LFS pointer under such
    /// a name. Hidden files, and folders that links lead to, are passed over.
    /// </summary>
    public static IReadOnlyList<string> In(string root)
    {
        var options = new EnumerationOptions
        {
            RecurseSubdirectories = true,
            IgnoreInaccessible = true,
            AttributesToSkip = FileAttributes.Hidden | FileAttributes.System,
        };
        var files = new List<string>();
        foreach (var info in new DirectoryInfo(root).EnumerateFiles("*", options))
        {
            if (!SoundSignature.Extensions.Contains(info.Extension.ToLowerInvariant()) && !BeginsAsSound(info.FullName)) continue;
            files.Add(Path.GetRelativePath(root, info.FullName).Replace(Path.DirectorySeparatorChar, '/'));
        }
        files.Sort(StringComparer.Ordinal);
        return files;
    }

    static bool BeginsAsSound(string path)
    {
        try
        {
            return SoundSignature.Of(path) is not (null or SoundSignature.Empty or SoundSignature.Zeros or SoundSignature.Markup or SoundSignature.GitLfsPointer);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
