using System.CommandLine;
using BirdResearch.Audio;

namespace BirdResearch.Cli;

/// <summary>How a verb is called, how it ends, and what its exit code says.</summary>
public static class Verb
{
    /// <summary>Exit code of a verb that was asked for something impossible or failed.</summary>
    public const int Failed = 1;

    /// <summary>Exit code after Ctrl-C, as shells expect it.</summary>
    public const int Interrupted = 130;

    /// <summary>Parses and runs; errors become one message on standard error and an exit code.</summary>
    public static async Task<int> Invoke(RootCommand root, string[] args)
    {
        var parsed = root.Parse(args);
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (OperationCanceledException)
        {
            Screen.Warn("Stopped. What was finished is kept; the same command goes on from there.");
            return Interrupted;
        }
        catch (Exception e) when (IsUsers(e))
        {
            Screen.Error(e.Message);
            return Failed;
        }
        catch (Exception e)
        {
            Screen.Error($"This is a fault of bird, not of your input: {e.Message}");
            Console.Error.WriteLine(e);
            return Failed;
        }
    }

    /// <summary>Whether the message alone tells the reader what to do.</summary>
    static bool IsUsers(Exception e) =>
        e is AudioFileException or IOException or InvalidDataException or UnauthorizedAccessException or InvalidOperationException
            || (e is ArgumentException and not ArgumentNullException);

    /// <summary>Makes the verb's action: Ctrl-C and SIGTERM cancel it between two steps.</summary>
    public static Command Does(this Command command, Func<ParseResult, CancellationToken, int> action)
    {
        command.SetAction((ParseResult parsed, CancellationToken ignored) => Task.Run(() =>
        {
            using var stop = new StopSignal();
            return action(parsed, stop.Token);
        }, CancellationToken.None));
        return command;
    }

    /// <summary>Leaves a command out of the help.</summary>
    public static Command Hide(this Command command)
    {
        command.Hidden = true;
        return command;
    }

    /// <summary>The command that this process was called with, to be told to a reader; of places on this machine only the last part.</summary>
    public static string Asked =>
        string.Join(' ', Environment.GetCommandLineArgs().Skip(1).Select(a => Path.IsPathRooted(a) ? Path.GetFileName(a) : a).Select(a => a.Contains(' ') ? $"'{a}'" : a).Prepend("bird"));

    /// <summary>Splits <c>a,b c</c> into its items.</summary>
    public static IReadOnlyList<string> Items(string? text) =>
        text is null ? [] : text.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
