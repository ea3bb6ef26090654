namespace BirdResearch.Analysis

open System
open System.IO
open BirdResearch.Files
open BirdResearch.Analysis.Words

/// report.md: an ablation in a page of plain text, for papers and repositories.
[<RequireQualifiedAccess>]
module Markdown =
    let private cell (text: string) = text.Replace("|", "\\|").Replace("\n", " ").Replace("<", "&lt;")

    let private table (heads: string list) (rows: string list list) =
        let line (cells: string list) = "| " + String.Join(" | ", List.map cell cells) + " |"
        let rule = heads |> List.mapi (fun column _ -> if column < 1 then "---" else "---:")

        [ "| " + String.Join(" | ", heads) + " |"
          "| " + String.Join(" | ", rule) + " |"
          yield! List.map line rows
          "" ]

    let private domainsOf (arms: Arm list) =
        Runs.domains |> List.filter (fun domain -> domain <> "train" && arms |> List.exists _.Domains.ContainsKey(domain))

    let private score (letters: Map<string, string>) (domain: string) (arm: Arm) =
        match arm.Domains.TryFind domain with
        | None -> [ "–"; "" ]
        | Some result ->
            let spread = if Double.IsFinite result.Map.Deviation then $" ± {three result.Map.Deviation}" else ""
            let interval = match result.Interval with Some found -> $" ({three found.Low} to {three found.High})" | None -> ""
            [ three result.Map.Mean + spread + interval; letters |> Map.tryFind arm.Label |> Option.defaultValue "" ]

    let private arms (found: Arm list) (comparisons: Comparison list) =
        let domains = domainsOf found
        let letters = [ for domain in domains -> domain, Comparisons.letters (comparisons |> List.filter (fun other -> other.Domain = domain)) found ]
        let best = domains |> List.tryHead |> Option.defaultValue "focal"

        [ yield!
              table
                  [ "Arm"; "Runs"
                    for domain in domains do
                        $"{Charts.domainTitle domain} mAP"
                        "Group"
                    if List.contains "soundscape" domains then "Focal − soundscape"
                    "Parameters (M)"; "Training (clips/s)" ]
                  [ for arm in found |> List.sortByDescending (Arms.map best) ->
                        [ arm.Label; arm.Design
                          for domain, own in letters do yield! score own domain arm
                          if List.contains "soundscape" domains then signed (Arms.domainGap arm)
                          significant (arm.Mean(fun run -> float run.Record.Model.Parameters) / 1e6)
                          significant (arm.Mean _.Record.Cost.TrainClipsPerSecond) ] ]
          "Mean ± standard deviation over runs (95 % interval of the mean). Arms that share a letter in Group are not told apart."
          "" ]

    let private comparisons (found: Comparison list) =
        let row (pair: Comparison) =
            let interval = match pair.Interval with Some edges -> $"{signed edges.Low} to {signed edges.High}" | None -> "–"
            [ $"{pair.Left} − {pair.Right}"; Charts.domainName pair.Domain; signed pair.Difference; interval; probability pair.P; probability pair.Holm; three pair.Detectable ]

        let apart = found |> List.filter _.ToldApart |> List.sortBy (fun pair -> pair.Domain, pair.Holm)
        let tested = found |> List.filter (fun pair -> Double.IsFinite pair.P)

        if tested.IsEmpty then []
        elif apart.IsEmpty then
            let least = tested |> List.map _.Detectable
            [ $"None of {tested.Length} tested pairs is told apart; differences of {three (List.min least)} to {three (List.max least)} would have been found in 80 of 100 repetitions."; "" ]
        else
            [ yield! table [ "Told apart"; "Domain"; "Difference"; "95 % interval"; "p"; "Holm"; "Detectable" ] (List.map row apart)
              $"{apart.Length} of {tested.Length} tested pairs; comparisons.csv has all."
              "" ]

    let private part (several: bool) (title: string, found: Arm list, pairs: Comparison list) =
        [ if several then
              $"## {title}"
              ""
          for paragraph in Reading.paragraphs pairs found do
              paragraph
              ""
          yield! arms found pairs
          yield! comparisons pairs ]

    let private provenance (set: RunSet) =
        let values (value: Run -> string) = set.Runs |> List.map value |> List.distinct |> List.sort
        let seconds = set.Runs |> List.sumBy _.Record.Cost.TrainSeconds
        let machine (run: Run) = let m = run.Record.Machine in $"{m.Cpu}, {m.Threads} of {m.Cores} cores, {m.System}, TorchSharp {m.TorchSharp}, BirdResearch {m.BirdResearch}"
        let finished = set.Runs |> List.map _.Record.Cost.Finished

        [ "## Provenance"
          ""
          $"- Runs: {set.Runs.Length}, {duration seconds} of training in all, finished {moment (List.min finished)} to {moment (List.max finished)} UTC"
          $"- Seeds: {listed (set.Runs |> List.map _.Record.Trial.Seed |> List.distinct |> List.sort |> List.map string)}"
          let start (key: string) = key[.. min 11 (key.Length - 1)]
          for data, without in Provenance.data set.Runs do
              let heard = if without.IsEmpty then "" else $"; sound without labels that runs heard too: {listed (List.map start without)}"
              $"- Data: {data.Name}, content {start data.ContentKey}, {data.Classes} classes, {data.TrainRecordings} recordings to train on, \
                {data.ValidationRecordings} held out, {data.SoundscapeWindows} soundscape windows; {data.SplitRule}{heard}"
          for text in values machine do
              $"- Machine: {text}"
          "- All numbers: report.csv (runs), arms.csv, comparisons.csv, classes.csv, each also as .parquet; settings of a run: its run.json"
          "" ]

    /// The whole text. Parts are data sets (and budgets) with their arms, measured, and the comparisons between them.
    let page (title: string) (question: string) (set: RunSet) (problems: Problem list) (parts: (string * Arm list * Comparison list) list) : string =
        let sentence, commands = Ledger.describe problems

        [ $"# {title}"
          ""
          if question <> "" then
              question
              ""
          if not problems.IsEmpty then
              $"**Not whole:** {sentence}"
              ""
              for command in List.truncate 3 commands do
                  $"    {command}"
              ""
          yield! List.collect (part (parts.Length > 1)) parts
          yield! provenance set ]
        |> String.concat "\n"

    /// Writes the pictures of figures, which are drawn after the page, into an ablation's report.md; each by the name of its file below figures/,
    /// without ending, and what it shows.
    let addFigures (folder: string) (figures: (string * string) seq) : unit =
        let path = Path.Combine(folder, "report.md")
        let links = [ for name, title in figures -> $"![{title}](figures/{name}.png)\n\n" ] |> String.concat ""
        let text = File.ReadAllText path
        let at = text.LastIndexOf("## Provenance", StringComparison.Ordinal)
        WholeFile.Write(path, text.Insert(max 0 at, "## Figures\n\n" + links))
