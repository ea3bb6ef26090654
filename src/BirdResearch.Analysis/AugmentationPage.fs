namespace BirdResearch.Analysis

open System
open System.IO
open Giraffe.ViewEngine
open BirdResearch.Files
open BirdResearch.Experiments
open BirdResearch.Features
open BirdResearch.Analysis.Words

/// The page that shows what each augmentation does to one clip, to see and to hear: one HTML file that needs no network and no run.
[<RequireQualifiedAccess>]
module AugmentationPage =
    let private stage (entry: AugmentationEntry) =
        match entry.Stage with
        | AugmentationStage.Window -> "on each window, while it is read"
        | AugmentationStage.Batch -> "on a batch, with its labels"
        | _ -> "on features"

    let private labelled (clip: AugmentedClip) =
        match [ for struct (name, label) in clip.Labels -> if label = 1.0 then name else $"{two label} {name}" ] with
        | [] -> "no class"
        | labels -> listed labels

    let private sound (examples: AugmentationExamples) (withLabels: bool) (clip: AugmentedClip) =
        let level = if clip.LevelDb.HasValue then [ clip.LevelDb.Value.ToString("0.0;−0.0", Globalization.CultureInfo.InvariantCulture) + " dB" ] else [ "features only, the sound stays" ]
        let facts = String.Join(", ", (if withLabels then [ labelled clip ] else []) @ level)

        div [ _class "sound" ]
            [ h4 [] [ str clip.Name; span [] [ str facts ] ]
              Sections.picture clip.Name examples.MinHz examples.MaxHz examples.Seconds (Picture.png examples.Rows examples.Frames clip.Picture)
              match clip.Sound with
              | null -> ()
              | bytes -> audio [ attr "controls" "controls"; attr "preload" "none"; _src (SoundCharts.dataUri "audio/flac" bytes) ] [] ]

    let private part (examples: AugmentationExamples) (entry: AugmentationEntry) (clips: AugmentedClip seq) =
        let original = Seq.head examples.Originals
        let mixes = entry.Stage = AugmentationStage.Batch

        [ h2 [ _id entry.Name ] [ str entry.Name ]
          p [] [ str entry.About ]
          p [ _class "quiet" ]
              [ code [] [ str $"training.augmentation.{entry.Name.Replace('-', '_')}.probability" ]; str $", {stage entry}" ]
          div [ _class "sounds" ]
              [ sound examples mixes (AugmentedClip("as recorded", original.Labels, original.Sound, original.LevelDb, original.Picture))
                for clip in clips do
                    sound examples mixes clip ] ]

    /// The page as HTML.
    let html (examples: AugmentationExamples) : string =
        let original = Seq.head examples.Originals
        let names = [ for struct (entry, _) in examples.Augmented -> entry.Name ]

        Page.document false $"Augmentations of {original.Name}"
            [ header []
                  [ p [ _class "overline" ] [ str "BirdResearch · augmentations" ]
                    h1 [] [ str "What each augmentation does" ]
                    p [ _class "question" ] [ str $"One clip of {examples.Data}, as recorded and as a training may meet it" ]
                    p [ _class "facts" ]
                        [ str "Each alone and with probability 1, through the code that trains, in the order in which they are applied. Pictures are \
                               128 mel bands on one scale of 80 dB; levels are mean powers in dB of full scale." ] ]
              nav [] [ for name in names -> a [ _href $"#{name}" ] [ str name ] ]
              h2 [] [ str "The clip, and the others of its batch" ]
              div [ _class "sounds" ] [ for clip in examples.Originals -> sound examples true clip ]
              for struct (entry, clips) in examples.Augmented do
                  yield! part examples entry clips
              footer [] [ str "Made by bird augmentations. Sound is FLAC, a part of this file." ] ]

    /// Writes report.html into a folder, beside first and renamed, and returns its path.
    let write (folder: string) (examples: AugmentationExamples) : string =
        let path = Path.Combine(Path.GetFullPath folder, "report.html")
        WholeFile.Write(path, html examples)
        path
