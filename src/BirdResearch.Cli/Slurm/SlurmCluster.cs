using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace BirdResearch.Cli.Slurm;

/// <summary>The cluster, through Slurm's own programs.</summary>
static class SlurmCluster
{
    /// <summary>Submits a script and returns the number of the job.</summary>
    public static string Submit(string script) => Run("sbatch", ["--parsable"], script).Trim().Split(';')[0];

    /// <summary>Tasks of this user that wait, run or end, of jobs whose name begins so.</summary>
    public static IReadOnlyList<SlurmTask> Tasks(string nameStart) =>
    [
        .. Run("squeue", ["--noheader", "--array", "--user", Environment.UserName, "--format", "%i|%j|%K|%T|%R"])
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split('|'))
            .Where(cells => cells.Length == 5 && cells[1].StartsWith(nameStart, StringComparison.Ordinal))
            .Select(cells => new SlurmTask(cells[0], cells[1], int.TryParse(cells[2], CultureInfo.InvariantCulture, out var index) ? index : 0, cells[3], cells[4])),
    ];

    /// <summary>Ends jobs.</summary>
    public static void Cancel(IEnumerable<string> jobs) => Run("scancel", [.. jobs]);

    static string Run(string program, IEnumerable<string> arguments, string input = "")
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            var error = process.StandardError.ReadToEndAsync();
            process.StandardInput.Write(input);
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0
                ? output
                : throw new InvalidOperationException($"{program} failed with code {process.ExitCode}: {error.Result.Trim()}");
        }
        catch (Win32Exception)
        {
            throw new InvalidOperationException(
                $"There is no '{program}' on this machine. Call --executor slurm where jobs are submitted, such as a cluster's login node; " +
                "--dry-run prints the script without it, and --workers N trains side by side on this machine.");
        }
    }
}
