namespace BirdResearch.Data;

/// <summary>Paths that come from a file somebody else wrote, kept inside the folder they belong to.</summary>
public static class SafePath
{
    static readonly HashSet<string> _devices = new(
        ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", .. "0123456789¹²³".SelectMany(port => new[] { "COM" + port, "LPT" + port })],
        StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// The absolute path of <paramref name="relative"/> below <paramref name="root"/>. Either slash separates. Absolute paths,
    /// <c>..</c>, drive letters, device names and links that lead out of the root are an <see cref="InvalidDataException"/>;
    /// the file itself need not exist.
    /// </summary>
    public static string Inside(string root, string relative)
    {
        var parts = Parts(relative);
        var path = Path.GetFullPath(root);
        foreach (var part in parts)
        {
            path = Path.Combine(path, part);
            if (LeadsOut(path, root)) throw Refused(relative, $"'{part}' is a link that leads out of {root}");
        }
        return path;
    }

    /// <summary>
    /// The path in its plain form, with forward slashes and without <c>.</c> parts; refused as by <see cref="Inside"/>, by its text
    /// alone.
    /// </summary>
    public static string Plain(string relative) => string.Join('/', Parts(relative));

    static List<string> Parts(string relative)
    {
        if (string.IsNullOrWhiteSpace(relative)) throw Refused(relative, "it is empty");
        if (relative[0] is '/' or '\\') throw Refused(relative, "it is absolute");
        var parts = new List<string>();
        foreach (var part in relative.Split('/', '\\'))
        {
            if (part == ".") continue;
            if (part.Length == 0) throw Refused(relative, "it has an empty part");
            if (part == "..") throw Refused(relative, "it climbs out with '..'");
            if (part.Contains(':')) throw Refused(relative, "it has a drive letter or a ':'");
            if (part.Any(char.IsControl)) throw Refused(relative, "it has a control character");
            // Windows drops both when it opens a file, so that '.. ' would climb.
            if (part[^1] is '.' or ' ') throw Refused(relative, $"'{part}' ends in a dot or a space");
            if (_devices.Contains(part.Split('.')[0].TrimEnd())) throw Refused(relative, $"'{part}' names a device");
            parts.Add(part);
        }
        return parts.Count > 0 ? parts : throw Refused(relative, "it names no file");
    }

    static bool LeadsOut(string path, string root)
    {
        var file = new FileInfo(path);
        if ((int)file.Attributes == -1 || !file.Attributes.HasFlag(FileAttributes.ReparsePoint)) return false;
        var target = file.ResolveLinkTarget(returnFinalTarget: true);
        return target is null || !IsBelow(target.FullName, Path.GetFullPath(root)) && !IsBelow(target.FullName, Real(root));
    }

    static string Real(string root) =>
        new DirectoryInfo(root).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? Path.GetFullPath(root);

    static bool IsBelow(string path, string root) =>
        path.StartsWith(Path.TrimEndingDirectorySeparator(root) + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    static InvalidDataException Refused(string relative, string why) =>
        new($"The path '{Shown(relative)}' is refused: {why}. Paths in a data set are relative and stay inside its folder.");

    static string Shown(string text) =>
        string.Concat(text.Take(120).Select(c => char.IsControl(c) ? '?' : c)) + (text.Length > 120 ? "..." : "");
}
