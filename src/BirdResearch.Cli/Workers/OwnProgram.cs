using System.Diagnostics;

namespace BirdResearch.Cli.Workers;

/// <summary>How this program is started once more.</summary>
static class OwnProgram
{
    /// <summary>Program and first arguments.</summary>
    public static IReadOnlyList<string> Command =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "bird"
            ? [Environment.ProcessPath!]
            : [Dotnet, Path.Combine(AppContext.BaseDirectory, "bird.dll")];

    static string Dotnet => Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath! : "dotnet";

    /// <summary>A start of it, with all three streams in our hands.</summary>
    public static ProcessStartInfo Start(IEnumerable<string> arguments) => new(Command[0], [.. Command.Skip(1), .. arguments])
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    };
}
