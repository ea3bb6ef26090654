namespace BirdResearch.Files;

/// <summary>Files that readers find as they were or whole, whenever the writer is ended and however many write at once, on one machine or on several that share the folder.</summary>
public static class WholeFile
{
    /// <summary>Ending of a file that is being written. One that a killed writer left may be deleted.</summary>
    public const string Unfinished = ".partial";

    /// <summary>Writes beside <paramref name="path"/>, under a name of this call's own, and renames. The folder is made where it is missing.</summary>
    /// <param name="path">Where to; an existing file is replaced. A link and a device, such as <c>/dev/stdout</c>, are written through.</param>
    /// <param name="write">Writes the file whose path it is given. Where it throws, nothing is left.</param>
    public static void Write(string path, Action<string> write)
    {
        if (new FileInfo(path).LinkTarget is not null || Path.GetFullPath(path).StartsWith("/dev/", StringComparison.Ordinal))
        {
            write(path);
            return;
        }
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder) Directory.CreateDirectory(folder);
        var beside = $"{path}.{Guid.NewGuid():N}{Unfinished}";
        try
        {
            write(beside);
            File.Move(beside, path, overwrite: true);
        }
        catch
        {
            File.Delete(beside);
            throw;
        }
    }

    /// <summary>The same with text, in UTF-8.</summary>
    public static void Write(string path, string text) => Write(path, beside => File.WriteAllText(beside, text));
}
