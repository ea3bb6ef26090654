module BirdResearch.Tests.BatchTests

open System
open System.IO
open System.Threading
open Expecto
open BirdResearch.Audio
open BirdResearch.Data
open BirdResearch.Tests.SmallData

let rate = 8000

/// Where a window of a ramp begins, in samples.
let position (window: float32 array) = int (round (float window[0] * 100000.0))

/// Recordings of the given lengths in seconds, called a, b, c ... with a label each in turn.
let recordings (folder: Scratch) (seconds: float list) =
    dataset folder.Root
        [ for i, length in List.indexed seconds do
              let id = string (char (int 'a' + i))
              folder.Ramp($"audio/{id}.wav", length)
              clip id $"species{i % 3}" id ]

let windowOf (data: Dataset) clip start seconds =
    let whole = AudioFile.Read(data.PathOf clip).Samples
    whole[int (start * float rate) .. int ((start + seconds) * float rate) - 1]

let windows =
    testList "windows" [
        test "a window holds the file's samples at its place, wherever pieces meet" {
            use folder = new Scratch()
            let data = recordings folder [ 13.37 ]
            let only = data.Focal[0]
            let whole = AudioFile.Read(data.PathOf only).Samples
            for cache in [ 0L; 1L <<< 30 ] do
                let reader = WindowReader(data, rate, 0.5, cache)
                Expect.equal (reader.LengthOf only, reader.WindowSamples) (int64 whole.Length, 4000) "lengths"
                let window = Array.zeroCreate 4000
                for offset in [ 0; 1; 19_999; 23_999; 24_000; 24_001; 47_999; 48_000; 95_999; 96_000; whole.Length - 4000 ] do
                    reader.Read(only, int64 offset, Span window)
                    Expect.isTrue (Span(whole, offset, 4000).SequenceEqual(ReadOnlySpan window)) $"offset {offset}, cache {cache}"
        }
        test "resampled windows agree with the whole file resampled" {
            use folder = new Scratch()
            let data = recordings folder [ 9.0 ]
            let only = data.Focal[0]
            let whole = AudioFile.Read(data.PathOf only, Nullable 11025).Samples
            let reader = WindowReader(data, 11025, 0.4, 0L)
            Expect.equal (reader.LengthOf only) (int64 whole.Length) "length"
            let window = Array.zeroCreate reader.WindowSamples
            for offset in [ 0; 26_459; 26_460; 40_000; whole.Length - window.Length ] do
                reader.Read(only, int64 offset, Span window)
                Expect.isTrue (Span(whole, offset, window.Length).SequenceEqual(ReadOnlySpan window)) $"offset {offset}"
        }
        test "a recording shorter than a window is filled as asked, by repetition unless told otherwise" {
            use folder = new Scratch()
            let data = recordings folder [ 1.0 ]
            let sound = windowOf data data.Focal[0] 0.0 1.0
            let silence seconds = Array.zeroCreate<float32> (int (seconds * float rate))
            let read shorter = WindowReader(data, rate, 2.5, shorter = shorter).Read(data.Focal[0])
            Expect.equal (WindowReader(data, rate, 2.5).Read(data.Focal[0])) (Array.concat [ sound; sound; sound[..3999] ]) "default"
            Expect.equal (read ShortRecording.Repeat) (Array.concat [ sound; sound; sound[..3999] ]) "repeat"
            Expect.equal (read ShortRecording.SilenceAfter) (Array.concat [ sound; silence 1.5 ]) "after"
            Expect.equal (read ShortRecording.SilenceAround) (Array.concat [ silence 0.75; sound; silence 0.75 ]) "around"
        }
        test "a soundscape window is cut at its own place and its partial last one repeats only itself" {
            use folder = new Scratch()
            smallBirds folder
            let data = Datasets.Open folder.Root
            let reader = WindowReader(data, rate, 5.0)
            Expect.equal [ for w in data.Soundscapes -> position (reader.Read w) ] [ 0; 40_000; 80_000 ] "places"
            let last = reader.Read data.Soundscapes[2]
            Expect.equal (position last[16_000..], last.Length) (80_000, 40_000) "12 s end 2 s into the window"
        }
        test "the cache stays below its limit and changes no sample" {
            use folder = new Scratch()
            let data = recordings folder [ 3.0; 3.0; 3.0 ]
            let limit = 3L * 8000L * 4L * 2L
            let reader = WindowReader(data, rate, 1.0, limit)
            let fresh = WindowReader(data, rate, 1.0, 0L)
            for _ in 1..2 do
                for c in data.Focal do
                    Expect.equal (reader.Read(c, 1.5)) (fresh.Read(c, 1.5)) c.Id
            Expect.equal (reader.CachedBytes, fresh.CachedBytes) (limit, 0L) "two of three recordings fit"
        }
        test "a recording that ends before its header says gives its last window, cached or not" {
            use folder = new Scratch()
            let data = dataset folder.Root [ clip "cut" "wren" "Ann" ]
            let whole = AudioFile.Encode(Waveform(Array.init 160_000 (fun i -> sin (float32 i * 0.3f + float32 (i % 977) * 0.01f)), rate), AudioFormat.Flac)
            Directory.CreateDirectory(folder.Path "audio") |> ignore
            File.WriteAllBytes(folder.Path "audio/cut.wav", whole[.. whole.Length / 2])
            let left = AudioFile.Read(data.PathOf data.Focal[0]).Samples
            Expect.isTrue (left.Length > 40_000 && left.Length < 120_000) $"{left.Length} samples are left"
            for cache in [ 0L; 1L <<< 30 ] do
                let reader = WindowReader(data, rate, 4.0, cache)
                Expect.equal (reader.LengthOf data.Focal[0]) 160_000L "the header's length"
                Expect.equal (reader.Read(data.Focal[0], float left.Length / float rate - 1.0)) left[left.Length - 32_000 ..] $"cache {cache}"
            let beyond = WindowReader(data, rate, 0.5)
            Expect.stringContains (message (fun () -> beyond.Read(data.Focal[0], 19.0))) "cut.wav" "a place far behind the end names the file"
        }
        test "many threads read the same windows as one" {
            use folder = new Scratch()
            let data = recordings folder [ 7.0; 2.0; 0.3; 11.0 ]
            let places = [| for i in 0..199 -> data.Focal[i % 4], float (i % 2) * 0.1 |]
            let alone = WindowReader(data, rate, 0.5)
            let shared = WindowReader(data, rate, 0.5)
            let together = places |> Array.Parallel.map (fun (c, at) -> shared.Read(c, at))
            Expect.equal together (places |> Array.map (fun (c, at) -> alone.Read(c, at))) "windows"
        }
        test "places outside a clip and impossible windows are refused" {
            use folder = new Scratch()
            let data = recordings folder [ 1.0 ]
            let reader = WindowReader(data, rate, 0.5)
            Expect.stringContains (message (fun () -> reader.Read(data.Focal[0], 1.0))) "a is 8000 samples long" "beyond"
            Expect.stringContains (message (fun () -> WindowReader(data, rate, 0.0))) "A window at 8000 Hz" "no length"
            Expect.stringContains (message (fun () -> WindowReader(data, rate, nan))) "A window at 8000 Hz" "not a number"
            Expect.throws (fun () -> WindowReader(data, 100, 1.0) |> ignore) "rate"
        }
    ]

