using System.Globalization;
using System.Text.RegularExpressions;

namespace BirdResearch.Cli.Slurm;

/// <summary>What a cluster is asked for, for each task of an array.</summary>
public sealed partial record SlurmSettings
{
    /// <summary>Partition; null takes the cluster's default.</summary>
    public string? Partition { get; init; }

    /// <summary>Account that is charged; null takes the user's default.</summary>
    public string? Account { get; init; }

    /// <summary>Time limit as Slurm writes it: minutes, or [days-]hours:minutes:seconds. A run that needs longer goes on in the next sitting.</summary>
    public string Time { get; init; } = "04:00:00";

    /// <summary>Memory as Slurm writes it, such as <c>8G</c>.</summary>
    public string Memory { get; init; } = "8G";

    /// <summary>Cores, and threads of torch.</summary>
    public int Cpus { get; init; } = 4;

    /// <summary>Tasks that may run at once; 0 leaves it to the cluster.</summary>
    public int ArrayLimit { get; init; }

    /// <summary>Runs that each task trains, one after another.</summary>
    public int RunsPerTask { get; init; } = 1;

    /// <summary>Seconds before the time limit at which a task is told to stop after its step.</summary>
    public int StopSeconds { get; init; } = 120;

    /// <summary>Lines of shell before the work, such as <c>module load dotnet</c>.</summary>
    public IReadOnlyList<string> Setup { get; init; } = [];

    /// <summary>Further options of sbatch, such as <c>--constraint=avx512</c>.</summary>
    public IReadOnlyList<string> Options { get; init; } = [];

    /// <summary>Throws an error that names a setting out of its range.</summary>
    public void Check()
    {
        if (!TimeForm().IsMatch(Time))
            throw new ArgumentException($"--time is '{Time}'; write it as Slurm does: 90 (minutes), 04:00:00 or 1-12:00:00.");
        if (!MemoryForm().IsMatch(Memory)) throw new ArgumentException($"--memory is '{Memory}'; write it as Slurm does, such as 8G or 8000M.");
        InRange("--cpus", Cpus, 1, 1024);
        InRange("--array-limit", ArrayLimit, 0, 100_000);
        InRange("--runs-per-task", RunsPerTask, 1, 100_000);
        InRange("stop_seconds", StopSeconds, 1, 65_535);
        foreach (var line in (string?[])[Partition, Account, .. Setup, .. Options])
            if (line is not null && line.Any(char.IsControl)) throw new ArgumentException($"'{line}' must be one line.");
    }

    static void InRange(string name, int value, int least, int most)
    {
        if (value < least || value > most)
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{name} is {value}; it must be between {least} and {most}."));
    }

    [GeneratedRegex(@"^(\d+|\d+:\d{2}|\d+:\d{2}:\d{2}|\d+-\d+(:\d{2}(:\d{2})?)?)$")]
    private static partial Regex TimeForm();

    [GeneratedRegex(@"^\d+[KMGTkmgt]?$")]
    private static partial Regex MemoryForm();
}
