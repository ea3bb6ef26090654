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

    /// <summary>The class of functions that both languages call without its name: <c>display</c>, <c>html</c>, <c>picture</c> ...</summary>
    public const string Functions = "BirdResearch.Notebooks.Display.Show";

    /// <summary>Namespaces of C# cells, and the class of functions, which Roslyn takes in the same list.</summary>
    public static IReadOnlyList<string> CSharp { get; } = [.. Shared, "System.Threading", "System.Threading.Tasks", Functions];

    /// <summary>Namespaces of F# cells.</summary>
    public static IReadOnlyList<string> FSharp { get; } = Shared;
}
