namespace BirdResearch.Analysis

open System
open Giraffe.ViewEngine
open BirdResearch.Analysis.Page
open BirdResearch.Analysis.Words

/// Tables and lists of a report, each made from measured runs.
module internal Sections =
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

    let private hertz (value: float) = if value < 1000.0 then $"{round value} Hz" else $"{round (value / 100.0) / 10.0} kHz"

    /// A spectrogram with its edges in Hz and seconds.
    let picture (name: string) (minHz: float) (maxHz: float) (seconds: float) (png: byte[]) : XmlNode =
        div [ _class "picture" ]
            [ div [ _class "bands" ] [ span [] [ str (hertz maxHz) ]; span [] [ str (hertz minHz) ] ]
              img [ _src (SoundCharts.dataUri "image/png" png); _alt $"Spectrogram of {name}" ]
              div [ _class "times" ] [ span [] [ str "0 s" ]; span [] [ str $"{round (10.0 * seconds) / 10.0} s" ] ] ]

    /// A clip with its spectrogram, its sound, its truth and what each arm says.
    let clip (withSound: bool) (names: Map<string, string>) (clip: ShownClip) : XmlNode =
        let name (label: string) = names.TryFind label |> Option.defaultValue label
        let truth = if clip.Truth.IsEmpty then "no species" else clip.Truth |> List.map name |> listed
        let loss = if Double.IsFinite clip.Loss then $", loss {two clip.Loss}" else ""

        let guess (label: string, score: float) =
            let line = str $"{name label} {two score}"
            div [] [ if List.contains label clip.Truth then b [] [ line; rawText "&nbsp;✓" ] else line ]

        let guesses = [ for arm, scores in clip.Told -> tr [] [ td [] [ str arm ]; td [] (scores |> List.truncate 3 |> List.map guess) ] ]

        div [ _class "sound" ]
            [ h4 [] [ str truth; span [] [ str $"{clip.Id}, {Charts.domainName clip.Domain}{loss}" ] ]
              match clip.Example with
              | Some example ->
                  picture clip.Id example.MinHz example.MaxHz example.Seconds example.Png.Value

                  match example.Sound with
                  | Some path when withSound ->
                      audio [ attr "controls" "controls"; attr "preload" "none"; _src (SoundCharts.dataUri "audio/wav" (IO.File.ReadAllBytes path)) ] []
                  | _ -> ()
              | None -> p [ _class "quiet" ] [ str "No run kept its spectrogram." ]
              tag "table" [] [ tbody [] guesses ] ]

    /// An arm's code of a clip beside the clip's spectrogram.
    let code (clip: ShownClip) (arm: string, code: CodePicture) : XmlNode =
        let seconds = match clip.Example with Some example -> example.Seconds | None -> nan
        let shown = if code.Shown < code.Units then $"the {code.Shown} busiest of {code.Units} units" else $"{code.Units} units"

        div [ _class "sound code" ]
            [ h4 [] [ str arm; span [] [ str $"{shown}, the busiest above" ] ]
              div [ _class "picture" ]
                  [ div [ _class "bands" ] [ span [] [ str "1" ]; span [] [ str $"{code.Shown}" ] ]
                    img [ _src (SoundCharts.dataUri "image/png" code.Png); _alt $"Code of {clip.Id} by {arm}" ]
                    div [ _class "times" ] [ span [] [ str "0 s" ]; span [] [ str $"{round (10.0 * seconds) / 10.0} s" ] ] ] ]

    let private identity = [ text "Model"; text "Front-end"; number "Fold" ""; number "Seed" "" ]

    let private identify (part: Part) (run: Run) =
        let arm = part.Arms |> List.find (fun arm -> arm.Runs |> List.exists (fun other -> other.Name = run.Name))
        let trial = run.Record.Trial
        [ str arm.Model; str (second arm); str (string (trial.Fold.GetValueOrDefault())); str (string trial.Seed) ]

    /// What an arm's training cost in every currency of a budget.
    let spent (arm: Arm) : string =
        let mean value = arm.Mean value
        let epochs = mean (fun run -> float run.Epochs.RowCount)
        let clips = mean (fun run -> float run.Record.Cost.Clips)
        let adds = mean (fun run -> float run.Record.Cost.Clips * float run.Record.Model.MultiplyAdds)
        $"{significant epochs} epochs, {whole clips} clips, {significant (mean _.Record.Cost.TrainSeconds)} s, {significant (adds / 1e9)} G multiply-adds"

    /// Rank, score and price of each arm under each budget, a row per arm.
    let underBudgets (domain: string) (parts: Part list) : XmlNode =
        let ranked = [ for part in parts -> part, RankCharts.ranked domain part.Arms, Comparisons.letters part.Comparisons[domain] part.Arms ]
        let labels = [ for _, arms, _ in ranked do for arm in arms -> arm.Label ] |> List.distinct

        let cell (label: string) (_, arms: Arm list, letters: Map<string, string>) =
            match arms |> List.tryFindIndex (fun arm -> arm.Label = label) with
            | None -> str "–"
            | Some index ->
                let letter = letters.TryFind label |> Option.defaultValue ""
                span []
                    [ b [] [ str $"{index + 1}" ]
                      str $"  {three (Arms.map domain arms[index])} {letter}"
                      small [] [ br []; str (spent arms[index]) ] ]

        table "wide budgets" (text "Arm" :: [ for part in parts -> { text part.Budget with Unit = "rank, mAP, letter of groups not told apart; price" } ])
            [ "", [ for label in labels -> str label :: List.map (cell label) ranked ] ]

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
