namespace BirdResearch.Analysis

open System
open System.Collections.Generic
open System.Globalization
open System.IO
open BirdResearch.Data
open BirdResearch.Experiments
open BirdResearch.Metrics
open Deedle

/// A finished run as its folder tells it.
type Run =
    { /// The folder's name; unique within the ablation.
      Name: string
      /// Absolute path of the folder.
      Folder: string
      /// What run.json says.
      Record: RunRecord
      /// Every setting of the trial by its dotted path (training.budget), written as in run.json.
      Settings: Map<string, string>
      /// epochs.csv: a row per epoch, a column per figure; empty cells are missing values.
      Epochs: Frame<int, string>
      /// classes.csv: a row per class, a column per figure; empty cells are missing values.
      Classes: Frame<string, string>
      /// common_name of classes.csv by class.
      CommonNames: Map<string, string> }

/// A folder that is not shown, and why.
type Skipped = { Folder: string; Reason: string }

/// The finished runs of one ablation, and what stood beside them.
type RunSet =
    { /// The ablation's name.
      Ablation: string
      /// Absolute path of its folder.
      Folder: string
      /// In order of data set, model, front-end, fold and seed.
      Runs: Run list
      /// Folders that could not be read as a run, and files of a run that could not be read.
      Skipped: Skipped list
      /// Folders of runs that are still being written, or were cut off.
      Unfinished: string list }

