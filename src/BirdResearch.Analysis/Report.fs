namespace BirdResearch.Analysis

open System
open System.IO
open BirdResearch.Data
open Giraffe.ViewEngine
open Plotly.NET
open BirdResearch.Analysis.Words

/// The page about an ablation: one HTML file that needs no network.
[<RequireQualifiedAccess>]
module Report =
    /// Species in one figure at most; a page of paper holds them.
    let private mostSpecies = 40

    /// Clips with sound on the page at most.
    let private mostSounds = 8

    let private sections =
        [ "reading", "Reading"
          "map", "mAP"
          "gap", "Over-fitting"
          "curves", "Learning curves"
          "species", "Species"
          "cost", "Size and speed"
          "sounds", "Sounds"
          "numbers", "All numbers"
          "provenance", "Provenance" ]

    let private comparisonCaption =
        $"Bars are means over runs, markers single runs, black lines the 95 %% bootstrap interval of the mean over recordings \
          ({Statistics.defaultResamples} resamples, percentiles less the resampling bias; soundscape windows are drawn by recording). \
          The interval holds the chance of which recordings were scored, not that of the seed, which the markers show. \
          The dotted line is what guessing reaches."

    let private speciesFigure (figure: XmlNode -> GenericChart list -> string -> string -> XmlNode) styles key (part: Part) =
        match Sections.species part with
        | [], _ -> []
        | labels, unscored ->
            let half = mostSpecies / 2
            let all = labels.Length <= mostSpecies
            let shown = if all then labels else List.take half labels @ List.skip (labels.Length - half) labels
            let domains = part.Domains |> List.map Charts.domainName |> String.concat " / "

            let chart = Charts.perSpecies styles part.Domains shown part.Arms

            let caption =
                [ $"Mean over runs, lowest validation first. Behind each name: positives in {domains}."
                  if not all then $"The {half} lowest and the {half} highest of {labels.Length}; classes.csv of each run has all."
                  if not unscored.IsEmpty then $"Without positives, so not averaged: {listed unscored}." ]

            [ figure key [ chart ] "Average precision by species" (String.concat " " caption) ]

    /// A figure of up to three settings that were changed in steps, and the next; nothing where none was.
    let private sweepFigures (figure: XmlNode -> GenericChart list -> string -> string -> XmlNode) (part: Part) =
        let sweeps = Sweeps.ofArms part.Arms
        let models = sweeps |> List.map _.Model |> List.distinct
        let styles = Theme.styles models

        [ for domain in part.Domains do
              for settings in sweeps |> List.groupBy _.Setting |> List.chunkBySize 3 do
                  let charts = [ for setting, own in settings -> Charts.sweep styles domain setting own ]
                  let names = settings |> List.map fst |> listed

                  figure (Page.keyOfModels styles) charts $"{Charts.domainTitle domain} mAP against {names}"
                      "Arms of a model that differ in this number alone. Large marks are means over runs, small ones single runs; the lower axes are logarithmic." ]

    let private soundSection (id: string) (part: Part) sounds =
        if List.isEmpty sounds then
            []
        else
            [ h2 [ _id id ] [ str "Listen" ]
              p [ _class "quiet" ]
                  [ str "Held-out clips, with the three classes that each arm scores highest. A tick marks one that is heard." ]
              div [ _class "sounds" ] (sounds |> List.map (Sections.sound part.Names)) ]

    /// The sections of one data set, what of its examples could not be read, and whether others could. drawn counts the page's figures.
    let private sectionsOf (styles: Map<string, ArmStyle>) (several: bool) (drawn: int ref) (index: int, part: Part) =
        let id (name: string) = if index = 0 then name else $"{name}-{index + 1}"
        let head (name: string) (title: string) = h2 [ _id (id name) ] [ str title ]
        let key = Page.key styles part.Arms
        let sounds, unread = Sections.sounds mostSounds part

        let figure key charts name caption =
            drawn.Value <- drawn.Value + 1
            Page.figure drawn.Value key charts name caption

        let curve column title = Charts.learningCurves styles column title part.Arms
        let against title cost = Charts.scoreAgainst styles part.Domains.Head title cost part.Arms

        [ if several then
              h2 [ _class "dataset" ] [ str part.Data ]
          section [ _class "reading" ]
              [ head "reading" "What the numbers say"
                for paragraph in Reading.paragraphs part.Arms do
                    p [] [ str paragraph ] ]
          Sections.results part

          if not part.Domains.IsEmpty then
              head "map" "Comparative mAP"
              figure (rawText "") [ Charts.comparison styles part.Domains part.Arms ] "Comparative mAP" comparisonCaption

              yield! sweepFigures figure part

              head "gap" "Training against validation"
              figure (Page.domainKey ("train" :: part.Domains)) [ Charts.overfitting styles part.Arms ] "The over-fitting gap"
                  "Macro mAP of the last epoch's weights without augmentation, mean over runs. The farther the open circle lies from \
                   the filled one, the more a model knows its training recordings by heart."

          head "curves" "Learning curves"
          figure key [ curve "train_loss" "training loss"; curve "train_map" "mAP, training"; curve "focal_map" "mAP, validation" ]
              "Learning curves" "Thick lines are means over runs, thin lines single runs. The training loss is that of augmented batches."

          if not part.Domains.IsEmpty then
              head "species" "Per species"
              yield! speciesFigure figure styles key part

              head "cost" "Score against size and speed"
              figure key
                  [ against "trainable parameters" (fun run -> float run.Record.Model.Parameters)
                    against "clips trained per second" _.Record.Cost.TrainClipsPerSecond ]
                  "Score against size and speed"
                  "Large markers are means with their interval over recordings, small ones single runs. The lower axes are logarithmic."

          yield! soundSection (id "sounds") part sounds
          head "numbers" "All numbers"
          yield! Sections.allNumbers part ],
        unread,
        not sounds.IsEmpty

    let private facts (set: RunSet) (parts: Part list) =
        let arms = parts |> List.collect _.Arms |> List.distinctBy _.Label
        let seeds = set.Runs |> List.distinctBy _.Record.Trial.Seed
        let last = set.Runs |> List.map _.Record.Cost.Finished |> List.max

        [ counted arms.Length "arm"
          counted seeds.Length "seed"
          counted set.Runs.Length "run"
          listed (parts |> List.map _.Data)
          $"last run finished {moment last} UTC" ]
        |> String.concat " · "

    let private top (name: string) (question: string) (facts: string) (sections: (string * string) list) (skipped: int) =
        [ header []
              [ p [ _class "overline" ] [ str "BirdResearch · ablation report" ]
                h1 [] [ str name ]
                if question <> "" then p [ _class "question" ] [ str question ]
                p [ _class "facts" ] [ str facts ] ]
          nav [] [ for target, text in sections -> a [ _href $"#{target}" ] [ str text ] ]
          if skipped > 0 then
              p [ _class "note" ] [ str $"Not shown, since it could not be read: {skipped} of the folders and files. See Provenance." ] ]

    let private bottom =
        footer []
            [ str "Every number and sentence is made from the folders of the runs. Figures are drawn by plotly.js, a part of this file." ]

    /// The page as HTML: title, the ablation's question, then a set of sections per data set, then provenance.
    let html (title: string) (question: string) (set: RunSet) : string =
        if set.Runs.IsEmpty then
            let reasons = set.Skipped |> List.truncate 3 |> List.map (fun item -> $" {item.Folder}: {item.Reason}") |> String.concat ""
            raise (InvalidDataException $"{set.Folder} holds no finished run to report on.{reasons}")

        let parts =
            [ for data, runs in Runs.byData set ->
                  { Data = data; Runs = runs; Arms = runs |> Arms.ofRuns |> Arms.withIntervals Statistics.defaultResamples } ]

        let styles = parts |> List.collect _.Arms |> List.map _.Label |> Theme.styles
        let told = parts |> List.indexed |> List.map (sectionsOf styles (parts.Length > 1) (ref 0))
        let skipped = set.Skipped @ List.collect (fun (_, unread, _) -> unread) told
        let scored, heard = not parts.Head.Domains.IsEmpty, told |> List.head |> (fun (_, _, heard) -> heard)

        let has (name: string) =
            match name with
            | "map" | "gap" | "species" | "cost" -> scored
            | "sounds" -> heard
            | _ -> true

        Page.document true title
            [ yield! top title question (facts set parts) (sections |> List.filter (fst >> has)) skipped.Length
              yield! List.collect (fun (nodes, _, _) -> nodes) told
              yield! Provenance.section set parts skipped
              bottom ]

    let private replace (path: string) (write: string -> unit) =
        let beside = path + ".new"
        write beside
        File.Move(beside, path, overwrite = true)

    /// Writes report.html, and report.csv with the numbers of every run, into an ablation's folder, given by path or by name, and
    /// returns the path of report.html. Both are written beside and renamed, so that a reader never sees half of one.
    let write (ablation: string) (title: string) (question: string) : string =
        let set = Runs.load ablation
        let path = Path.Combine(set.Folder, "report.html")
        let page = html title question set
        replace path (fun beside -> File.WriteAllText(beside, page))

        let heads, rows = Runs.cells set
        replace (Path.Combine(set.Folder, "report.csv")) (fun beside -> CsvTable.Write(beside, heads, rows))
        path
