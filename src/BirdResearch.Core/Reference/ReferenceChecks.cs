using System.Text.Json;
using static TorchSharp.torch;

namespace BirdResearch.Reference;

/// <summary>Checks every reference file below a folder with the kind that knows it.</summary>
public static class ReferenceChecks
{
    /// <summary>The kinds of files that can be judged; the first that knows a file does.</summary>
    public static IReadOnlyList<IReferenceKind> Kinds { get; } =
    [
        new TimmReference(),
        new AudioReference(),
        new MetricsReference(),
        new ScanReference(),
        new MambaReference(),
        new S4Reference(),
        new S4StartReference(),
        new SsambaReference(),
        new OperationsReference(),
    ];

    /// <summary>
    /// The result of every <c>.json</c> file below <paramref name="folder"/>, in ordinal order of their paths, each as it is done. A file that
    /// cannot be read or is of no known kind is a failure, not an exception.
    /// </summary>
    public static IEnumerable<ReferenceFileResult> CheckFolder(string folder)
    {
        if (!Directory.Exists(folder)) throw new DirectoryNotFoundException($"There is no folder '{folder}' with reference files.");
        var files = Directory.EnumerateFiles(folder, "*.json", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(folder, file).Replace(Path.DirectorySeparatorChar, '/'))
            .Order(StringComparer.Ordinal)
            .ToList();
        return files.Select(file => CheckFile(folder, file));
    }

    /// <summary>The result of one file, given by its path below <paramref name="folder"/>.</summary>
    public static ReferenceFileResult CheckFile(string folder, string file)
    {
        var (kind, findings) = ("unknown", new List<ReferenceFinding>());
        // In float64 a depthwise convolution is thousands of tiny calls; on a busy machine a team of threads waits at every one of them.
        var threads = get_num_threads();
        set_num_threads(1);
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, file)));
            var root = document.RootElement;
            var judge = root.ValueKind == JsonValueKind.Object ? Kinds.FirstOrDefault(k => k.Knows(Path.GetFileName(file), root)) : null;
            if (judge is null) return new(file, kind, findings, $"no kind knows it (there are: {string.Join(", ", Kinds.Select(k => k.Name))})");
            kind = judge.Name;
            findings.AddRange(judge.Check(root));
            return new(file, kind, findings);
        }
        catch (Exception e) // whatever a damaged file provokes belongs in its line, so that the other files are still checked
        {
            return new(file, kind, findings, $"{e.GetType().Name}: {e.Message}".ReplaceLineEndings(" "));
        }
        finally
        {
            set_num_threads(threads);
        }
    }
}