/// Reads what runs have left behind; trains nothing and writes nothing.
[<RequireQualifiedAccess>]
module Runs =
    /// Domains in the order in which they are told.
    let domains = [ "train"; "focal"; "soundscape" ]

    /// Metrics by name, with how each is read from a domain's scores.
    let metrics: (string * (DomainScores -> Nullable<float>)) list =
        [ "map", _.Map
          "map_micro", _.MapMicro
          "map_samples", _.MapSamples
          "padded_cmap", _.PaddedCmap
          "roc_auc", _.RocAuc
          "accuracy", _.Accuracy ]

    let private read (folder: string) : Run option * Skipped list =
        let name = RunReader.nameOf folder
        let skip place reason = { Folder = place; Reason = reason }

        let orElse empty read (file: string) =
            let path = Path.Combine(folder, file)

            match RunReader.attempt (fun () -> if File.Exists path then read path else empty) with
            | Result.Ok found -> found, []
            | Result.Error reason -> empty, [ skip $"{name}/{file}" reason ]

        match RunReader.attempt (fun () -> RunReader.record (Path.Combine(folder, "run.json"))) with
        | Result.Error reason -> None, [ skip name reason ]
        | Result.Ok(record, settings) ->
            let epochs, badEpochs = orElse (frame []) RunReader.epochs "epochs.csv"
            let (classes, names), badClasses = orElse (frame [], Map.empty) RunReader.classes "classes.csv"

            Some
                { Name = name
                  Folder = folder
                  Record = record
                  Settings = settings
                  Epochs = epochs
                  Classes = classes
                  CommonNames = names },
            badEpochs @ badClasses

    /// The folder of an ablation: the one of that name below results/, else the path itself.
    let folderOf (ablation: string) =
        match [ Path.Combine(Folders.Results, ablation); ablation ] |> List.tryFind Directory.Exists with
        | Some folder -> Path.GetFullPath folder
        | None ->
            let places = $"neither a folder of that name in {Folders.Results} nor that path exists"
            raise (DirectoryNotFoundException $"No ablation '{ablation}': {places}. Run it first.")

    /// What lies beside the runs: drawn figures, and what a cluster was told.
    let private besides = set [ "figures"; "slurm" ]

    /// The places of runs in the design that was asked for; empty where there is none that can be read, which the ledger tells.
    let private places (folder: string) =
        match RunReader.attempt (fun () -> AblationPlan.Read folder) with
        | Result.Ok plan -> plan.Runs |> Seq.mapi (fun place run -> run.Name, place) |> Map
        | Result.Error _ -> Map.empty

    /// Every finished run of an ablation, given by its name or its folder. Arms of a model and front-end come in the order of the design.
    let load (ablation: string) =
        let folder = folderOf ablation

        let partial, whole =
            Directory.GetDirectories folder
            |> Array.filter (fun path -> not (besides.Contains(RunReader.nameOf path)))
            |> Array.sortWith (fun left right -> String.CompareOrdinal(left, right))
            |> List.ofArray
            |> List.partition _.EndsWith(".partial", StringComparison.Ordinal)

        let found = whole |> List.map read
        let places = places folder

        { Ablation = RunReader.nameOf (folder.TrimEnd Path.DirectorySeparatorChar)
          Folder = folder
          Runs =
            found
            |> List.choose fst
            |> List.sortBy (fun run ->
                let trial = run.Record.Trial
                let place = places |> Map.tryFind run.Name |> Option.defaultValue Int32.MaxValue
                run.Record.Data.Name, trial.Model, trial.FrontEnd, trial.Fold.GetValueOrDefault(), trial.Seed, place, run.Name)
          Skipped = found |> List.collect snd
          Unfinished = partial |> List.map RunReader.nameOf }

    /// Only the runs on one data set.
    let onData (data: string) (set: RunSet) =
        { set with Runs = set.Runs |> List.filter (fun run -> run.Record.Data.Name = data) }

    /// Runs by data set. Runs on data of the same name but other content are kept apart, since their scores do not compare.
    let byData (set: RunSet) : (string * Run list) list =
        let groups = set.Runs |> List.groupBy (fun run -> run.Record.Data.Name, run.Record.Data.ContentKey)
        let versions (name: string) = groups |> List.filter (fun ((other, _), _) -> other = name) |> List.length

        [ for (name, key), runs in groups ->
              (if versions name > 1 then $"{name} (content {key[.. min 7 (key.Length - 1)]})" else name), runs ]

    /// What a run's training could spend: "20 epochs".
    let budget (run: Run) =
        match run.Settings.TryFind "training.budget" with
        | Some budget -> budget
        | None -> "no budget known"

    /// Runs by budget: epochs, clips, seconds, multiply-adds, each by rising amount. Arms compare fairly only within one.
    let byBudget (runs: Run list) : (string * Run list) list =
        let order (text: string) =
            match RunReader.attempt (fun () -> BirdResearch.Training.Budget.Parse text) with
            | Result.Ok budget -> int budget.Unit, budget.Amount
            | Result.Error _ -> Int32.MaxValue, 0.0

        runs |> List.groupBy budget |> List.sortBy (fun (text, _) -> order text, text)

    /// One metric (map, roc_auc ...; mAP is taken for map) in one domain; nan where it is undefined.
    let metric (name: string) (domain: string) (run: Run) =
        let wanted = name.ToLowerInvariant()

        match metrics |> List.tryFind (fun (known, _) -> known = wanted) with
        | None ->
            let known = metrics |> List.map fst |> String.concat ", "
            raise (ArgumentException $"No metric is called '{name}'. Known: {known}.")
        | Some(_, value) ->
            match run.Record.Scores.TryGetValue domain with
            | true, scores -> value(scores) |> Option.ofNullable |> Option.defaultValue nan
            | false, _ -> nan

    /// Scores of every row in one domain, from scores.<domain>.csv; the reason where they cannot be had.
    let scores (domain: string) (run: Run) : Result<Scores, string> =
        let path = Path.Combine(run.Folder, $"scores.{domain}.csv")

        RunReader.attempt (fun () ->
            if not (File.Exists path) then
                RunReader.unreadable $"no scores.{domain}.csv"

            RunReader.scores domain path)

    /// Name, unit and value of every figure about a run that is one cell of a table.
    let private columns: (string * (Run -> obj)) list =
        [ "data", (fun run -> run.Record.Data.Name)
          "model", (fun run -> run.Record.Trial.Model)
          "front_end", (fun run -> run.Record.Trial.FrontEnd)
          "fold", (fun run -> run.Record.Trial.Fold.GetValueOrDefault())
          "seed", (fun run -> run.Record.Trial.Seed)
          for domain in domains do
              for name, _ in metrics do
                  $"{domain}_{name}", (fun run -> metric name domain run :> obj)
          "parameters", (fun run -> run.Record.Model.Parameters)
          "multiply_adds", (fun run -> run.Record.Model.MultiplyAdds)
          "train_seconds", (fun run -> run.Record.Cost.TrainSeconds)
          "train_clips_per_second", (fun run -> run.Record.Cost.TrainClipsPerSecond)
          "infer_clips_per_second", (fun run -> run.Record.Cost.InferClipsPerSecond)
          "steps", (fun run -> run.Record.Cost.Steps)
          "clips", (fun run -> run.Record.Cost.Clips)
          "finished", (fun run -> run.Record.Cost.Finished) ]

    /// One row per run with all its figures: settings that name it, every metric in every domain, size and cost.
    let frame (set: RunSet) : Frame<string, string> =
        let names = set.Runs |> List.map _.Name
        [ for column, value in columns -> column, Series(names, set.Runs |> List.map value) ] |> Frame.ofColumns

    /// Mean of one metric in one domain by model and front-end, over seeds and folds.
    let meanOf (metricName: string) (domain: string) (set: RunSet) : Series<string * string, float> =
        set.Runs
        |> List.groupBy (fun run -> run.Record.Trial.Model, run.Record.Trial.FrontEnd)
        |> List.map (fun (cell, runs) -> cell, runs |> List.map (metric metricName domain) |> List.filter (Double.IsNaN >> not))
        |> List.filter (fun (_, values) -> not values.IsEmpty)
        |> List.map (fun (cell, values) -> cell, List.average values)
        |> series

    /// The same figures as rows for a csv file: heads, and a row per run; nothing where a figure is not known.
    let cells (set: RunSet) : string list * IReadOnlyList<obj | null> list =
        let cell (value: obj) : obj | null =
            match value with
            | :? float as number when Double.IsNaN number -> null
            | :? DateTime as time -> time.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)
            | other -> other

        let row (run: Run) : IReadOnlyList<obj | null> = [| yield run.Name; for _, value in columns do yield cell (value run) |]
        "run" :: List.map fst columns, List.map row set.Runs
