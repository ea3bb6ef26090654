/// The page that shows every augmentation, and the table of what they did in a report.
module BirdResearch.Tests.AugmentationPageTests

open System
open System.IO
open System.Text.RegularExpressions
open Expecto
open BirdResearch.Analysis
open BirdResearch.Audio
open BirdResearch.Data
open BirdResearch.Experiments
open BirdResearch.Features

let private examples = lazy (AugmentationExamples.Of(TrainingTests.tinyData.Force()))

let tests : Test =
    testSequencedGroup "torch"
    <| testList "augmentation page" [
        test "every augmentation is shown beside the clip, with sound that can be played and a picture" {
            let examples = examples.Force()
            let page = AugmentationPage.html examples
            for struct (entry, clips) in examples.Augmented do
                Expect.stringContains page $"id=\"{entry.Name}\"" entry.Name
                Expect.equal clips.Count entry.Shown.Count $"{entry.Name}: as many as there are to show"
                for clip in clips do Expect.equal clip.Picture.Length (examples.Rows * examples.Frames) clip.Name
            Expect.isFalse (Regex.IsMatch(page, "(src|href)=\"(https?:)?//")) "nothing from elsewhere"
            Expect.isFalse (page.Contains "plotly") "no charts, so no plotly"
            let sounds = Regex.Matches(page, "data:audio/flac;base64,([^\"]+)") |> Seq.map (fun m -> Convert.FromBase64String m.Groups[1].Value) |> List.ofSeq
            let window = Seq.sum [ for struct (entry, clips) in examples.Augmented -> if entry.Stage = AugmentationStage.Features then 1 else 1 + clips.Count ]
            Expect.equal sounds.Length (examples.Originals.Count + window) "sounds"
            use scratch = new SmallData.Scratch()
            for index, bytes in List.indexed sounds do
                File.WriteAllBytes(scratch.Path $"{index}.flac", bytes)
                let sound = AudioFile.Read(scratch.Path $"{index}.flac")
                Expect.equal (sound.SampleRate, sound.Samples.Length) (32_000, 160_000) "5 s at 32 kHz"
        }
        test "what is shown of a gain is what was asked, and nothing else is changed" {
            let examples = examples.Force()
            let original = examples.Originals[0]
            let clips = examples.Augmented |> Seq.pick (fun struct (entry, clips) -> if entry.Name = Gain.Name then Some clips else None)
            for clip, change in Seq.zip clips [ -12.0; 12.0 ] do
                Expect.isLessThan (abs (clip.LevelDb.Value - original.LevelDb.Value - change)) 0.01 clip.Name
            let polarity = examples.Augmented |> Seq.pick (fun struct (entry, clips) -> if entry.Name = Polarity.Name then Some clips[0] else None)
            Expect.equal polarity.Picture original.Picture "a sign is not seen"
        }
        test "an unknown clip is an error that names near ones" {
            let message = try AugmentationExamples.Of(TrainingTests.tinyData.Force(), "nope") |> ignore; "" with :? ArgumentException as e -> e.Message
            Expect.stringContains message "'nope'" "the id"
        }
        test "a report tells how many training samples each augmentation changed, and leaves out those that changed none" {
            use scratch = new SmallData.Scratch()
            let folder = InventedRuns.ablation (scratch.Path "things") [ 1; 2 ]
            let page = Report.html "things" "" (Runs.load folder)
            Expect.stringContains page "Training samples that augmentations changed" "the table"
            Expect.stringContains page "50.0 %" "half of them"
            Expect.stringContains page "1\u2009440 of 2\u2009880" "both seeds together"
            Expect.isFalse (Regex.IsMatch(page, "<td class=\"name\">gain</td>")) "one that changed none"
        }
    ]
