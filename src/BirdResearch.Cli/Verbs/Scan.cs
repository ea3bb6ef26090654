using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using BirdResearch.Data;
using BirdResearch.Naming;

namespace BirdResearch.Cli.Verbs;

/// <summary><c>bird scan DATASET</c>: checks every sound file once and lists those that should not be used.</summary>
public static class Scan
{
    static readonly JsonSerializerOptions _json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var target = new Argument<string?>("DATASET") { Description = "A data set (see 'bird data'), or any folder of sound files", Arity = ArgumentArity.ZeroOrOne };
        var output = new Option<string?>("--out") { Description = "Where the quarantine list goes (default: the data set's own quarantine.csv where it has one, else data/quarantine/DATASET.csv)" };
        var threads = new Option<int>("--threads") { Description = "Files at once (default: one per core)" };
        var set = new Option<string[]>("--set") { Description = "A threshold, such as clipped_warning=0.01; may be repeated. 'bird scan --settings' lists them" };
        var settingsList = new Option<bool>("--settings") { Description = "Lists the thresholds and ends" };
        var dry = new Option<bool>("--dry-run") { Description = "Says what it finds and leaves the quarantine list as it is" };
        var worker = new Option<bool>("--worker") { Hidden = true };
        return new Command("scan",
            """
            Checks every sound file of a data set, or of a folder: whether it decodes and holds what it promises, length, rate, clipping, silence,
            offset, channels that cancel; the same sound twice, also re-encoded, cut or louder; the same recording or author on both sides of a
            split. Errors go onto a quarantine list, plain text that you may edit; training leaves the files on it out and says so. Warnings are
            only told. Measurements stay in data/scan/DATASET: scanning again looks only at files that have changed.

            Examples:
              bird scan birds
              bird scan /path/to/recordings --threads 8
              bird scan birds --set short_error=1 --set clipped_error=0.1
              bird scan birds --dry-run

            Stop it with Ctrl-C at any time: the same command goes on from there.
            """)
        { target, output, threads, set, settingsList, dry, worker }.Does((p, cancellation) =>
        {
            if (p.GetValue(worker)) return Serve();
            var settings = (p.GetValue(set) ?? []).Aggregate(new ScanSettings { Threads = p.GetValue(threads) }, Set);
            if (p.GetValue(settingsList)) return List(settings);
            var name = p.GetValue(target) ?? throw new ArgumentException("Which data set or folder? 'bird data' lists the data sets.");
            var result = ScanScreen.Run(name, settings, Worker(), cancellation);
            var tables = DatasetScan.FolderFor(result.Name);
            ScanTables.Write(tables, result);
            ScanScreen.Show(result, tables);
            if (!p.GetValue(dry)) ScanScreen.Write(result, p.GetValue(output) ?? QuarantineList.PathFor(result.Root, result.Name));
            return 0;
        });
    }

    /// <summary>This program again, as a worker.</summary>
    static string[] Worker()
    {
        var program = Environment.ProcessPath ?? "dotnet";
        string[] self = Path.GetFileNameWithoutExtension(program) == "dotnet" ? [program, typeof(Scan).Assembly.Location] : [program];
        return [.. self, "scan", "--worker"];
    }

    static int Serve()
    {
        // Ctrl-C reaches every process of the terminal; a worker ends with its input instead.
        using var ignored = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true);
        using var input = new StreamReader(Console.OpenStandardInput(), new UTF8Encoding(false));
        using var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false));
        ScanWorker.Serve(input, output);
        return 0;
    }

    static ScanSettings Set(ScanSettings settings, string assignment)
    {
        var equals = assignment.IndexOf('=');
        if (equals < 1) throw new ArgumentException($"'{assignment}' is not a setting; write name=value, such as short_error=1.");
        var (name, text) = (assignment[..equals].Trim(), assignment[(equals + 1)..].Trim());
        var all = JsonSerializer.SerializeToNode(settings, _json)!.AsObject();
        if (!all.ContainsKey(name)) throw new ArgumentException(NearNames.Unknown("setting", name, all.Select(s => s.Key)));
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _)) throw new ArgumentException($"'{text}' is not a number for {name}.");
        try
        {
            all[name] = JsonNode.Parse(text);
            return all.Deserialize<ScanSettings>(_json)!;
        }
        catch (JsonException e)
        {
            throw new ArgumentException($"'{text}' is not a value for {name}: {e.Message}", e);
        }
    }

    static int List(ScanSettings settings)
    {
        Screen.Table(["setting", "value>"], JsonSerializer.SerializeToNode(settings, _json)!.AsObject().Select(s => (IReadOnlyList<string>)[s.Key, s.Value!.ToString()]));
        return 0;
    }
}