/// Everything a consumer sees of an epoch.
let seen (batches: ClipBatch seq) =
    [ for b in batches -> List.ofSeq b.Ids, Array.chunkBySize b.WindowSamples b.Samples |> Array.map position, b.Labels ]

let epoch (data: Dataset) (clips: Clip seq) seed number workers =
    let reader = WindowReader(data, rate, 0.5)
    ClipBatches.Training(reader, Array.ofSeq clips, data.Classes, 4, seed, number, workers = Nullable workers) |> seen

let batches =
    testList "batches" [
        test "an epoch takes one window of every recording, inside it, with its labels" {
            use folder = new Scratch()
            let data = recordings folder [ 2.0; 4.0; 0.2; 0.5; 3.0; 6.0 ]
            let rows = epoch data data.Focal 1L 0 2 |> List.collect (fun (names, places, labels) -> List.zip3 names (List.ofArray places) (List.ofArray (Array.chunkBySize 3 labels)))
            Expect.equal (rows |> List.map (fun (id, _, _) -> id) |> List.sort) [ "a"; "b"; "c"; "d"; "e"; "f" ] "every recording once"
            for id, place, labels in rows do
                let index = int id[0] - int 'a'
                let length = [ 2.0; 4.0; 0.2; 0.5; 3.0; 6.0 ][index]
                Expect.isTrue (place >= 0 && place <= max 0 (int ((length - 0.5) * float rate))) $"{id} begins at {place}"
                Expect.equal labels [| for c in 0..2 -> if c = index % 3 then 1f else 0f |] id
        }
        test "an epoch follows from its seed, number and ids, not from threads or the order of clips" {
            use folder = new Scratch()
            let data = recordings folder [ 2.0; 4.0; 0.2; 0.5; 3.0; 6.0; 5.0; 1.0; 2.5; 3.5 ]
            let plain = epoch data data.Focal 1L 3 1
            for workers in [ 2; 5 ] do
                Expect.equal (epoch data data.Focal 1L 3 workers) plain $"{workers} workers"
            Expect.equal (epoch data (Seq.rev data.Focal) 1L 3 2) plain "clips reversed"
            Expect.notEqual (epoch data data.Focal 1L 4 2) plain "next epoch"
            Expect.notEqual (epoch data data.Focal 2L 3 2) plain "another seed"
        }
        test "windows begin anywhere in a recording, uniformly" {
            use folder = new Scratch()
            let data = recordings folder [ 2.5; 2.5 ]
            let reader = WindowReader(data, rate, 0.5)
            let places =
                [ for number in 0..399 do
                      for b in ClipBatches.Training(reader, data.Focal, data.Classes, 2, 1L, number, workers = Nullable 1) do
                          yield! Array.chunkBySize 4000 b.Samples |> Array.map position ]
            Expect.isTrue (places |> List.forall (fun p -> p <= 16_000)) "inside"
            for quarter in 0..3 do
                let share = places |> List.filter (fun p -> p / 4001 = quarter) |> List.length
                Expect.isLessThan (abs (share - 200)) 62 $"quarter {quarter} of 800" // 5 standard errors
        }
        test "a recording one sample longer than a window has two places" {
            use folder = new Scratch()
            let data = recordings folder [ 0.500125; 0.500125 ]
            let reader = WindowReader(data, rate, 0.5)
            let places =
                [ for number in 0..19 do
                      for b in ClipBatches.Training(reader, data.Focal, data.Classes, 2, 1L, number) do
                          yield! Array.chunkBySize 4000 b.Samples |> Array.map position ]
            Expect.equal (set places) (set [ 0; 1 ]) "places"
        }
        test "a trailing batch is kept, and one of a single clip joins the batch before" {
            use folder = new Scratch()
            for clips, sizes in [ 2, [ 2 ]; 4, [ 4 ]; 5, [ 5 ]; 6, [ 4; 2 ]; 8, [ 4; 4 ]; 9, [ 4; 5 ] ] do
                let data = recordings folder (List.replicate clips 1.0)
                let counts = [ for names, _, _ in epoch data data.Focal 1L 0 2 -> names.Length ]
                Expect.equal counts sizes $"{clips} clips"
                Expect.equal (ClipBatches.PerEpoch(clips, 4)) sizes.Length $"{clips} clips in steps"
            let data = recordings folder [ 1.0 ]
            Expect.stringContains (message (fun () -> epoch data data.Focal 1L 0 1)) "at least two clips" "one clip"
        }
        test "evaluation reads windows that do not overlap, spread from start to end, in order" {
            use folder = new Scratch()
            let data = recordings folder [ 2.1; 0.2; 0.9; 10.0; 1.0 ]
            let reader = WindowReader(data, rate, 0.5)
            let once () = ClipBatches.Evaluation(reader, data.Focal, data.Classes, 4, 3, Nullable 3) |> seen
            let rows = once () |> List.collect (fun (names, places, _) -> List.zip names (List.ofArray places))
            Expect.equal rows
                [ "a", 0; "a", 6_400; "a", 12_800
                  "b", 0
                  "c", 0
                  "d", 0; "d", 38_000; "d", 76_000
                  "e", 0; "e", 4_000 ] "places"
            Expect.equal (once ()) (once ()) "again"
            Expect.equal [ for names, _, _ in once () -> names.Length ] [ 4; 4; 2 ] "batches"
        }
        test "evaluation reads a soundscape window as it is" {
            use folder = new Scratch()
            smallBirds folder
            let data = Datasets.Open folder.Root
            let rows = ClipBatches.Evaluation(WindowReader(data, rate, 5.0), data.Soundscapes, data.Classes, 2, 6) |> seen
            Expect.equal rows
                [ [ "scape_1_5"; "scape_1_10" ], [| 0; 40_000 |], [| 1f; 1f; 0f; 0f |]
                  [ "scape_1_15" ], [| 80_000 |], [| 0f; 1f |] ] "rows"
        }
        test "a file that cannot be read stops the loop with its name, after the batches before it" {
            use folder = new Scratch()
            let data = recordings folder (List.replicate 8 1.0)
            File.WriteAllText(folder.Path "audio/g.wav", "not a sound")
            let reader = WindowReader(data, rate, 0.5)
            let got = ResizeArray()
            let said =
                message (fun () ->
                    for b in ClipBatches.Evaluation(reader, data.Focal, data.Classes, 3, 1, Nullable 4) do
                        got.AddRange b.Ids)
            Expect.stringContains said "audio/g.wav" "name"
            Expect.isTrue (got.Count <= 6 && not (got.Contains "g")) "no row of it"
        }
        test "labels outside the classes are refused" {
            use folder = new Scratch()
            let data = recordings folder [ 1.0; 1.0 ]
            let reader = WindowReader(data, rate, 0.5)
            Expect.equal (message (fun () -> ClipBatches.Evaluation(reader, data.Focal, [| "species0" |], 2, 1))) "b has the label 'species1', which is not among the 1 classes." "message"
        }
        test "cancelling ends the loop" {
            use folder = new Scratch()
            let data = recordings folder (List.replicate 6 1.0)
            use stop = new CancellationTokenSource()
            let mutable count = 0
            Expect.throwsT<OperationCanceledException>
                (fun () ->
                    for _ in ClipBatches.Training(WindowReader(data, rate, 0.5), data.Focal, data.Classes, 2, 1L, 0, workers = Nullable 2, cancellation = stop.Token) do
                        count <- count + 1
                        stop.Cancel())
                "cancelled"
            Expect.equal count 1 "batches before it"
        }
        test "no thread is left when the loop is left early" {
            if not (OperatingSystem.IsLinux()) then skiptest "thread names are read from /proc"
            use folder = new Scratch()
            let data = recordings folder (List.replicate 12 1.0)
            let reader = WindowReader(data, rate, 0.5)
            // So many workers that no other test has a thread of that number.
            let alive () =
                Directory.GetDirectories "/proc/self/task"
                |> Array.exists (fun task -> try (File.ReadAllText $"{task}/comm").Trim() = "clip reader 41" with :? IOException -> false)
            let mutable during = false
            let mutable first = true
            for _ in ClipBatches.Training(reader, data.Focal, data.Classes, 2, 1L, 0, workers = Nullable 41) |> Seq.truncate 1 do
                during <- alive ()
                first <- false
            Expect.isTrue (during && not first) "a thread was there"
            Expect.isTrue (SpinWait.SpinUntil((fun () -> not (alive ())), 5000)) "and is gone"
        }
    ]

let tests = testList "Batches" [ windows; batches ]
