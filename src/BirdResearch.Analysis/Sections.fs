namespace BirdResearch.Analysis

open System
open Giraffe.ViewEngine
open BirdResearch.Analysis.Page
open BirdResearch.Analysis.Words

/// The runs on one data set under one budget, measured: what compares fairly.
type internal Part =
    { Data: string
      /// Of every run: "20 epochs".
      Budget: string
      /// What tells it from the other parts of a report: data set, budget or both; empty where it is the only one.
      Title: string
      Runs: Run list
      Arms: Arm list }

    /// The held-out domains that any arm was scored in.
    member part.Domains =
        Runs.domains |> List.filter (fun domain -> domain <> "train" && part.Arms |> List.exists _.Domains.ContainsKey(domain))

    /// Readable names of classes.
    member part.Names =
        part.Runs |> List.map _.CommonNames |> List.tryFind (Map.isEmpty >> not) |> Option.defaultValue Map.empty

/// Tables and lists of a report, each made from measured runs.
module internal Sections =
    /// The parts of a report: by data set, and within it by budget.
    let parts (set: RunSet) : Part list =
        let byData = Runs.byData set

        [ for data, runs in byData do
              let byBudget = Runs.byBudget runs
              for budget, own in byBudget do
                  { Data = data
                    Budget = budget
                    Title = listed [ if byData.Length > 1 then data
                                     if byBudget.Length > 1 then budget ]
                    Runs = own
                    Arms = own |> Arms.ofRuns |> Arms.withIntervals Statistics.defaultResamples } ]

    let private second (arm: Arm) = if arm.Distinction = "" then arm.FrontEnd else $"{arm.FrontEnd}, {arm.Distinction}"
    let private millions (value: float) = str (significant (value / 1e6))

    let private scoreCell (domain: string) (arm: Arm) =
        match arm.Domains.TryFind domain with
        | None -> str "–"
        | Some result ->
            span []
                [ str (three result.Map.Mean)
                  if Double.IsFinite result.Map.Deviation then small [] [ str $" ± {three result.Map.Deviation}" ]
                  match result.Interval with
                  | Some interval -> small [] [ br []; str $"{three interval.Low} to {three interval.High}" ]
                  | None -> () ]

    /// What each arm reached, a row per arm.
    let results (part: Part) : XmlNode =
        let shifted = List.contains "soundscape" part.Domains
        let accuracy (arm: Arm) = arm.Mean(Runs.metric "accuracy" "focal")
        // Where soundscapes are the test, several birds may be heard at once, and accuracy is not the question.
        let accurate = not shifted && part.Arms |> List.exists (accuracy >> Double.IsFinite)

        let columns =
            [ text "Model"
              text "Front-end"
              text "Runs"
              for domain in part.Domains do
                  number $"{Charts.domainTitle domain} mAP" "mean ± sd, 95 % interval"
              number "Train − validation" "mAP"
              if shifted then number "Focal − soundscape" "mAP"
              if accurate then number "Accuracy" "focal"
              number "ROC-AUC" "focal, macro"
              number "Parameters" "million"
              number "Training" "clips/s" ]

        let row (arm: Arm) =
            [ str arm.Model
              str (second arm)
              str (arm.Design.Replace(' ', '\u00a0'))
              for domain in part.Domains do
                  scoreCell domain arm
              str (signed (Arms.overfittingGap arm))
              if shifted then str (signed (Arms.domainGap arm))
              if accurate then str (three (accuracy arm))
              str (three (arm.Mean(Runs.metric "roc_auc" "focal")))
              millions (arm.Mean(fun run -> float run.Record.Model.Parameters))
              str (significant (arm.Mean _.Record.Cost.TrainClipsPerSecond)) ]

        table "wide" columns [ "", part.Arms |> List.map row ]

    let private support (run: Run) (domain: string) (label: string) =
        match run.Classes.TryGetColumn<float>($"{domain}_support", Deedle.Lookup.Exact) with
        | found when found.HasValue -> found.Value |> Deedle.Series.tryGet label |> Option.defaultValue 0.0
        | _ -> 0.0

    /// Classes with positives, lowest average precision first, each with its name and its positives by domain; and names of the others.
    let species (part: Part) : (string * string) list * string list =
        match part.Runs |> List.tryFind (fun run -> run.Classes.RowCount > 0) with
        | None -> [], []
        | Some run ->
            let name (label: string) = part.Names.TryFind label |> Option.defaultValue label

            let scored, unscored =
                List.ofSeq run.Classes.RowKeys
                |> List.partition (fun label -> part.Domains |> List.exists (fun domain -> support run domain label > 0.0))

            let precision (label: string) =
                part.Domains
                |> List.map (fun domain -> (part.Arms |> List.map (Charts.classPrecision domain label) |> Statistics.spread).Mean)
                |> List.tryFind Double.IsFinite
                |> Option.defaultValue nan

            let labelled (label: string) =
                let counts = part.Domains |> List.map (fun domain -> string (support run domain label)) |> String.concat " / "
                label, $"{name label} ({counts})"

            scored |> List.sortBy (fun label -> precision label, label) |> List.map labelled, List.map name unscored

    /// Clips that the arms were asked about, at most so many, and files of them that could not be read.
    let sounds (most: int) (part: Part) : (Example * (string * Example) list) list * Skipped list =
        let firstOf (arm: Arm) =
            arm.Runs
            |> List.tryPick (fun run ->
                match SoundCharts.load run with
                | Ok [] -> None
                | Ok clips -> Some(Ok(arm.Label, clips))
                | Error reason -> Some(Error { Folder = $"{run.Name}/examples"; Reason = reason }))

        let found = part.Arms |> List.choose firstOf

        found |> List.choose Result.toOption |> SoundCharts.byClip |> List.truncate most,
        found |> List.choose (function Error skipped -> Some skipped | Ok _ -> None)

    let private hertz (value: float) = if value < 1000.0 then $"{round value} Hz" else $"{round (value / 100.0) / 10.0} kHz"

    /// A spectrogram with its edges in Hz and seconds.
    let picture (name: string) (minHz: float) (maxHz: float) (seconds: float) (png: byte[]) : XmlNode =
        div [ _class "picture" ]
            [ div [ _class "bands" ] [ span [] [ str (hertz maxHz) ]; span [] [ str (hertz minHz) ] ]
              img [ _src (SoundCharts.dataUri "image/png" png); _alt $"Spectrogram of {name}" ]
              div [ _class "times" ] [ span [] [ str "0 s" ]; span [] [ str $"{round (10.0 * seconds) / 10.0} s" ] ] ]

    /// A clip with its spectrogram, its sound, its truth and what each arm says.
    let sound (names: Map<string, string>) (clip: Example, told: (string * Example) list) : XmlNode =
        let name (label: string) = names.TryFind label |> Option.defaultValue label
        let truth = if clip.Truth.IsEmpty then "no species" else clip.Truth |> List.map name |> listed

        let guess (label: string, score: float) =
            let line = str $"{name label} {two score}"
            div [] [ if List.contains label clip.Truth then b [] [ line; rawText "&nbsp;✓" ] else line ]

        let player =
            match clip.Wav with
            | Some wav -> audio [ attr "controls" "controls"; attr "preload" "none"; _src (SoundCharts.dataUri "audio/wav" wav) ] []
            | None -> rawText ""

        let guesses =
            [ for arm, example in told do
                  tr [] [ td [] [ str arm ]; td [] (example.Predictions |> List.truncate 3 |> List.map guess) ] ]

        div [ _class "sound" ]
            [ h4 [] [ str truth; span [] [ str $"{clip.Id}, {Charts.domainName clip.Domain}" ] ]
              picture clip.Id clip.MinHz clip.MaxHz clip.Seconds clip.Png
              player
              tag "table" [] [ tbody [] guesses ] ]

    let private identity = [ text "Model"; text "Front-end"; number "Fold" ""; number "Seed" "" ]

    let private identify (part: Part) (run: Run) =
        let arm = part.Arms |> List.find (fun arm -> arm.Runs |> List.exists (fun other -> other.Name = run.Name))
        let trial = run.Record.Trial
        [ str arm.Model; str (second arm); str (string (trial.Fold.GetValueOrDefault())); str (string trial.Seed) ]

    let private scoresOfRuns (part: Part) =
        let columns =
            identity
            @ [ number "Scored" "rows"
                number "Classes" "with positives"
                number "mAP" "macro"
                number "mAP" "micro"
                number "mAP" "samples"
                number "cmAP" "padded by 5"
                number "ROC-AUC" "macro"
                number "Accuracy" "of single labels" ]

        let row (domain: string) (run: Run) =
            let scores = run.Record.Scores[domain]

            identify part run
            @ [ str (whole (float scores.Rows)); str (whole (float scores.ScoredClasses)) ]
            @ [ for name, _ in Runs.metrics -> str (three (Runs.metric name domain run)) ]

        Runs.domains
        |> List.map (fun domain -> domain, part.Runs |> List.filter _.Record.Scores.ContainsKey(domain))
        |> List.filter (fun (_, runs) -> not runs.IsEmpty)
        |> List.map (fun (domain, runs) -> Charts.domainTitle domain, runs |> List.map (row domain))
        |> table "wide" columns

    let private costOfRuns (part: Part) =
        let columns =
            identity
            @ [ number "Parameters" "million"
                number "Multiply-adds" "million per clip"
                number "Features" "rows × frames"
                number "Steps" ""
                number "Clips" "trained on"
                number "Training" "s"
                number "Training" "clips/s"
                number "Scoring" "windows/s"
                number "Finished" "UTC" ]

        let row (run: Run) =
            let model, cost = run.Record.Model, run.Record.Cost

            identify part run
            @ [ millions (float model.Parameters)
                millions (float model.MultiplyAdds)
                str $"{model.Rows} × {model.Frames}"
                str (whole (float cost.Steps))
                str (whole (float cost.Clips))
                str (significant cost.TrainSeconds)
                str (significant cost.TrainClipsPerSecond)
                str (significant cost.InferClipsPerSecond)
                str (moment cost.Finished) ]

        table "wide" columns [ "", part.Runs |> List.map row ]

    /// Share of the training samples that each augmentation changed, a column per arm; what changed none anywhere is left out.
    let augmentations (part: Part) : XmlNode list =
        let count (name: string) (arm: Arm) =
            arm.Runs
            |> List.map (fun run -> match run.Record.Augmentations.TryGetValue name with | true, count -> count.Applied, count.Offered | _ -> 0L, 0L)
            |> List.fold (fun (applied, offered) (a, o) -> applied + a, offered + o) (0L, 0L)

        let names =
            part.Runs
            |> List.collect (fun run -> List.ofSeq run.Record.Augmentations.Keys)
            |> List.distinct
            |> List.filter (fun name -> part.Arms |> List.exists (fun arm -> fst (count name arm) > 0L))
            |> List.sort

        let cell (applied: int64, offered: int64) =
            if offered = 0L then str "–"
            else span [] [ str $"{significant (100.0 * float applied / float offered)} %%"; small [] [ br []; str $"{whole (float applied)} of {whole (float offered)}" ] ]

        if names.IsEmpty then []
        else
            [ h4 [] [ str "Training samples that augmentations changed, of those offered" ]
              table "" (text "Augmentation" :: [ for arm in part.Arms -> number arm.Label "" ])
                  [ "", [ for name in names -> str name :: [ for arm in part.Arms -> cell (count name arm) ] ] ] ]

    /// Every figure of every run.
    let allNumbers (part: Part) : XmlNode list =
        [ h4 [] [ str "Scores of every run" ]
          scoresOfRuns part
          h4 [] [ str "Size and cost of every run" ]
          costOfRuns part
          yield! augmentations part ]
