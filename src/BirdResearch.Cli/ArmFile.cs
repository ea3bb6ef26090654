using System.Reflection;
using System.Security.Cryptography;
using BirdResearch.Experiments;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace BirdResearch.Cli;

/// <summary>
/// A C# file that adds arms: compiled when it is named, against everything that this program is made of. A digest of its text becomes a part of the
/// arm's settings, so that a changed file is another run.
/// </summary>
public sealed class ArmFile
{
    const string Usings = "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq;";

    ArmFile(string path, string digest, IReadOnlyList<IArm> arms) => (Path, Digest, Arms) = (path, digest, arms);

    /// <summary>Where it lies.</summary>
    public string Path { get; }

    /// <summary>File name and the first digits of the SHA-256 of its text.</summary>
    public string Digest { get; }

    /// <summary>Its classes that are arms, registered, in the order of their names.</summary>
    public IReadOnlyList<IArm> Arms { get; }

    /// <summary>Compiles and registers. What does not compile, or holds no arm, is an error that names file and line.</summary>
    public static ArmFile Load(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no file '{path}' to take an arm from.", path);
        var text = File.ReadAllText(path);
        var digest = $"{System.IO.Path.GetFileName(path)} {Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)))[..10]}";
        var types = Compile(path, text).GetTypes().Where(t => typeof(IArm).IsAssignableFrom(t) && t is { IsClass: true, IsAbstract: false }).ToList();
        if (types.Count == 0) throw new InvalidDataException($"'{path}' holds no arm: a public class that implements IArm was expected.");
        var arms = types.OrderBy(t => t.Name, StringComparer.Ordinal).Select(type => Make(path, type)).ToList();
        foreach (var arm in arms) arm.Register();
        return new ArmFile(path, digest, arms);
    }

    /// <summary>The ablation with these arms at the end of its cells.</summary>
    public Ablation AddTo(Ablation ablation)
    {
        var cells = ablation.Trials.DistinctBy(t => t.Model).ToList();
        return ablation with
        {
            Trials =
            [
                .. ablation.Trials,
                .. from arm in Arms
                   from cell in arm.OnEveryModel ? cells : cells.Take(1)
                   select arm.On(cell) with { Label = arm.Label, Code = Digest },
            ],
        };
    }

    static IArm Make(string path, Type type)
    {
        try
        {
            return (IArm)Activator.CreateInstance(type)!;
        }
        catch (Exception e) when (e is MissingMethodException or TargetInvocationException)
        {
            throw new InvalidDataException($"'{path}': {type.Name} cannot be made: {(e.InnerException ?? e).Message}", e);
        }
    }

    static Assembly Compile(string path, string text)
    {
        var options = CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.Latest);
        var known = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(System.IO.Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        var compilation = CSharpCompilation.Create(
            $"arm-{System.IO.Path.GetFileNameWithoutExtension(path)}-{Guid.NewGuid():N}",
            [CSharpSyntaxTree.ParseText(Usings, options), CSharpSyntaxTree.ParseText(text, options, path)],
            known.Select(file => MetadataReference.CreateFromFile(file)),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release, nullableContextOptions: NullableContextOptions.Enable));
        using var image = new MemoryStream();
        var result = compilation.Emit(image);
        if (result.Success) return Assembly.Load(image.ToArray());
        var errors = result.Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error).Take(5).Select(d =>
            $"\n  line {d.Location.GetLineSpan().StartLinePosition.Line + 1}: {d.GetMessage(System.Globalization.CultureInfo.InvariantCulture)}");
        throw new InvalidDataException($"'{path}' does not compile:{string.Concat(errors)}");
    }
}
