/// Small data sets for the tests of the Data floor.
module BirdResearch.Tests.SmallData

open System
open System.IO
open Expecto
open BirdResearch.Audio
open BirdResearch.Data

/// A folder of its own, removed afterwards.
type Scratch() =
    let root = Directory.CreateTempSubdirectory("bird-data-").FullName
    member _.Root = root
    member _.Path(relative: string) = Path.Combine(root, relative)

    member this.Text(relative: string, lines: string seq) =
        Directory.CreateDirectory(Path.Combine(this.Path relative, "..")) |> ignore
        File.WriteAllText(this.Path relative, String.Join("\n", lines) + "\n")

    /// Sample i is i / 100000, so that a window shows where it was cut.
    member this.Ramp(relative: string, seconds: float, ?sampleRate: int) =
        let rate = defaultArg sampleRate 8000
        let samples = Array.init (int (seconds * float rate)) (fun i -> float32 i / 100000f)
        AudioFile.Write(this.Path relative, Waveform(samples, rate), AudioFormat.WavFloat)

    interface IDisposable with
        member _.Dispose() = Directory.Delete(root, true)

let metadataHeader =
    "primary_label,secondary_labels,type,latitude,longitude,scientific_name,common_name,author,license,rating,url,filename"

let metadataRow label secondary author filename =
    $"{label},\"{secondary}\",\"['call', 'male']\",,,Genus {label},Common {label},{author},CC0,0,https://example.org/1,{filename}"

/// Three recordings of two species by two authors, and one soundscape of 12 s with the rows of its truth.
let smallBirds (folder: Scratch) =
    folder.Text("train_metadata.csv",
        [ metadataHeader
          metadataRow "wren" "['robin', 'wren', 'owl']" "Ann" "wren/XC1.wav"
          metadataRow "robin" "[]" "Ann" "robin/XC2.wav"
          metadataRow "robin" "[]" "Bob" "robin/XC3.wav" ])
    folder.Ramp("train_audio/wren/XC1.wav", 2.0)
    folder.Ramp("train_audio/robin/XC2.wav", 3.0)
    folder.Ramp("train_audio/robin/XC3.wav", 1.0)
    folder.Text("soundscape_labels.csv", [ "row_id,birds"; "scape_1_5,robin wren"; "scape_1_10,nocall"; "scape_1_15,owl wren" ])
    folder.Ramp("soundscapes/scape_1.wav", 12.0)

let message (action: unit -> 'a) =
    try
        action () |> ignore
        failtest "nothing was thrown"
    with
    | :? AssertException -> reraise ()
    | e -> e.Message

let ids (clips: Clip seq) = [ for clip in clips -> clip.Id ]

let clipWithFold fold id label group =
    Clip(Id = id, File = $"audio/{id}.wav", Labels = [| label |], Group = group, Fold = fold)

let clip id label group = clipWithFold (Nullable()) id label group

let datasetBy groupedBy root (clips: Clip list) =
    let classes = clips |> Seq.collect (fun c -> c.Labels) |> Seq.distinct |> Array.ofSeq
    Array.Sort(classes, StringComparer.Ordinal)
    Dataset(
        Name = "made-up",
        Root = root,
        Layout = "birdclef",
        Classes = classes,
        Focal = Array.ofList clips,
        Labelling = Labelling.MultiLabel,
        GroupedBy = groupedBy,
        ContentKey = ""
    )

let dataset root clips = datasetBy "author" root clips
