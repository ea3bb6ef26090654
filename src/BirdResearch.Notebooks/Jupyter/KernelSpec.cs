using System.Runtime.InteropServices;
using System.Text.Json;

namespace BirdResearch.Notebooks.Jupyter;

/// <summary>What VS Code and Jupyter find a kernel by: a folder with <c>kernel.json</c> and two pictures.</summary>
public static class KernelSpec
{
    const string Prefix = "birdresearch-";

    static readonly JsonSerializerOptions Json = new(WireMessage.Json) { WriteIndented = true };

    /// <summary>A language's kernel, as notebooks name it.</summary>
    public static string NameOf(LanguageInfo language) => Prefix + language.Id;

    /// <summary>The user's own folder of kernels.</summary>
    public static string UserFolder => Path.Combine(DataFolder, "kernels");

    /// <summary>The folder of kernels below a prefix, such as that of a Python environment.</summary>
    public static string FolderBelow(string prefix) => Path.Combine(Path.GetFullPath(prefix), "share", "jupyter", "kernels");

    /// <summary>Every folder in which front-ends look for kernels, nearest first.</summary>
    public static IReadOnlyList<string> SearchPath
    {
        get
        {
            var named = (Environment.GetEnvironmentVariable("JUPYTER_PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
            string[] shared = OperatingSystem.IsWindows()
                ? [Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData), "jupyter")]
                : ["/usr/local/share/jupyter", "/usr/share/jupyter"];
            return [.. named.Append(DataFolder).Concat(shared).Select(f => Path.Combine(f, "kernels"))];
        }
    }

    /// <summary>Program and first arguments that start this program again, from absolute paths: a front-end hides a kernel whose program it does not find.</summary>
    public static IReadOnlyList<string> OwnCommand
    {
        get
        {
            var host = Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet");
            var program = Path.Combine(AppContext.BaseDirectory, "bird.dll");
            return File.Exists(host) && File.Exists(program) ? [Path.GetFullPath(host), program] : [Environment.ProcessPath!];
        }
    }

    /// <summary>Writes the kernels of both languages, over what an earlier installation wrote, and says into which folders.</summary>
    /// <param name="folder">A folder of kernels.</param>
    /// <param name="command">Program and first arguments.</param>
    /// <param name="environment">Variables that the kernel gets.</param>
    public static IReadOnlyList<string> Write(string folder, IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment)
    {
        var written = new List<string>();
        foreach (var language in LanguageInfo.All)
        {
            var place = Directory.CreateDirectory(Path.Combine(folder, NameOf(language))).FullName;
            foreach (var size in new[] { 32, 64 })
            {
                using var picture = typeof(KernelSpec).Assembly.GetManifestResourceStream($"{language.Id}-{size}.png")!;
                using var file = File.Create(Path.Combine(place, $"logo-{size}x{size}.png"));
                picture.CopyTo(file);
            }
            var spec = new
            {
                Argv = command.Concat(["kernel", "start", "--language", language.Id, "{connection_file}"]),
                DisplayName = $"{language.Name} (BirdResearch)",
                Language = language.Name,
                InterruptMode = "message",
                Env = environment,
                Metadata = new { Debugger = false },
            };
            File.WriteAllText(Path.Combine(place, "kernel.json"), JsonSerializer.Serialize(spec, Json) + "\n");
            written.Add(place);
        }
        return written;
    }

    /// <summary>Removes both kernels from a folder of kernels and says which folders are gone.</summary>
    public static IReadOnlyList<string> Remove(string folder)
    {
        var removed = new List<string>();
        foreach (var language in LanguageInfo.All)
        {
            var place = Path.Combine(folder, NameOf(language));
            if (!File.Exists(Path.Combine(place, "kernel.json"))) continue;
            Directory.Delete(place, recursive: true);
            removed.Add(place);
        }
        return removed;
    }

    /// <summary>Every installation of our kernels that a front-end can find, with the first file of its command that is missing, or null.</summary>
    public static IReadOnlyList<(string Name, string Folder, string? Missing)> Installed(IEnumerable<string> folders) =>
        [.. from folder in folders.Distinct()
            from language in LanguageInfo.All
            let place = Path.Combine(folder, NameOf(language))
            where File.Exists(Path.Combine(place, "kernel.json"))
            select (NameOf(language), place, Missing(Path.Combine(place, "kernel.json")))];

    static string? Missing(string file)
    {
        try
        {
            var command = JsonSerializer.Deserialize<JsonElement>(File.ReadAllBytes(file)).GetProperty("argv").EnumerateArray().Select(a => a.GetString()!);
            return command.TakeWhile(a => a != "kernel").FirstOrDefault(a => !File.Exists(a));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return file;
        }
    }

    static string DataFolder
    {
        get
        {
            if (Environment.GetEnvironmentVariable("JUPYTER_DATA_DIR") is { Length: > 0 } named) return Path.GetFullPath(named);
            var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            if (OperatingSystem.IsWindows()) return Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData), "jupyter");
            if (OperatingSystem.IsMacOS()) return Path.Combine(home, "Library", "Jupyter");
            var data = Environment.GetEnvironmentVariable("XDG_DATA_HOME") is { Length: > 0 } given ? given : Path.Combine(home, ".local", "share");
            return Path.Combine(data, "jupyter");
        }
    }
}
