namespace BirdResearch.Analysis

open System
open System.IO
open Giraffe.ViewEngine
open BirdResearch.Files
open BirdResearch.Analysis.Words

/// What a report holds.
type ReportOptions =
    { /// Whether the examples' sound is a part of the page; their spectrograms are in any case.
      Sound: bool
      /// Whether figures are drawn although runs that belong to them are missing or stale.
      AllowMissing: bool }

    /// The two choices, by name.
    static member Of(sound: bool, allowMissing: bool) = { Sound = sound; AllowMissing = allowMissing }

    /// With sound, and figures only of what is whole.
    static member Default = { Sound = true; AllowMissing = false }

/// The page about an ablation: one HTML file that needs no network.
[<RequireQualifiedAccess>]
module Report =
    let private sections =
        [ "budgets", "Budgets"
          "reading", "Reading"
          "map", "mAP"
          "ranks", "Ranks"
          "gap", "Over-fitting"
          "curves", "Learning curves"
          "shift", "Domain shift"
          "species", "Species"
          "mistakes", "Mistakes"
          "cost", "Price"
          "robustness", "Robustness"
          "codes", "Codes"
          "sounds", "Clips"
          "numbers", "All numbers"
          "provenance", "Provenance" ]

    /// Words as part of a file's name.
    let private fileName (words: string) =
        String(words.ToLowerInvariant() |> Seq.map (fun letter -> if Char.IsAsciiLetterOrDigit letter then letter else '-') |> Array.ofSeq).Trim('-').Replace("--", "-")

    let private soundSection (id: string) (withSound: bool) (part: Part) (clips: ShownClips) =
        let group (title: string) (words: string) (shown: ShownClip list) =
            if shown.IsEmpty then []
            else
                [ h4 [] [ str title ]
                  p [ _class "quiet" ] [ str words ]
                  div [ _class "sounds" ] (shown |> List.map (Sections.clip withSound part.Names)) ]

        if clips.Hardest.IsEmpty && clips.Examples.IsEmpty then []
        else
            let arms = if part.Arms.Length > Clips.mostArms then $" of the {Clips.mostArms} best arms" else ""

            [ h2 [ _id id ] [ str (if withSound then "Listen" else "Look") ]
              yield! group "The hardest windows"
                  $"Of the {Clips.hardestAsked} held-out clips of each domain whose scores have the highest cross-entropy with what is heard (mean over species, runs and arms), some, \
                    those first that a run kept; with the three classes that each{arms} scores highest. A tick marks one that is heard. Look here for wrong labels too." clips.Hardest
              yield! group "Others" "Held-out clips spread evenly over each domain." clips.Examples ]

    /// Codes of a clip by every arm that has codes, beside its spectrogram.
    let private codeNodes (part: Part) (clips: ShownClips) =
        [ for clip, codes in clips.Codes do
              h4 [] [ str $"What the codes look like: {clip.Id}" ]
              div [ _class "sounds" ]
                  [ Sections.clip false part.Names { clip with Told = [] }
                    for code in codes do
                        Sections.code clip code ] ]

    /// A figure with its number and the name of its files, unless runs that it needs are missing or stale.
    let private place (refused: Problem list) (drawn: int ref) (title: string) (figure: Figure) =
        Refusal.orDraw refused figure.Title (fun () ->
            drawn.Value <- drawn.Value + 1
            Page.figure drawn.Value { figure with Name = if title = "" then figure.Name else $"{figure.Name}-{fileName title}" })

    /// Rankings beside each other where a data set was run under several budgets, which are never mixed.
    let private byBudget (refused: Part list -> Problem list) styles (drawn: int ref) (parts: Part list) =
        [ for data, own in parts |> List.groupBy _.Data do
              if own.Length > 1 && not own.Head.Domains.IsEmpty then
                  let title = if (parts |> List.distinctBy _.Data).Length > 1 then data else ""
                  h2 [ _id (if drawn.Value = 0 then "budgets" else $"budgets-{fileName data}") ]
                      [ str (if title = "" then "The same arms under several budgets" else $"{data}: the same arms under several budgets") ]
                  yield! Figures.budgets styles own |> List.map (place (refused own) drawn title)

                  for domain in own.Head.Domains do
                      if own |> List.forall (fun part -> part.Comparisons.ContainsKey domain) then
                          h4 [] [ str $"{Charts.domainTitle domain}: rank, mAP and price under each budget" ]
                          Sections.underBudgets domain own ]

    /// The sections of one part, what of its examples could not be read, and their names. drawn counts the page's figures.
    let private sectionsOf (options: ReportOptions) (refused: Part list -> Problem list) (styles: Map<string, ArmStyle>) (drawn: int ref) (index: int, part: Part, isFirstOfData: bool) =
        let id (name: string) = if index = 0 then name else $"{name}-{index + 1}"
        let wrong = part.Arms |> List.choose Mistakes.ofArm
        // Under another budget the clips of the same data would be told once more.
        let clips = if isFirstOfData then Clips.ofPart part wrong else Clips.none

        let section (name: string) (title: string) (figures: Figure list) =
            if figures.IsEmpty then [] else [ name, h2 [ _id (id name) ] [ str title ] :: List.map (place (refused [ part ]) drawn part.Title) figures ]

        let scored figures = if part.Domains.IsEmpty then [] else figures styles part

        let told =
            [ yield! section "map" "Comparative mAP" (scored Figures.comparison @ scored (fun _ -> Figures.sweeps))
              yield! section "ranks" "Ranks" (scored Figures.ranks)
              yield! section "gap" "Training against validation" (scored Figures.overfitting)
              yield! section "curves" "Learning curves" (Figures.curves styles part)
              yield! section "shift" "Domain shift" (scored Figures.shift)
              yield! section "species" "Per species" (scored Figures.species)
              yield! section "mistakes" "Mistakes" (Figures.mistakes part wrong)
              yield! section "cost" "Score against price" (scored Figures.prices)
              yield! section "robustness" "Robustness" (Figures.robustness styles part)

              match section "codes" "Codes" (Figures.codes styles part) with
              | [ name, nodes ] -> name, nodes @ codeNodes part clips
              | _ -> ()

              match soundSection (id "sounds") options.Sound part clips with
              | [] -> ()
              | nodes -> "sounds", nodes ]

        [ if part.Title <> "" then
              h2 [ _class "dataset"; _id $"part-{fileName part.Title}" ] [ str part.Title ]
          Giraffe.ViewEngine.HtmlElements.section [ _class "reading" ]
              [ h2 [ _id (id "reading") ] [ str "What the numbers say" ]
                for paragraph in Reading.paragraphs (part.Comparisons.Values |> List.concat) part.Arms do
                    p [] [ str paragraph ] ]
          Sections.results part
          yield! List.collect snd told
          h2 [ _id (id "numbers") ] [ str "All numbers" ]
          yield! Sections.allNumbers part ],
        clips.Unread,
        List.map fst told

    let private facts (set: RunSet) (parts: Part list) =
        let arms = parts |> List.collect _.Arms |> List.distinctBy _.Label
        let seeds = set.Runs |> List.distinctBy _.Record.Trial.Seed
        let last = set.Runs |> List.map _.Record.Cost.Finished |> List.max

        [ counted arms.Length "arm"
          counted seeds.Length "seed"
          counted set.Runs.Length "run"
          listed (parts |> List.map _.Data |> List.distinct)
          listed (parts |> List.map _.Budget |> List.distinct)
          $"last run finished {moment last} UTC" ]
        |> String.concat " · "

    let private top (name: string) (question: string) (facts: string) (sections: (string * string) list) (parts: Part list) (skipped: int) =
        [ header []
              [ p [ _class "overline" ] [ str "BirdResearch · ablation report" ]
                h1 [] [ str name ]
                if question <> "" then p [ _class "question" ] [ str question ]
                p [ _class "facts" ] [ str facts ] ]
          nav []
              [ for part in parts do
                    if part.Title <> "" then a [ _href $"#part-{fileName part.Title}" ] [ b [] [ str part.Title ] ]
                for target, text in sections do
                    a [ _href $"#{target}" ] [ str text ] ]
          if skipped > 0 then
              p [ _class "note" ] [ str $"Not shown, since it could not be read: {skipped} of the folders and files. See Provenance." ] ]

    let private bottom =
        footer []
            [ str "Every number and sentence is made from the folders of the runs. Figures are drawn by plotly.js, a part of this file." ]

    /// The page, and what it was made of.
    let private page (options: ReportOptions) (title: string) (question: string) (set: RunSet) : string * Part list * Problem list =
        if set.Runs.IsEmpty then
            let reasons = set.Skipped |> List.truncate 3 |> List.map (fun item -> $" {item.Folder}: {item.Reason}") |> String.concat ""
            raise (InvalidDataException $"{set.Folder} holds no finished run to report on.{reasons}")

        let problems = Ledger.check set

        let refused (parts: Part list) =
            if options.AllowMissing then []
            else parts |> List.collect (fun part -> Ledger.under part.Runs.Head.Record.Data.Name part.Budget problems)

        let parts = Parts.ofRuns set
        let styles = parts |> List.collect _.Arms |> List.map _.Label |> Theme.styles
        let drawn = ref 0
        let across = byBudget refused styles drawn parts
        let isFirst (index: int) = parts |> List.take index |> List.forall (fun part -> part.Data <> parts[index].Data)
        let told = parts |> List.mapi (fun index part -> sectionsOf options refused styles drawn (index, part, isFirst index))
        let skipped = set.Skipped @ List.collect (fun (_, unread, _) -> unread) told
        let always = [ "reading"; "numbers"; "provenance"; if not across.IsEmpty then "budgets" ]
        let has (name: string) = List.contains name always || (told |> List.head |> fun (_, _, names) -> List.contains name names)

        Page.document true title
            [ yield! top title question (facts set parts) (sections |> List.filter (fst >> has)) parts skipped.Length
              if not problems.IsEmpty then Refusal.note problems
              yield! across
              yield! List.collect (fun (nodes, _, _) -> nodes) told
              yield! Provenance.section set parts skipped
              bottom ],
        parts,
        problems

    /// The page as HTML: title, the ablation's question, then a set of sections per data set and budget, then provenance.
    let htmlWith (options: ReportOptions) (title: string) (question: string) (set: RunSet) : string =
        let html, _, _ = page options title question set
        html

    /// The same with what a report has where nothing else is asked for.
    let html (title: string) (question: string) (set: RunSet) : string = htmlWith ReportOptions.Default title question set

    /// Writes report.html, report.md and the tables of all numbers (report.csv, arms.csv, comparisons.csv, classes.csv, each with its Parquet twin)
    /// into an ablation's folder, given by path or by name, and returns the path of report.html. Each is written beside and renamed, so that a
    /// reader never sees half of one.
    let writeWith (options: ReportOptions) (ablation: string) (title: string) (question: string) : string =
        let set = Runs.load ablation
        let path = Path.Combine(set.Folder, "report.html")
        let html, parts, problems = page options title question set
        WholeFile.Write(path, html)

        let told = [ for part in parts -> (if part.Title = "" then part.Data else part.Title), part.Arms, part.Comparisons.Values |> List.concat ]
        Tables.writeAll set [ for part, (_, arms, comparisons) in List.zip parts told -> part.Data, arms, comparisons ] |> ignore
        let text = Markdown.page title question set problems told
        WholeFile.Write(Path.Combine(set.Folder, "report.md"), text)
        path

    /// The same with what a report has where nothing else is asked for.
    let write (ablation: string) (title: string) (question: string) : string = writeWith ReportOptions.Default ablation title question
