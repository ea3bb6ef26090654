namespace BirdResearch.Notebooks.Languages;

/// <summary>What cells can name without opening it.</summary>
static class OpenedNamespaces
{
    static readonly string[] Shared =
    [
        "System", "System.Linq", "System.Collections.Generic", "System.IO",
        "BirdResearch.Data", "BirdResearch.Audio", "BirdResearch.Features", "BirdResearch.Models", "BirdResearch.Training", "BirdResearch.Experiments",
        "BirdResearch.Metrics", "BirdResearch.Inference", "BirdResearch.Analysis", "BirdResearch.Notebooks.Display",
        "TorchSharp", "Plotly.NET", "Deedle",
    ];

    /// <summary>Namespaces of C# cells.</summary>
    public static IReadOnlyList<string> CSharp { get; } = [.. Shared, "System.Threading", "System.Threading.Tasks"];

    /// <summary>Namespaces of F# cells.</summary>
    public static IReadOnlyList<string> FSharp { get; } = Shared;
}
