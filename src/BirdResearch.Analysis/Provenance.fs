namespace BirdResearch.Analysis

open System
open BirdResearch.Experiments
open Giraffe.ViewEngine
open BirdResearch.Analysis.Page
open BirdResearch.Analysis.Words

/// Where the numbers of a report come from, and what it lacks.
module internal Provenance =
    /// Seeds and folds that some arms of a data set have and others lack.
    let private missing (part: Part) =
        let cell (run: Run) = run.Record.Trial.Fold.GetValueOrDefault(), run.Record.Trial.Seed
        let all = part.Runs |> List.map cell |> List.distinct |> List.sort

        [ for arm in part.Arms do
              for fold, seed in List.except (List.map cell arm.Runs) all do
                  $"{arm.Label}: no run with seed {seed}, fold {fold}" ]

    /// The data of runs, each once, with the keys of the sound without labels that some of them heard too.
    let data (runs: Run list) : (DataFacts * string list) list =
        [ for _, facts in runs |> List.map _.Record.Data |> List.groupBy (fun data -> data.ContentKey, data.TrainRecordings, data.ValidationRecordings, data.SplitRule) do
              facts.Head, facts |> List.choose (fun data -> Option.ofObj data.WithoutLabelsKey) |> List.distinct |> List.sort ]

    let private dataFacts (part: Part) =
        [ for data, without in data part.Runs do
              let windows = if data.SoundscapeWindows = 0 then "" else $", {data.SoundscapeWindows} soundscape windows"

              facts
                  [ "Data set", data.Name
                    "Content key", data.ContentKey
                    if not without.IsEmpty then "Key of the sound without labels", String.Join(", ", without)
                    "Classes", string data.Classes
                    "Recordings", $"{data.TrainRecordings} to train on, {data.ValidationRecordings} held out{windows}"
                    "Split", data.SplitRule ] ]

    let private differing (part: Part) =
        let paths = Arms.differing part.Runs

        let value (path: string) (arm: Arm) =
            match arm.Runs.Head.Settings.TryFind path with
            | Some "" -> str "none"
            | Some value -> str value
            | None -> str "–"

        // The longer list goes down the page.
        let rows =
            if part.Arms.Length <= paths.Length then
                table "" (text "Setting" :: [ for arm in part.Arms -> text arm.Label ])
                    [ "", [ for path in paths -> code [] [ str path ] :: List.map (value path) part.Arms ] ]
            else
                table "" (text "Arm" :: [ for path in paths -> text path ])
                    [ "", [ for arm in part.Arms -> str arm.Label :: [ for path in paths -> value path arm ] ] ]

        if paths.IsEmpty then [] else [ h4 [] [ str "Settings that differ between arms" ]; rows ]

    let private shared (part: Part) =
        [ h4 [] [ str "Settings that all arms share" ]
          ul [ _class "settings" ]
              [ for path, value in Arms.shared part.Runs ->
                    li [] [ span [] [ str path ]; span [] [ str (if value = "" then "none" else value) ] ] ] ]

    /// A version with no more of its commit than tells it apart.
    let private short (version: string) =
        match version.IndexOf '+' with
        | -1 -> version
        | cut -> version[.. min (version.Length - 1) (cut + 10)]

    let private machines (runs: Run list) =
        let columns =
            [ text "Machine"
              number "Cores" ""
              number "Threads" ""
              number "Memory" "GiB"
              text "System"
              text "Runtime"
              text "TorchSharp"
              text "BirdResearch"
              number "Runs" "" ]

        let rows =
            [ for machine, runs in runs |> List.groupBy _.Record.Machine do
                  [ str machine.Cpu
                    str (string machine.Cores)
                    str (string machine.Threads)
                    str (significant machine.MemoryGb)
                    str machine.System
                    str machine.Runtime
                    str machine.TorchSharp
                    str (short machine.BirdResearch)
                    str (string runs.Length) ] ]

        table "wide" columns [ "", rows ]

    let private overview (set: RunSet) =
        let finished = set.Runs |> List.map _.Record.Cost.Finished
        let seconds = set.Runs |> List.sumBy _.Record.Cost.TrainSeconds
        let seeds = set.Runs |> List.map _.Record.Trial.Seed |> List.distinct |> List.sort |> List.map string

        facts
            [ "Ablation", set.Ablation
              "Runs", counted set.Runs.Length "run" + $", {duration seconds} of training in all"
              "Seeds", listed seeds
              "Finished", $"{moment (List.min finished)} to {moment (List.max finished)} UTC" ]

    /// The last section of a report.
    let section (set: RunSet) (parts: Part list) (skipped: Skipped list) : XmlNode list =
        let lacking =
            [ yield! List.collect missing parts
              for folder in set.Unfinished do
                  $"{folder}: not finished"
              for item in skipped do
                  $"{item.Folder}: {item.Reason}" ]

        [ h2 [ _id "provenance" ] [ str "Provenance" ]
          overview set
          machines set.Runs
          for part in parts do
              if parts.Length > 1 then h3 [] [ str part.Data ]
              yield! dataFacts part
              yield! differing part
              yield! shared part
          if not lacking.IsEmpty then
              h4 [] [ str "Missing, unfinished or unreadable" ]
              ul [ _class "plain" ] [ for line in lacking -> li [] [ str line ] ] ]
