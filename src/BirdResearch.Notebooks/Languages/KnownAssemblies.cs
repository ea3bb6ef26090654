using Microsoft.CodeAnalysis;

namespace BirdResearch.Notebooks.Languages;

/// <summary>What every cell may use without a reference: all that this process is made of, except for the engines themselves.</summary>
static class KnownAssemblies
{
    static readonly string[] Engines = ["Microsoft.CodeAnalysis", "FSharp.Compiler", "FSharp.DependencyManager", "NetMQ", "AsyncIO", "NaCl", "Humanizer"];

    static readonly Lazy<IReadOnlyList<string>> All = new(() =>
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Where(path => !Engines.Any(e => Path.GetFileName(path).StartsWith(e, StringComparison.Ordinal))),
    ]);

    static readonly Lazy<IReadOnlyList<MetadataReference>> Read = new(() => [.. Paths.Select(Metadata)]);

    static readonly Lazy<HashSet<string>> Simple = new(() =>
        ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(p => Path.GetFileNameWithoutExtension(p)!)
            .ToHashSet(StringComparer.OrdinalIgnoreCase));

    /// <summary>Their files.</summary>
    public static IReadOnlyList<string> Paths => All.Value;

    /// <summary>Their metadata, read once per process.</summary>
    public static IReadOnlyList<MetadataReference> References => Read.Value;

    /// <summary>Whether the process has an assembly of this simple name, which then goes before a package's.</summary>
    public static bool Has(string name) => Simple.Value.Contains(name);

    /// <summary>Metadata of one file, with its documentation where that lies beside it.</summary>
    public static MetadataReference Metadata(string path)
    {
        var documentation = Path.ChangeExtension(path, ".xml");
        return MetadataReference.CreateFromFile(path, documentation: File.Exists(documentation) ? XmlDocumentationProvider.CreateFromFile(documentation) : null);
    }
}
