namespace BirdResearch.Analysis

open System

/// One arm's scores in one domain.
type DomainResult =
    { /// train, focal or soundscape.
      Domain: string
      /// mAP of each run that has one, in the order of the arm's runs.
      Maps: float list
      /// Their mean and spread.
      Map: Spread
      /// Over recordings; None where scores are missing or too few recordings were scored.
      Interval: Interval option
      /// Why there is no interval; empty where there is one.
      NoInterval: string
      /// mAP that guessing reaches: the mean share of positives over classes that have any; nan where not known.
      Chance: float }

/// Runs that differ in nothing but seed and fold.
type Arm =
    { Data: string
      Model: string
      FrontEnd: string
      /// The settings that set it apart from other arms of the same model and front-end: "k 32"; often empty.
      Distinction: string
      Runs: Run list
      Domains: Map<string, DomainResult> }

    /// Model, front-end and distinction in one line.
    member arm.Label =
        String.Join(" · ", [ arm.Model; arm.FrontEnd; arm.Distinction ] |> List.filter ((<>) ""))

    /// Mean of a figure over the arm's runs; nan where no run has it.
    member arm.Mean(value: Run -> float) = (Statistics.spread (arm.Runs |> Seq.map value)).Mean

    /// Seeds, and folds where there are several, in words: "3 seeds x 2 folds".
    member arm.Design =
        let count (values: 'a list) (word: string) =
            match (List.distinct values).Length with
            | 1 -> $"1 {word}"
            | several -> $"{several} {word}s"

        let seeds = count [ for run in arm.Runs -> run.Record.Trial.Seed ] "seed"
        let folds = [ for run in arm.Runs -> run.Record.Trial.Fold ]
        if (List.distinct folds).Length > 1 then seeds + " × " + count folds "fold" else seeds

/// Groups runs into arms and measures them.
[<RequireQualifiedAccess>]
module Arms =
    // data is where the set was found, by name or by path; which set it is, its content key says.
    let private notAnArm = set [ "seed"; "fold"; "data"; "label" ]

    /// The settings that make a run one of its arm: all but seed, fold, data and label.
    let settingsOf (run: Run) : Map<string, string> =
        run.Settings |> Map.filter (fun path _ -> not (notAnArm.Contains path))

    /// Dotted paths of the settings that are not the same in all runs; absent counts as a value. Seed, fold and data are no such settings.
    let differing (runs: Run seq) : string list =
        let settings = runs |> Seq.map settingsOf |> List.ofSeq

        settings
        |> Seq.collect Map.keys
        |> Seq.distinct
        |> Seq.filter (fun path -> (settings |> Seq.map (Map.tryFind path) |> Seq.distinct |> Seq.length) > 1)
        |> Seq.sort
        |> List.ofSeq

    /// Settings that are the same in all runs; seed, fold and data are no such settings.
    let shared (runs: Run list) : (string * string) list =
        let apart = set (differing runs)

        match runs with
        | [] -> []
        | first :: _ -> settingsOf first |> Map.toList |> List.filter (fun (path, _) -> not (apart.Contains path))

    /// Mean share of positives over classes that have any, from classes.csv.
    let private chance (domain: string) (run: Run) =
        match run.Record.Scores.TryGetValue domain, run.Classes.TryGetColumn<float>($"{domain}_support", Deedle.Lookup.Exact) with
        | (true, scores), column when column.HasValue && scores.Rows > 0 ->
            let positive = column.Value.ValuesAll |> Seq.filter (fun support -> support > 0.0) |> List.ofSeq
            if positive.IsEmpty then nan else List.average positive / float scores.Rows
        | _ -> nan

    let private domainOf (runs: Run list) (domain: string) =
        let maps = runs |> List.map (Runs.metric "map" domain) |> List.filter (Double.IsNaN >> not)

        { Domain = domain
          Maps = maps
          Map = Statistics.spread maps
          Interval = None
          NoInterval = "not computed"
          Chance = (Statistics.spread (runs |> Seq.map (chance domain))).Mean }

    let private armOf (distinctions: string list) (runs: Run list) =
        let first = runs.Head
        // As many of a path's last words as tell it from every other setting: "learning rate", but "mixup alpha".
        let short (path: string) =
            let words = path.Split '.'
            let ending (count: int) = "." + String.Join(".", words[words.Length - count ..])
            let isItsOwn (count: int) =
                first.Settings |> Map.forall (fun other _ -> other = path || not (("." + other).EndsWith(ending count, StringComparison.Ordinal)))
            let count = seq { 1 .. words.Length } |> Seq.tryFind isItsOwn |> Option.defaultValue words.Length
            (ending count).TrimStart('.').Replace('_', ' ').Replace('.', ' ')

        { Data = first.Record.Data.Name
          Model = first.Record.Trial.Model
          FrontEnd = first.Record.Trial.FrontEnd
          Distinction =
            [ if first.Record.Trial.Label <> "" then first.Record.Trial.Label
              for path in distinctions do
                  $"{short path} {first.Settings |> Map.tryFind path |> Option.defaultValue String.Empty}".TrimEnd() ]
            |> String.concat ", "
          Runs = runs
          Domains =
            Runs.domains
            |> List.map (domainOf runs)
            |> List.filter (fun result -> not result.Maps.IsEmpty)
            |> List.map (fun result -> result.Domain, result)
            |> Map }

    /// The arms of runs on one data set, in order of model, front-end and distinction, without intervals.
    let ofRuns (runs: Run list) : Arm list =
        runs
        |> List.groupBy (fun run -> run.Record.Trial.Model, run.Record.Trial.FrontEnd)
        |> List.collect (fun (_, cell) ->
            let arms = cell |> List.groupBy settingsOf |> List.map snd
            let budget (arm: Run list) = string arm.Head.Record.Trial.Training.Budget
            let name (arm: Run list) = arm.Head.Record.Trial.Label, budget arm
            let alike (arm: Run list) = arms |> List.filter (fun other -> name other = name arm)
            let budgets = if (arms |> List.distinctBy budget).Length > 1 then [ "training.budget" ] else []

            // A name of its own needs no more to be told apart; arms of the same name, or of none, are known by their settings.
            arms
            |> List.map (fun arm ->
                let apart = alike arm |> List.concat |> differing
                armOf (budgets @ List.except budgets apart) arm))

    /// What a training of the arm may spend: "20 epochs". Arms compare only under equal budgets.
    let budget (arm: Arm) = Runs.budget arm.Runs.Head

    /// Fold, seed and scores of every run in a domain; the reason where any of them cannot be had.
    let scores (domain: string) (arm: Arm) : Result<(int * int * BirdResearch.Metrics.Scores) list, string> =
        let add found (run: Run) =
            match found, Runs.scores domain run with
            | Ok known, Ok scores -> Ok((run.Record.Trial.Fold.GetValueOrDefault(), run.Record.Trial.Seed, scores) :: known)
            | Error reason, _
            | _, Error reason -> Error reason

        arm.Runs |> List.fold add (Ok []) |> Result.map List.rev

    /// The same arms with the interval of their mean mAP in every held-out domain, over recordings and, where there are several, seeds.
    let withIntervals (resamples: int) (arms: Arm list) : Arm list =
        let measured (domain: string) (arms: Arm list) =
            let found = arms |> List.map (scores domain)
            let intervals = found |> List.choose Result.toOption |> Intervals.ofMeans resamples

            let rec fill found intervals =
                match found, intervals with
                | [], _ -> []
                | Error reason :: others, _ -> (None, reason) :: fill others intervals
                | Ok _ :: others, None :: rest -> (None, "fewer than two recordings") :: fill others rest
                | Ok _ :: others, interval :: rest -> (interval, "") :: fill others rest
                | Ok _ :: others, [] -> (None, "not computed") :: fill others []

            fill found intervals

        let fill (domain: string) (arms: Arm list) =
            let present = arms |> List.filter _.Domains.ContainsKey(domain)
            let found = List.zip (present |> List.map _.Label) (measured domain present) |> Map

            [ for arm in arms do
                  match found.TryFind arm.Label with
                  | Some(interval, reason) ->
                      { arm with Domains = arm.Domains.Add(domain, { arm.Domains[domain] with Interval = interval; NoInterval = reason }) }
                  | None -> arm ]

        Runs.domains |> List.filter ((<>) "train") |> List.fold (fun arms domain -> fill domain arms) arms

    /// Mean mAP in a domain; nan where there is none.
    let map (domain: string) (arm: Arm) =
        arm.Domains |> Map.tryFind domain |> Option.map _.Map.Mean |> Option.defaultValue nan

    /// Over-fitting gap: train mAP less focal validation mAP.
    let overfittingGap (arm: Arm) = map "train" arm - map "focal" arm

    /// Domain gap: focal validation mAP less soundscape mAP.
    let domainGap (arm: Arm) = map "focal" arm - map "soundscape" arm
