using System.Collections.Concurrent;
using System.Security.Cryptography;
using BirdResearch.Models;

namespace BirdResearch.Experiments;

/// <summary>The weights that a trial starts from: a file, or the folder of a run or pretraining that holds one.</summary>
static class PretrainedWeights
{
    static readonly ConcurrentDictionary<(string Path, long Length, DateTime Written), string> Digests = [];

    /// <summary>The file itself, or that of a folder; one that is missing is an error that names it.</summary>
    public static string FileOf(string fileOrFolder)
    {
        var file = Directory.Exists(fileOrFolder) ? Path.Combine(fileOrFolder, "weights.safetensors") : fileOrFolder;
        return File.Exists(file)
            ? file
            : throw new FileNotFoundException(
                $"There is no weight file '{file}' to start from. training.pretrained (or --pretrained) takes a .safetensors or .pth file, or the folder of a run that holds one.", file);
    }

    /// <summary>Digest of the file's content, hexadecimal: what tells two trainings apart, wherever the file lies and whatever it is called.</summary>
    public static string DigestOf(string fileOrFolder)
    {
        var file = new FileInfo(FileOf(fileOrFolder));
        return Digests.GetOrAdd((file.FullName, file.Length, file.LastWriteTimeUtc), key =>
        {
            using var stream = File.OpenRead(key.Path);
            return Convert.ToHexStringLower(SHA256.HashData(stream));
        });
    }

    /// <summary>Loads them into a model, adapted to its channels and classes.</summary>
    public static (LoadReport Report, PretrainedFacts Facts) Load(Classifier model, string fileOrFolder)
    {
        var path = FileOf(fileOrFolder);
        using var file = WeightFile.Open(path);
        var report = Weights.Load(model, file, WeightFit.Adapt);
        return (report, new PretrainedFacts(
            Path.GetFileName(path), DigestOf(path), file.Format, report.Loaded.Count, report.Adapted, report.Missing, report.Unexpected));
    }
}
