using System.Text.Json;
using BirdResearch.Experiments;

namespace BirdResearch.Cli.Slurm;

/// <summary>Settings of a cluster in a file, so that they need not be typed.</summary>
static class SlurmProfile
{
    /// <summary>Read from the results folder where no other is named.</summary>
    public const string FileName = "slurm.json";

    /// <summary>The settings of the profile that is named, else of <c>slurm.json</c> among the results, else the defaults.</summary>
    public static SlurmSettings Read(string? named, string results)
    {
        var file = named ?? Path.Combine(results, FileName);
        if (!File.Exists(file))
            return named is null ? new SlurmSettings() : throw new FileNotFoundException($"There is no profile '{named}'.", named);
        try
        {
            return JsonSerializer.Deserialize<SlurmSettings>(File.ReadAllText(file), RunStore.Json) ?? throw new JsonException("the file holds null");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"'{file}' is not a profile: {e.Message} It holds settings such as {{ \"partition\": \"cpu\", \"time\": \"02:00:00\", \"memory\": \"8G\", \"cpus\": 4 }}.", e);
        }
    }
}
