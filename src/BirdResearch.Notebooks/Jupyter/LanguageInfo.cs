using System.Reflection;

namespace BirdResearch.Notebooks.Jupyter;

/// <summary>What front-ends are told of a language.</summary>
/// <param name="Id"><c>csharp</c> or <c>fsharp</c>: the session's name for it, and that of its highlighters.</param>
/// <param name="Name">As people write it, and as Jupyter and VS Code know it.</param>
/// <param name="Extension">Of a file with code of it.</param>
/// <param name="Version">Of the language.</param>
public sealed record LanguageInfo(string Id, string Name, string Extension, string Version)
{
    /// <summary>The languages of a notebook.</summary>
    public static IReadOnlyList<LanguageInfo> All { get; } = [new("csharp", "C#", ".csx", "14.0"), new("fsharp", "F#", ".fsx", "10.0")];

    /// <summary>The language of a name in any of its spellings, or null.</summary>
    public static LanguageInfo? Find(string? name) =>
        All.FirstOrDefault(l => string.Equals(name, l.Id, StringComparison.OrdinalIgnoreCase) || string.Equals(name, l.Name, StringComparison.OrdinalIgnoreCase));

    /// <summary>The content of a <c>kernel_info_reply</c>.</summary>
    public object Answer()
    {
        var version = typeof(LanguageInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";
        return new
        {
            Status = "ok",
            ProtocolVersion = WireMessage.Version,
            Implementation = "birdresearch",
            ImplementationVersion = version,
            LanguageInfo = new
            {
                Name,
                Version,
                Mimetype = $"text/x-{Id}",
                FileExtension = Extension,
                PygmentsLexer = Id,
                CodemirrorMode = $"text/x-{Id}",
                NbconvertExporter = "script",
            },
            Banner = $"BirdResearch {version}: C# and F# on .NET {Environment.Version}. Cells are {Name}; #!csharp and #!fsharp change the language of one.",
            HelpLinks = new[]
            {
                new { Text = "C# language", Url = "https://learn.microsoft.com/dotnet/csharp/" },
                new { Text = "F# language", Url = "https://learn.microsoft.com/dotnet/fsharp/" },
                new { Text = "Plotly.NET", Url = "https://plotly.net/" },
                new { Text = "Deedle", Url = "https://fslab.org/Deedle/" },
            },
            Debugger = false,
        };
    }
}
