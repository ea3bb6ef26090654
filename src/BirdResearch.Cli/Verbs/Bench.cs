using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using BirdResearch.Cli.Benchmarks;
using BirdResearch.Experiments;
using BirdResearch.Naming;
using TorchSharp;

namespace BirdResearch.Cli.Verbs;

/// <summary><c>bird bench [NAME]</c>: speeds and ratios, measured side by side in one run.</summary>
public static class Bench
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var name = new Argument<string?>("NAME") { Description = "One of: " + string.Join(", ", BenchGroups.Names), Arity = ArgumentArity.ZeroOrOne };
        var json = new Option<bool>("--json") { Description = "Print one JSON object and nothing else on standard output" };
        var rounds = new Option<int>("--rounds") { Description = "Measured rounds; each runs every case once", DefaultValueFactory = _ => 5 };
        var batch = new Option<int>("--batch") { Description = "Clips in one call", DefaultValueFactory = _ => 8 };
        var models = new Option<string?>("--models") { Description = "Only these models" };
        var longest = new Option<int>("--longest") { Description = "Most tokens of a sequence in ssm's curve", DefaultValueFactory = _ => 16_384 };
        var against = new Option<string?>("--against") { Description = "ONNX files that take the same features, such as PyTorch's own exports, timed beside the models of onnx" };
        var threads = new Option<int?>("--threads") { Description = "Threads for torch (default: all cores)" };
        return new Command("bench",
            """
            Measures decoding, front-ends, training, inference and the notebook kernel. All cases of a group are interleaved: a round runs each of them once,
            values are medians over the rounds, ratios are medians of the ratios within a round. Trust ratios more than values.

            Examples:
              bird bench
              bird bench models --models tf_efficientnet_b0,tsresnet34 --threads 2
              bird bench front-ends --json
              bird bench precision --models tf_efficientnet_b0
              bird bench loader --models tsresnet34
              bird bench ssm --threads 2
              bird bench sparse
              bird bench onnx --models tf_efficientnet_b0,tsresnet34 --threads 2
              bird bench kernel
            """)
        { name, json, rounds, batch, models, longest, against, threads }.Does((p, cancellation) =>
        {
            foreach (var (option, value) in new[] { ("--rounds", p.GetValue(rounds)), ("--batch", p.GetValue(batch)), ("--threads", p.GetValue(threads) ?? 1) })
                if (value is < 1 or > 1024) throw new ArgumentException($"{option} is {value}; it must be between 1 and 1024.");
            if (p.GetValue(name) is { } one && !BenchGroups.Names.Contains(one))
                throw new ArgumentException(NearNames.Unknown("benchmark", one, BenchGroups.Names));
            if (p.GetValue(threads) is { } count) torch.set_num_threads(count);

            var rows = new List<BenchRow>();
            var goals = new List<BenchGoal>();
            foreach (var group in p.GetValue(name) is { } only ? [only] : BenchGroups.Names)
            {
                using var groups = new BenchGroups { Against = Verb.Items(p.GetValue(against)) };
                var bench = groups.Named(group, p.GetValue(batch), Verb.Items(p.GetValue(models)), p.GetValue(longest));
                var times = bench.Time(p.GetValue(rounds), text => { if (Screen.IsLive && !p.GetValue(json)) Console.Error.Write($"\r{text,-70}\r"); }, cancellation);
                var measured = bench.Rows(times);
                var found = bench.Goals?.Invoke(times) ?? [];
                rows.AddRange(measured);
                goals.AddRange(found);
                if (p.GetValue(json)) continue;
                Screen.Title(bench.Title);
                Screen.Table(["subject", "phase", "variant", "value>", "unit", "ratio>", "against"], measured.Select(r => (IReadOnlyList<string>)
                [
                    r.Subject, r.Phase, r.Variant, r.Value.ToString(CultureInfo.InvariantCulture), r.Unit,
                    r.Ratio.ToString("0.00", CultureInfo.InvariantCulture), r.Against,
                ]));
                Screen.Line();
                if (found.Count == 0) continue;
                Screen.Table(["what", "measured>", "unit", "reach>", "stretch>", "holds"], found.Select(g => (IReadOnlyList<string>)
                [
                    g.What, Number(g.Value), g.Unit, Number(g.Reach), Number(g.Stretch), g.Holds switch { true => "yes", false => "no", null => "" },
                ]));
                Screen.Line();
            }
            if (p.GetValue(json)) Screen.Line(JsonSerializer.Serialize(new { Machine = Machine.Current(), Threads = torch.get_num_threads(), Rows = rows, Goals = goals }, RunStore.Json));
            else Screen.Line($"{Machine.Current().Cpu}, {torch.get_num_threads()} threads, {p.GetValue(rounds)} rounds");
            return 0;
        });
    }

    static string Number(double? value) => value?.ToString("0.###", CultureInfo.InvariantCulture) ?? "";
}
