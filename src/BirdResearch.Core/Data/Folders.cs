namespace BirdResearch.Data;

/// <summary>Where things lie: in the checkout that the program runs in, or in the current folder when there is none.</summary>
public static class Folders
{
    const string Marker = "BirdResearch.sln";

    /// <summary>
    /// The nearest folder with <c>BirdResearch.sln</c>, looked for upward from the current folder and then from the program's own;
    /// the current folder where neither lies in a checkout.
    /// </summary>
    public static string Root =>
        Above(Directory.GetCurrentDirectory()) ?? Above(AppContext.BaseDirectory) ?? Directory.GetCurrentDirectory();

    /// <summary>Data sets by name, one folder each.</summary>
    public static string Data => Path.Combine(Root, "data");

    /// <summary>Finished runs: the folder that <c>BIRD_RESULTS</c> names, else <c>results</c> below the root.</summary>
    public static string Results => Environment.GetEnvironmentVariable("BIRD_RESULTS") is { Length: > 0 } folder ? Path.GetFullPath(folder) : Path.Combine(Root, "results");

    /// <summary>
    /// Real recordings: the folder that <c>BIRD_DATA</c> names, else <c>../shared/data</c> beside the root; null where neither is.
    /// </summary>
    public static string? Recordings => FromEnvironment("BIRD_DATA") ?? IfPresent(Path.Combine(Root, "..", "shared", "data"));

    /// <summary>
    /// Reference values: the folder that <c>BIRD_REFERENCE</c> names, else the oracles of the checkout's tests; null where neither
    /// is.
    /// </summary>
    public static string? Reference =>
        FromEnvironment("BIRD_REFERENCE") ?? IfPresent(Path.Combine(Root, "tests", "BirdResearch.Tests", "oracles"));

    /// <summary>The nearest folder at or above <paramref name="start"/> that holds <c>BirdResearch.sln</c>, or null.</summary>
    public static string? Above(string start)
    {
        for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, Marker))) return folder.FullName;
        return null;
    }

    static string? FromEnvironment(string variable)
    {
        var folder = Environment.GetEnvironmentVariable(variable);
        if (string.IsNullOrWhiteSpace(folder)) return null;
        return IfPresent(folder) ?? throw new DirectoryNotFoundException(
            $"{variable} is set to '{folder}', which is not a folder. Correct it or unset it.");
    }

    static string? IfPresent(string folder) => Directory.Exists(folder) ? Path.GetFullPath(folder) : null;
}
