using System.Diagnostics;
using System.Text.Json;

namespace BirdResearch.Data;

/// <summary>
/// The worker's side of a scan: reads a request a line, writes a line of answer to each, and a line with a dot every second while a
/// file decodes. Ends with its standard input, whatever the decoder does then.
/// </summary>
public static class ScanWorker
{
    internal const string Alive = ".";
    static readonly TimeSpan _interval = TimeSpan.FromSeconds(1);

    /// <summary>Serves until <paramref name="input"/> ends.</summary>
    /// <param name="input">First line: root and settings; then a request on each line, all as JSON.</param>
    /// <param name="output">Receives the answers.</param>
    public static void Serve(TextReader input, TextWriter output)
    {
        if (input.ReadLine() is not { } first) return;
        var start = JsonSerializer.Deserialize<ScanWorkerStart>(first, ScanJson.Options)
            ?? throw new InvalidDataException("A scan's worker is started by 'bird scan', not by hand.");
        var line = input.ReadLine();
        while (line is not null)
        {
            // Decoded beside this thread, so that the end of the input ends the process even while a decoder hangs.
            var request = JsonSerializer.Deserialize<ScanRequest>(line, ScanJson.Options)!;
            var measured = Task.Factory.StartNew(() => Answer(start, request, output), TaskCreationOptions.LongRunning);
            var next = Task.Run(input.ReadLine);
            if (Task.WaitAny(measured, next) == 1 && next.Result is null) return;
            Write(output, JsonSerializer.Serialize(measured.GetAwaiter().GetResult(), ScanJson.Options));
            line = next.Result;
        }
    }

    static ScanAnswer Answer(ScanWorkerStart start, ScanRequest request, TextWriter output)
    {
        if (request is { Other: { } other, Match: { } match }) return new ScanAnswer(Correlation: WaveformMatch.CorrelationOrZero(start.Root, request.File, other, match));
        var last = Stopwatch.GetTimestamp();
        return new ScanAnswer(SoundExaminer.Examine(start.Root, request.File, start.Settings, () =>
        {
            if (Stopwatch.GetElapsedTime(last) < _interval) return;
            last = Stopwatch.GetTimestamp();
            Write(output, Alive);
        }));
    }

    static void Write(TextWriter output, string line)
    {
        lock (output)
        {
            output.Write(line + "\n");
            output.Flush();
        }
    }
}

/// <summary>What a worker is told first.</summary>
sealed record ScanWorkerStart(string Root, ScanSettings Settings);
