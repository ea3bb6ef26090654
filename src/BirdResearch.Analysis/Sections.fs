namespace BirdResearch.Analysis

open System
open Giraffe.ViewEngine
open BirdResearch.Analysis.Page
open BirdResearch.Analysis.Words

/// One data set's runs, measured.
type internal Part = { Data: string; Runs: Run list; Arms: Arm list }

/// The parts of a report, each made from measured runs.
module internal Sections =
    /// Clips with sound on the page at most.
    let private mostSounds = 8

    let domainsOf (part: Part) =
        Runs.domains |> List.filter (fun domain -> domain <> "train" && part.Arms |> List.exists _.Domains.ContainsKey(domain))

    let private second (arm: Arm) = if arm.Distinction = "" then arm.FrontEnd else $"{arm.FrontEnd}, {arm.Distinction}"

    // ---- what each arm reached

    let results (part: Part) =
        let domains = domainsOf part

        let score (domain: string) (arm: Arm) =
            match arm.Domains.TryFind domain with
            | None -> str "–"
            | Some result ->
                span []
                    [ str (three result.Map.Mean)
                      if not (Double.IsNaN result.Map.Deviation) then small [] [ str $" ± {three result.Map.Deviation}" ]
                      match result.Interval with
                      | Some interval -> small [] [ br []; str $"{three interval.Low} to {three interval.High}" ]
                      | None -> () ]

        table "wide"
            [ text "Model"
              text "Front-end"
              text "Runs"
              for domain in domains do
                  number $"{Charts.domainTitle domain} mAP" "mean ± sd, 95 % interval"
              number "Train − validation" "mAP"
              if List.contains "soundscape" domains then number "Focal − soundscape" "mAP"
              number "ROC-AUC" "focal, macro"
              number "Parameters" "million"
              number "Training" "clips/s" ]
            [ "",
              [ for arm in part.Arms do
                    [ str arm.Model
                      str (second arm)
                      str (arm.Design.Replace(' ', '\u00a0'))
                      for domain in domains do
                          score domain arm
                      str (three (Arms.overfittingGap arm))
                      if List.contains "soundscape" domains then str (three (Arms.domainGap arm))
                      str (three (arm.Mean(Runs.metric "roc_auc" "focal")))
                      str (significant (arm.Mean(fun run -> float run.Record.Model.Parameters) / 1e6))
                      str (significant (arm.Mean _.Record.Cost.TrainClipsPerSecond)) ] ] ]

    // ---- species

    let speciesLabels (part: Part) =
        let first = part.Runs |> List.tryFind (fun run -> run.Classes.RowCount > 0)
        let support (run: Run) (domain: string) (label: string) =
            match run.Classes.TryGetColumn<float>($"{domain}_support", Deedle.Lookup.Exact) with
            | found when found.HasValue -> found.Value |> Deedle.Series.tryGet label |> Option.defaultValue 0.0
            | _ -> 0.0

        match first with
        | None -> [], []
        | Some run ->
            let domains = domainsOf part
            let name (label: string) = run.CommonNames.TryFind label |> Option.defaultValue label
            let scored, unscored =
                List.ofSeq run.Classes.RowKeys
                |> List.partition (fun label -> domains |> List.exists (fun domain -> support run domain label > 0.0))

            let rank (label: string) =
                domains
                |> List.map (fun domain -> (part.Arms |> List.map (Charts.classPrecision domain label) |> Statistics.spread).Mean)
                |> List.tryFind (Double.IsNaN >> not)
                |> Option.defaultValue nan

            scored
            |> List.sortBy (fun label -> rank label, label)
            |> List.map (fun label ->
                let counts = domains |> List.map (fun domain -> string (support run domain label)) |> String.concat " / "
                label, $"{name label} ({counts})"),
            unscored |> List.map name

    // ---- sounds

    let soundsOf (part: Part) =
        let found =
            part.Arms
            |> List.choose (fun arm ->
                arm.Runs
                |> List.tryPick (fun run ->
                    match SoundCharts.load run with
                    | Ok [] -> None
                    | Ok clips -> Some(Ok(arm.Label, clips))
                    | Error reason -> Some(Error { Folder = $"{run.Name}/examples"; Reason = reason })))

        found |> List.choose Result.toOption |> SoundCharts.byClip |> List.truncate mostSounds,
        found |> List.choose (function Error skipped -> Some skipped | Ok _ -> None)

    let sound (names: Map<string, string>) (clip: Example, told: (string * Example) list) =
        let name (label: string) = names.TryFind label |> Option.defaultValue label
        let hertz (value: float) = if value < 1000.0 then $"{round value} Hz" else $"{round (value / 100.0) / 10.0} kHz"
        let truth = if clip.Truth.IsEmpty then "no species" else clip.Truth |> List.map name |> listed

        let guess (label: string, score: float) =
            let line = str $"{name label} {two score}"
            if List.contains label clip.Truth then b [] [ line; rawText "&nbsp;✓" ] else line

        div [ _class "sound" ]
            [ h4 [] [ str truth; span [] [ str $" · {clip.Id}, {Charts.domainName clip.Domain}" ] ]
              div [ _class "picture" ]
                  [ div [ _class "bands" ] [ span [] [ str (hertz clip.MaxHz) ]; span [] [ str (hertz clip.MinHz) ] ]
                    img [ _src (SoundCharts.dataUri "image/png" clip.Png); _alt $"Spectrogram of {clip.Id}" ]
                    div [ _class "times" ] [ span [] [ str "0 s" ]; span [] [ str $"{round (10.0 * clip.Seconds) / 10.0} s" ] ] ]
              audio [ attr "controls" "controls"; attr "preload" "none"; _src (SoundCharts.dataUri "audio/wav" clip.Wav) ] []
              tag "table" []
                  [ tbody []
                        [ for arm, example in told do
                              tr []
                                  [ td [] [ str arm ]
                                    td [] (example.Predictions |> List.truncate 3 |> List.map guess |> List.collect (fun line -> [ line; br [] ])) ] ] ] ]

    // ---- all numbers

    let allNumbers (part: Part) =
        let who (run: Run) =
            let arm = part.Arms |> List.find (fun arm -> List.exists (fun (other: Run) -> other.Name = run.Name) arm.Runs)
            [ str arm.Model; str (second arm); str (string (run.Record.Trial.Fold.GetValueOrDefault())); str (string run.Record.Trial.Seed) ]

        let identity = [ text "Model"; text "Front-end"; number "Fold" ""; number "Seed" "" ]

        let scores =
            [ for domain in Runs.domains do
                  let scored = part.Runs |> List.filter (fun run -> run.Record.Scores.ContainsKey domain)

                  if not scored.IsEmpty then
                      Charts.domainTitle domain,
                      [ for run in scored do
                            let of' = run.Record.Scores[domain]
                            who run
                            @ [ str (whole (float of'.Rows)); str (whole (float of'.ScoredClasses)) ]
                            @ [ for name, _ in Runs.metrics -> str (three (Runs.metric name domain run)) ] ] ]

        let cost =
            [ for run in part.Runs do
                  let model, cost = run.Record.Model, run.Record.Cost

                  who run
                  @ [ str (significant (float model.Parameters / 1e6))
                      str (significant (float model.MultiplyAdds / 1e6))
                      str $"{model.Rows} × {model.Frames}"
                      str (whole (float cost.Steps))
                      str (whole (float cost.Clips))
                      str (significant cost.TrainSeconds)
                      str (significant cost.TrainClipsPerSecond)
                      str (significant cost.InferClipsPerSecond)
                      str (moment cost.Finished) ] ]

        [ h4 [] [ str "Scores of every run" ]
          table "wide"
              (identity
               @ [ number "Scored" "rows"; number "Classes" "with positives"; number "mAP" "macro"; number "mAP" "micro"; number "mAP" "samples"
                   number "cmAP" "padded by 5"; number "ROC-AUC" "macro"; number "Accuracy" "single-label rows" ])
              scores
          h4 [] [ str "Size and cost of every run" ]
          table "wide"
              (identity
               @ [ number "Parameters" "million"; number "Multiply-adds" "million per clip"; number "Features" "rows × frames"; number "Steps" ""
                   number "Clips" "trained on"; number "Training" "s"; number "Training" "clips/s"; number "Scoring" "windows/s"; number "Finished" "UTC" ])
              [ "", cost ] ]

    // ---- provenance

    let private missing (part: Part) =
        let cell (run: Run) = run.Record.Trial.Fold.GetValueOrDefault(), run.Record.Trial.Seed
        let all = part.Runs |> List.map cell |> List.distinct |> List.sort

        [ for arm in part.Arms do
              for fold, seed in List.except (List.map cell arm.Runs) all do
                  $"{arm.Label}: no run with seed {seed}, fold {fold}" ]

    let private dataFacts (part: Part) =
        let facts' = part.Runs |> List.map _.Record.Data |> List.distinct

        [ for data in facts' do
              facts
                  [ "Data set", data.Name
                    "Content key", data.ContentKey
                    "Classes", string data.Classes
                    "Recordings", $"{data.TrainRecordings} to train on, {data.ValidationRecordings} held out, {data.SoundscapeWindows} soundscape windows"
                    "Split", data.SplitRule ] ]

    let private settings (part: Part) =
        let differing = Arms.differing part.Runs
        let value (path: string) (arm: Arm) =
            match arm.Runs.Head.Settings.TryFind path with
            | Some "" -> "none"
            | Some value -> value
            | None -> "–"

        [ if not differing.IsEmpty then
              h4 [] [ str "Settings that differ between arms" ]

              table ""
                  (text "Setting" :: [ for arm in part.Arms -> text arm.Label ])
                  [ "", [ for path in differing -> code [] [ str path ] :: [ for arm in part.Arms -> str (value path arm) ] ] ]
          h4 [] [ str "Settings that all arms share" ]
          ul [ _class "settings" ]
              [ for path, value in Arms.shared part.Runs ->
                    li [] [ span [] [ str path ]; span [] [ str (if value = "" then "none" else value) ] ] ] ]

    let private machines (runs: Run list) =
        table "wide"
            [ text "Machine"; number "Cores" ""; number "Threads" ""; number "Memory" "GiB"; text "System"; text "Runtime"; text "TorchSharp"; text "BirdResearch"; number "Runs" "" ]
            [ "",
              [ for machine, runs in runs |> List.groupBy _.Record.Machine do
                    [ str machine.Cpu; str (string machine.Cores); str (string machine.Threads); str (significant machine.MemoryGb)
                      str machine.System; str machine.Runtime; str machine.TorchSharp; str machine.BirdResearch; str (string runs.Length) ] ] ]

    let provenance (set: RunSet) (parts: Part list) (skipped: Skipped list) =
        let finished = set.Runs |> List.map _.Record.Cost.Finished
        let seconds = set.Runs |> List.sumBy _.Record.Cost.TrainSeconds
        let missing = parts |> List.collect missing

        [ h2 [ _id "provenance" ] [ str "Provenance" ]
          facts
              [ "Ablation", set.Ablation
                "Runs", counted set.Runs.Length "run" + $", {duration seconds} of training in all"
                "Seeds", set.Runs |> List.map _.Record.Trial.Seed |> List.distinct |> List.sort |> List.map string |> String.concat ", "
                "Finished", $"{moment (List.min finished)} to {moment (List.max finished)} UTC" ]
          machines set.Runs
          for part in parts do
              if parts.Length > 1 then h3 [] [ str part.Data ]
              yield! dataFacts part
              yield! settings part
          if not (missing.IsEmpty && skipped.IsEmpty && set.Unfinished.IsEmpty) then
              h4 [] [ str "Missing, unfinished or unreadable" ]
              ul [ _class "plain" ]
                  [ for line in missing -> li [] [ str line ]
                    for folder in set.Unfinished -> li [] [ str $"{folder}: not finished" ]
                    for item in skipped -> li [] [ str $"{item.Folder}: {item.Reason}" ] ] ]
