using Microsoft.CodeAnalysis;

namespace BirdResearch.Notebooks.Languages;

/// <summary>What every cell may use without a reference: all that this process is made of, except for the engines themselves.</summary>
static class KnownAssemblies
{
    static readonly string[] Engines = ["Microsoft.CodeAnalysis", "FSharp.Compiler", "FSharp.DependencyManager", "NetMQ", "AsyncIO", "NaCl"];

    static readonly Lazy<IReadOnlyList<string>> All = new(() =>
    [
        .. Trusted().Where(path => !Engines.Any(e => Path.GetFileName(path).StartsWith(e, StringComparison.Ordinal))),
    ]);

    static readonly Lazy<IReadOnlyList<MetadataReference>> Read = new(() => [.. Paths.Select(Metadata)]);

    static readonly Lazy<Dictionary<string, string>> ByName = new(() =>
        Trusted().GroupBy(p => Path.GetFileNameWithoutExtension(p), StringComparer.OrdinalIgnoreCase).ToDictionary(g => g.Key, g => g.First(), StringComparer.OrdinalIgnoreCase));

    /// <summary>Their files.</summary>
    public static IReadOnlyList<string> Paths => All.Value;

    /// <summary>Their metadata, read once per process.</summary>
    public static IReadOnlyList<MetadataReference> References => Read.Value;

    /// <summary>The process's own assembly of this simple name, which goes before a package's; null where it has none.</summary>
    public static string? Own(string name) => ByName.Value.GetValueOrDefault(name);

    /// <summary>Metadata of one file, with its documentation where that lies beside it.</summary>
    public static MetadataReference Metadata(string path)
    {
        var documentation = Path.ChangeExtension(path, ".xml");
        return MetadataReference.CreateFromFile(path, documentation: File.Exists(documentation) ? XmlDocumentationProvider.CreateFromFile(documentation) : null);
    }

    static string[] Trusted() => ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
}
