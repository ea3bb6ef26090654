namespace BirdResearch.Analysis

open System
open System.IO
open BirdResearch.Data
open Giraffe.ViewEngine

/// The page about an ablation: one HTML file that needs no network.
[<RequireQualifiedAccess>]
module Report =
    /// Species in one figure at most; a page of paper holds them.
    let private mostSpecies = 40

    /// The sections of one data set, and what of its examples could not be read. number counts the figures of the page.
    let private sections (styles: Map<string, ArmStyle>) (several: bool) (number: int ref) (index: int, part: Part) =
        let domains = Sections.domainsOf part
        let id name = if index = 0 then name else $"{name}-{index + 1}"
        let key = Page.key styles part.Arms

        let figure columns legend charts name caption =
            number.Value <- number.Value + 1
            let places = charts |> List.mapi (fun place chart -> Page.chart $"figure-{number.Value}-{place + 1}" chart)
            Page.figure columns legend places number.Value name caption

        let labels, unscored = Sections.speciesLabels part
        let sounds, unread = Sections.soundsOf part
        let names = part.Runs |> List.map _.CommonNames |> List.tryFind (Map.isEmpty >> not) |> Option.defaultValue Map.empty
        let shown = Charts.speciesShown mostSpecies labels

        let nodes =
            [ if several then
                  h2 [ _class "dataset" ] [ str part.Data ]
              section [ _class "reading"; _id (id "reading") ]
                  [ h2 [] [ str "What the numbers say" ]
                    for paragraph in Reading.paragraphs part.Arms do
                        p [] [ str paragraph ] ]
              Sections.results part

              h2 [ _id (id "map") ] [ str "Comparative mAP" ]
              figure "" [] [ Charts.comparison styles domains part.Arms ] "Comparative mAP"
                  $"Bars are means over runs, markers single runs, black lines the 95 %% bootstrap interval of the mean over recordings \
                    ({Statistics.defaultResamples} resamples, percentiles less the resampling bias; soundscape windows are drawn by recording). \
                    The interval holds the chance of which recordings were scored, not that of the seed, which the markers show. \
                    The dotted line is what guessing reaches."

              h2 [ _id (id "gap") ] [ str "Training against validation" ]
              figure "" [ Page.domainKey ("train" :: domains) ] [ Charts.overfitting styles part.Arms ] "The over-fitting gap"
                  "Macro mAP of the last epoch's weights without augmentation, mean over runs. The longer the line to the open circle, the more a model \
                   knows its training recordings by heart."

              h2 [ _id (id "curves") ] [ str "Learning curves" ]
              figure "three" [ key ]
                  [ Charts.learningCurves styles "train_loss" "training loss" part.Arms
                    Charts.learningCurves styles "train_map" "mAP, training recordings" part.Arms
                    Charts.learningCurves styles "focal_map" "mAP, focal validation" part.Arms ]
                  "Learning curves" "Thick lines are means over runs, thin lines single runs. The training loss is that of augmented batches."

              if not shown.IsEmpty then
                  h2 [ _id (id "species") ] [ str "Per species" ]
                  figure "" [ key ] [ Charts.perSpecies styles domains shown part.Arms ] "Average precision by species"
                      (String.concat " "
                          [ "Mean over runs, lowest validation first. Behind each name: positives in " + String.Join(" / ", domains |> List.map Charts.domainName) + "."
                            if shown.Length < labels.Length then $"The {mostSpecies / 2} lowest and the {mostSpecies / 2} highest of {labels.Length}; classes.csv of each run has all."
                            if not unscored.IsEmpty then $"Without positives, so not averaged: {Words.listed unscored}." ])

              h2 [ _id (id "cost") ] [ str "Score against size and speed" ]
              figure "two" [ key ]
                  [ Charts.scoreAgainst styles domains.Head "trainable parameters" (fun run -> float run.Record.Model.Parameters) part.Arms
                    Charts.scoreAgainst styles domains.Head "clips trained per second" _.Record.Cost.TrainClipsPerSecond part.Arms ]
                  "Score against size and speed" "Large markers are means with their interval over recordings, small ones single runs. The lower axes are logarithmic."

              if not sounds.IsEmpty then
                  h2 [ _id (id "sounds") ] [ str "Listen" ]
                  p [ _class "quiet" ] [ str "Clips that no arm was trained on, with the three classes that each arm scores highest. A tick marks a class that is heard." ]
                  div [ _class "sounds" ] (sounds |> List.map (Sections.sound names))

              h2 [ _id (id "numbers") ] [ str "All numbers" ]
              yield! Sections.allNumbers part ]

        nodes, unread

    let private facts (set: RunSet) (parts: Part list) =
        let finished = set.Runs |> List.map _.Record.Cost.Finished |> List.max
        let seeds = set.Runs |> List.distinctBy _.Record.Trial.Seed |> List.length
        let arms = parts |> List.collect _.Arms |> List.distinctBy _.Label |> List.length

        String.Join(
            " · ",
            [ Words.counted arms "arm"
              Words.counted seeds "seed"
              Words.counted set.Runs.Length "run"
              Words.listed (parts |> List.map _.Data)
              $"last run finished {Words.moment finished} UTC" ]
        )

    /// The page as HTML: title, the ablation's question, then a set of sections per data set, then provenance.
    let html (name: string) (question: string) (set: RunSet) : string =
        if set.Runs.IsEmpty then
            let reasons = set.Skipped |> List.truncate 3 |> List.map (fun item -> $" {item.Folder}: {item.Reason}") |> String.concat ""
            raise (InvalidDataException $"{set.Folder} holds no finished run to report on.{reasons}")

        let parts =
            [ for data, runs in Runs.byData set ->
                  { Data = data; Runs = runs; Arms = runs |> Arms.ofRuns |> Arms.withIntervals Statistics.defaultResamples } ]

        let styles = parts |> List.collect _.Arms |> List.map _.Label |> Theme.styles
        let told = parts |> List.indexed |> List.map (sections styles (parts.Length > 1) (ref 0))
        let skipped = set.Skipped @ List.collect snd told

        let links =
            [ "reading", "Reading"; "map", "mAP"; "gap", "Over-fitting"; "curves", "Learning curves"; "species", "Species"
              "cost", "Size and speed"; "sounds", "Sounds"; "numbers", "All numbers"; "provenance", "Provenance" ]

        Page.document name
            [ header []
                  [ p [ _class "overline" ] [ str "BirdResearch · ablation report" ]
                    h1 [] [ str name ]
                    if question <> "" then p [ _class "question" ] [ str question ]
                    p [ _class "facts" ] [ str (facts set parts) ] ]
              nav [] [ for target, text in links -> a [ _href $"#{target}" ] [ str text ] ]
              if not skipped.IsEmpty then
                  let items = Words.counted skipped.Length "folder or file"
                  p [ _class "note" ] [ str $"{items} could not be read and is not shown here; see Provenance." ]
              yield! List.collect fst told
              yield! Sections.provenance set parts skipped
              footer [] [ str "Every number and sentence is generated from the folders of the runs. Figures are drawn by plotly.js, which is part of this file." ] ]

    let private replace (path: string) (write: string -> unit) =
        let beside = path + ".new"
        write beside
        File.Move(beside, path, overwrite = true)

    /// Writes report.html and report.csv, the numbers of every run, into an ablation's folder, given by path or by name, and returns
    /// the path of report.html. Both are written beside and renamed, so that a reader never sees half of one.
    let write (ablation: string) (title: string) (question: string) : string =
        let set = Runs.load ablation
        let path = Path.Combine(set.Folder, "report.html")
        let page = html title question set
        replace path (fun beside -> File.WriteAllText(beside, page))

        let heads, rows = Runs.cells set
        replace (Path.Combine(set.Folder, "report.csv")) (fun beside -> CsvTable.Write(beside, heads, rows))
        path
