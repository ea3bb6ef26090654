using System.Diagnostics;
using System.Text.Json;

namespace BirdResearch.Data;

/// <summary>
/// Decodes for one thread: in a worker process, of which there is one at a time, or in this process where there is no command for one. A
/// decoder that crashes takes only the worker; one that hangs is stopped. Either is a finding, and the next file gets a new worker.
/// </summary>
sealed class ScanHand(IReadOnlyList<string>? command, string root, ScanSettings settings) : IDisposable
{
    Process? _process;

    /// <summary>The file's measurements, or the problem <c>decoder_crashed</c> or <c>decoder_hung</c>.</summary>
    public SoundMeasures Examine(string file, CancellationToken cancellation)
    {
        if (command is null) return SoundExaminer.Examine(root, file, settings);
        // A worker that died between two files, for whatever reason, gets a second chance; one that dies of the same file twice does not.
        for (var attempt = 0; ; attempt++)
        {
            cancellation.ThrowIfCancellationRequested();
            var (answer, problem) = Ask(new ScanRequest(file), cancellation);
            if (answer?.Measures is { } measures) return measures;
            Stop();
            if (attempt > 0 || problem == ScanRules.DecoderHung)
            {
                var detail = problem == ScanRules.DecoderHung
                    ? FormattableString.Invariant($"the decoder gave no sign of life for {settings.PatienceSeconds:0.#} s.")
                    : "the decoder crashed on it, twice.";
                return SoundExaminer.Start(root, file, settings) with { Problem = problem, ProblemDetail = detail };
            }
        }
    }

    /// <summary>How far the waveforms of a match agree, 0 to 1; 0 as well where the decoder fails.</summary>
    public double Correlation(string first, string second, FingerprintMatch match, CancellationToken cancellation)
    {
        if (command is null) return WaveformMatch.CorrelationOrZero(root, first, second, match);
        cancellation.ThrowIfCancellationRequested();
        var (answer, _) = Ask(new ScanRequest(first, second, match), cancellation);
        if (answer?.Correlation is { } correlation) return correlation;
        Stop();
        return 0;
    }

    (ScanAnswer? Answer, string? Problem) Ask(ScanRequest request, CancellationToken cancellation)
    {
        try
        {
            var process = _process ??= Start(command!);
            process.StandardInput.Write(JsonSerializer.Serialize(request, ScanJson.Options) + "\n");
            process.StandardInput.Flush();
            while (true)
            {
                var reading = process.StandardOutput.ReadLineAsync(CancellationToken.None).AsTask();
                if (!reading.Wait(TimeSpan.FromSeconds(settings.PatienceSeconds), cancellation)) return (null, ScanRules.DecoderHung);
                if (reading.Result is not { } line) return (null, ScanRules.DecoderCrashed);
                if (line != ScanWorker.Alive) return (JsonSerializer.Deserialize<ScanAnswer>(line, ScanJson.Options), null);
            }
        }
        catch (Exception e) when (e is IOException or JsonException or AggregateException)
        {
            return (null, ScanRules.DecoderCrashed);
        }
    }

    Process Start(IReadOnlyList<string> command)
    {
        var info = new ProcessStartInfo(command[0])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var argument in command.Skip(1)) info.ArgumentList.Add(argument);
        var process = Process.Start(info) ?? throw new InvalidOperationException($"The scan's worker could not be started: {command[0]}");
        process.ErrorDataReceived += (_, _) => { };   // decoders complain there; an unread pipe would fill and stop them
        process.BeginErrorReadLine();
        process.StandardInput.Write(JsonSerializer.Serialize(new ScanWorkerStart(root, settings), ScanJson.Options) + "\n");
        return process;
    }

    void Stop()
    {
        if (_process is not { } process) return;
        _process = null;
        try
        {
            process.Kill();
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            // It has ended by itself.
        }
        process.Dispose();
    }

    public void Dispose() => Stop();
}
