using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;

namespace BirdResearch.Notebooks.Languages;

/// <summary>
/// <c>#r "nuget: ..."</c>: a generated project is restored by <c>dotnet restore</c>, so that the user's nuget.config counts, and its assets file says what
/// to load. What this process brings itself goes before a package's.
/// </summary>
sealed class NuGetPackages
{
    static readonly Dictionary<string, string> Natives = new(StringComparer.OrdinalIgnoreCase);
    static int _listening;

    readonly SortedDictionary<string, string> _wanted = new(StringComparer.OrdinalIgnoreCase);
    readonly SortedSet<string> _sources = [];

    /// <summary>Looks for packages there too.</summary>
    public void AddSource(string source) => _sources.Add(source);

    /// <summary>Adds a package, written as <c>Name</c> or <c>Name, Version</c>, and returns the assemblies to reference.</summary>
    /// <exception cref="InvalidOperationException">It cannot be had; the message says why.</exception>
    public IReadOnlyList<string> Add(string package, CancellationToken cancellation)
    {
        var parts = package.Split(',', StringSplitOptions.TrimEntries);
        if (parts is not ([{ Length: > 0 }] or [{ Length: > 0 }, { Length: > 0 }])) throw new ArgumentException($"'{package.Trim()}' is no package: write 'nuget: Name' or 'nuget: Name, 1.2.3'.");
        var wanted = new SortedDictionary<string, string>(_wanted, _wanted.Comparer) { [parts[0]] = parts.Length > 1 ? parts[1] : "*" };
        var folder = Restored(wanted, package.Trim(), cancellation);
        _wanted[parts[0]] = wanted[parts[0]];
        return Assets(Path.Combine(folder, "obj", "project.assets.json"));
    }

    string Restored(SortedDictionary<string, string> wanted, string package, CancellationToken cancellation)
    {
        var project = Project(wanted).ToString();
        var folder = Path.Combine(Path.GetTempPath(), $"bird-packages-{Environment.UserName}", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(project + Environment.CurrentDirectory)))[..16]);
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, "packages.csproj");
        if (!File.Exists(file)) File.WriteAllText(file, project);
        // Settings of the folders above the notebook must not apply, but its nuget.config must.
        foreach (var name in new[] { "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props" }) File.WriteAllText(Path.Combine(folder, name), "<Project/>");
        if (File.Exists(Path.Combine(folder, "obj", "project.assets.json")) && File.Exists(Path.Combine(folder, "restored"))) return folder;
        Restore(file, package, cancellation);
        File.WriteAllText(Path.Combine(folder, "restored"), "");
        return folder;
    }

    XElement Project(SortedDictionary<string, string> wanted) =>
        new("Project", new XAttribute("Sdk", "Microsoft.NET.Sdk"),
            new XElement("PropertyGroup",
                new XElement("TargetFramework", $"net{Environment.Version.Major}.0"),
                new XElement("RuntimeIdentifier", RuntimeInformation.RuntimeIdentifier),
                new XElement("SelfContained", "false"),
                new XElement("NuGetAudit", "false"),
                _sources.Count > 0 ? new XElement("RestoreAdditionalProjectSources", string.Join(';', _sources)) : null),
            new XElement("ItemGroup", wanted.Select(w => new XElement("PackageReference", new XAttribute("Include", w.Key), new XAttribute("Version", w.Value)))));

    static void Restore(string project, string package, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList = { "restore", project, "--nologo", "-v", "q" },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Environment.CurrentDirectory,
        };
        if (NearestConfig() is { } config) foreach (var argument in new[] { "--configfile", config }) start.ArgumentList.Add(argument);
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new InvalidOperationException($"Packages need the .NET SDK, and 'dotnet' cannot be started: {e.Message}", e);
        }
        using (process)
        {
            using var kill = cancellation.Register(() => process.Kill(entireProcessTree: true));
            var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
            var said = process.StandardOutput.ReadToEnd() + errors.GetAwaiter().GetResult();
            process.WaitForExit();
            cancellation.ThrowIfCancellationRequested();
            if (process.ExitCode != 0) throw new InvalidOperationException(Explained(package, said));
        }
    }

    // The notebook's folder and those above it; the generated project lies elsewhere.
    static string? NearestConfig()
    {
        for (var folder = new DirectoryInfo(Environment.CurrentDirectory); folder is not null; folder = folder.Parent)
            foreach (var name in new[] { "nuget.config", "NuGet.config", "NuGet.Config" })
                if (File.Exists(Path.Combine(folder.FullName, name))) return Path.Combine(folder.FullName, name);
        return null;
    }

    static string Explained(string package, string said)
    {
        var errors = said.Split('\n').Where(l => l.Contains("error", StringComparison.Ordinal)).Select(l => l[l.IndexOf("error", StringComparison.Ordinal)..].Split(" [")[0].Trim()).Distinct().ToList();
        var first = errors.FirstOrDefault() ?? said.Trim();
        if (first.Contains("NU1101", StringComparison.Ordinal)) return $"There is no package of the name in '{package}' in any of your sources. {first}";
        if (first.Contains("NU1102", StringComparison.Ordinal)) return $"There is no such version of '{package}'. {first}";
        if (first.Contains("NU1301", StringComparison.Ordinal)) return $"'{package}' could not be fetched, because a package source does not answer. Are you online? {first}";
        return $"'{package}' could not be restored. {first}";
    }

    static List<string> Assets(string file)
    {
        using var assets = JsonDocument.Parse(File.ReadAllText(file));
        var root = assets.RootElement;
        var folders = root.GetProperty("packageFolders").EnumerateObject().Select(p => p.Name).ToList();
        var target = root.GetProperty("targets").EnumerateObject().OrderByDescending(t => t.Name.Contains('/')).First().Value;
        var found = new List<string>();
        foreach (var library in target.EnumerateObject())
        {
            if (!root.GetProperty("libraries").GetProperty(library.Name).TryGetProperty("path", out var path)) continue;
            foreach (var asset in Files(library.Value, "runtime"))
                if ((KnownAssemblies.Own(Path.GetFileNameWithoutExtension(asset)) ?? On(folders, path.GetString()!, asset)) is { } assembly) found.Add(assembly);
            foreach (var asset in Files(library.Value, "native"))
                if (On(folders, path.GetString()!, asset) is { } native) Natives[Path.GetFileName(native)] = native;
        }
        if (Natives.Count > 0 && Interlocked.Exchange(ref _listening, 1) == 0) AssemblyLoadContext.Default.ResolvingUnmanagedDll += Native;
        return [.. found.Except(KnownAssemblies.Paths)];
    }

    static IEnumerable<string> Files(JsonElement library, string kind) =>
        library.TryGetProperty(kind, out var files) ? files.EnumerateObject().Select(f => f.Name).Where(f => !f.EndsWith("_._", StringComparison.Ordinal)) : [];

    static string? On(List<string> folders, string package, string asset) =>
        folders.Select(f => Path.Combine(f, package, asset)).FirstOrDefault(File.Exists);

    static IntPtr Native(Assembly assembly, string name)
    {
        foreach (var candidate in new[] { name, $"{name}.so", $"lib{name}.so", $"{name}.dll", $"{name}.dylib", $"lib{name}.dylib" })
            if (Natives.TryGetValue(candidate, out var path) && NativeLibrary.TryLoad(path, out var handle)) return handle;
        return IntPtr.Zero;
    }
}
