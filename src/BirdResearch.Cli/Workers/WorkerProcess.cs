using System.Diagnostics;

namespace BirdResearch.Cli.Workers;

/// <summary>One worker of a crew: a process that is told to stop, between two steps, by the end of its standard input. It stops, too, when we die.</summary>
sealed class WorkerProcess : IDisposable
{
    const int LinesKept = 8;

    readonly Process _process;
    readonly Queue<string> _errors = [];
    readonly Action<string> _hear;

    public WorkerProcess(int number, IEnumerable<string> arguments, Action<string> hear)
    {
        (Number, _hear) = (number, hear);
        _process = new Process { StartInfo = OwnProgram.Start(arguments) };
        _process.OutputDataReceived += (_, e) => { if (e.Data is { } line) _hear(line); };
        _process.ErrorDataReceived += (_, e) => Keep(e.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Number { get; }

    /// <summary>Its last lines on standard error.</summary>
    public string LastErrors
    {
        get { lock (_errors) return string.Join("\n", _errors); }
    }

    public void Stop()
    {
        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended already.
        }
    }

    /// <summary>Waits for its end, and until everything it said has been heard.</summary>
    public int End()
    {
        _process.WaitForExit();
        return _process.ExitCode;
    }

    public void Dispose() => _process.Dispose();

    void Keep(string? line)
    {
        if (string.IsNullOrWhiteSpace(line)) return;
        lock (_errors)
        {
            _errors.Enqueue(line);
            if (_errors.Count > LinesKept) _errors.Dequeue();
        }
    }
}
