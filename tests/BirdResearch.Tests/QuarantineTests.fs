module BirdResearch.Tests.QuarantineTests

open System
open System.IO
open System.Threading
open Expecto
open BirdResearch.Audio
open BirdResearch.Data
open BirdResearch.Tests.SmallData
open BirdResearch.Tests.FingerprintTests

let worker = [| "dotnet"; Path.Combine (AppContext.BaseDirectory, "bird.dll"); "scan"; "--worker" |]

let scanWith (settings: ScanSettings) (worker: string[] | null) (root: string) = DatasetScan.Run (root, settings, worker)

let nameOf (folder: string) = nonNull (Path.GetFileName folder)

let scan root = scanWith settings null root

/// A folder whose scan leaves nothing behind in data/scan.
type Scanned() =
    inherit Scratch()
    member this.Journal = Path.Combine (DatasetScan.FolderFor (nameOf this.Root), "journal.jsonl")
    member this.Sound(relative, sound: Waveform, ?format) =
        AudioFile.Write (this.Path relative, sound, defaultArg format AudioFormat.Wav16)
    interface IDisposable with
        member this.Dispose() =
            let folder = DatasetScan.FolderFor (nameOf this.Root)
            if Directory.Exists folder then Directory.Delete (folder, true)
            Directory.Delete (this.Root, true)

let rulesOf (result: ScanResult) file = [ for f in result.Findings do if f.File = file then f.Rule, f.Severity ]

let rules result file = rulesOf result file |> List.map fst

/// Stereo, or any number of channels, as 32-bit floats that may be anything.
let writeFloats (path: string) (channels: int) (samples: float32[]) =
    use writer = new BinaryWriter (File.Create path)
    let bytes = 4 * samples.Length
    writer.Write "RIFF"B
    writer.Write (36 + bytes)
    writer.Write "WAVEfmt "B
    writer.Write 16
    writer.Write 3s
    writer.Write (int16 channels)
    writer.Write 16000
    writer.Write (16000 * 4 * channels)
    writer.Write (int16 (4 * channels))
    writer.Write 32s
    writer.Write "data"B
    writer.Write bytes
    for s in samples do writer.Write s

/// Recordings of two species by three authors, of which none is a copy.
let distinctBirds (folder: Scanned) =
    folder.Text ("train_metadata.csv",
        [ yield metadataHeader
          for i in 1 .. 8 do yield metadataRow (if i % 2 = 0 then "wren" else "robin") "[]" $"Author{i}" $"""{(if i % 2 = 0 then "wren" else "robin")}/XC{i}.wav""" ])
    for i in 1 .. 8 do
        folder.Sound ($"""train_audio/{(if i % 2 = 0 then "wren" else "robin")}/XC{i}.wav""", chirps (500 + i) 6.0 16000)

let mutate (random: Random) (bytes: byte[]) =
    let b = Array.copy bytes
    match random.Next 6 with
    | 0 -> Array.truncate (random.Next b.Length) b
    | 1 ->
        for _ in 1 .. random.Next (1, 20) do
            let at = random.Next b.Length
            b[at] <- b[at] ^^^ (1uy <<< random.Next 8)
        b
    | 2 ->
        let at = random.Next b.Length
        Array.Clear (b, at, random.Next (1, b.Length - at + 1))
        b
    | 3 ->
        for _ in 1 .. random.Next (1, 8) do b[random.Next (min 200 b.Length)] <- byte (random.Next 256)
        b
    | 4 ->
        for _ in 1 .. b.Length / 50 do b[random.Next b.Length] <- byte (random.Next 256)
        b
    | _ -> b

let tests =
    testList "Quarantine" [
        test "every defect is found under its name, and a good file under none" {
            use folder = new Scanned ()
            let good = chirps 31 3.0 16000
            let wav = AudioFile.Encode (good, AudioFormat.Wav16)
            let ogg = AudioFile.Encode (chirps 32 3.0 16000, AudioFormat.OggVorbis)
            folder.Sound ("good.wav", good)
            File.WriteAllBytes (folder.Path "cut.wav", Array.truncate 120_000 (AudioFile.Encode (chirps 33 9.0 16000, AudioFormat.Wav16)))
            File.WriteAllBytes (folder.Path "cut.ogg", (let long = AudioFile.Encode (chirps 43 9.0 16000, AudioFormat.OggVorbis) in Array.truncate (long.Length * 2 / 3) long))
            File.WriteAllBytes (folder.Path "called.mp3", AudioFile.Encode (chirps 34 3.0 16000, AudioFormat.Flac))
            File.WriteAllBytes (folder.Path "sound.txt", AudioFile.Encode (chirps 35 3.0 16000, AudioFormat.Wav16))
            folder.Text ("notes.txt", [ "no sound" ])
            folder.Text ("pointer.ogg", [ "version https://git-lfs.github.com/spec/v1"; "oid sha256:00"; "size 1" ])
            folder.Text ("page.ogg", [ "<html>not found</html>" ])
            File.WriteAllBytes (folder.Path "empty.ogg", [||])
            File.WriteAllBytes (folder.Path "header.wav", Array.truncate 44 wav)
            File.WriteAllBytes (folder.Path "broken.ogg", Array.append (Array.truncate 60 ogg) (Array.create 4000 7uy))
            folder.Sound ("silent.wav", silence 3.0 16000)
            folder.Sound ("padded.wav", changed (fun s -> Array.append s (Array.zeroCreate 80000)) (chirps 36 2.0 16000))
            folder.Sound ("short.wav", clock 37 2000.0 0.1 16000)
            folder.Sound ("loud.wav", changed (Array.map (fun s -> Math.Clamp (20f * s, -1f, 1f))) (chirps 38 3.0 16000))
            folder.Sound ("offset.wav", changed (Array.map (fun s -> 0.3f * s + 0.2f)) (chirps 39 3.0 16000))
            folder.Sound ("soft.wav", changed (Array.map (fun s -> 0.004f * s)) (chirps 40 3.0 16000), AudioFormat.WavFloat)
            let left = (chirps 41 2.0 16000).Samples
            writeFloats (folder.Path "against.wav") 2 [| for s in left do s; -s |]
            writeFloats (folder.Path "nan.wav") 1 (Array.mapi (fun i s -> if i = 900 then Single.NaN else s) left)
            writeFloats (folder.Path "channels.wav") 4 [| for s in (chirps 42 2.0 16000).Samples do yield! [ s; s; s; s ] |]
            let result = scan folder.Root
            for file, expected in
                [ "good.wav", []; "cut.wav", [ "truncated" ]; "cut.ogg", [ "truncated" ]; "called.mp3", [ "wrong_extension" ]; "sound.txt", [ "wrong_extension" ]
                  "pointer.ogg", [ "git_lfs_pointer" ]; "page.ogg", [ "not_sound" ]; "empty.ogg", [ "empty" ]; "header.wav", [ "no_samples" ]
                  "broken.ogg", [ "undecodable" ]; "silent.wav", [ "silent" ]; "padded.wav", [ "mostly_silent" ]; "short.wav", [ "too_short" ]
                  "loud.wav", [ "clipped" ]; "offset.wav", [ "dc_offset" ]; "soft.wav", [ "quiet" ]; "against.wav", [ "channels_cancel" ]
                  "nan.wav", [ "not_finite" ]; "channels.wav", [ "many_channels" ] ] do
                Expect.equal (rules result file |> List.filter ((<>) "low_rate")) expected file
            Expect.isFalse (result.Files |> Seq.exists (fun f -> f.File = "notes.txt")) "text is no sound file"
            let bad = [ for line in result.ToQuarantine -> line.File ] |> set
            Expect.equal bad
                (set [ "cut.wav"; "pointer.ogg"; "page.ogg"; "empty.ogg"; "header.wav"; "broken.ogg"; "silent.wav"; "short.wav"; "against.wav"; "nan.wav"; "loud.wav" ])
                "what is left out"
        }
        test "the figures are those of the plain formulas" {
            use folder = new Scanned ()
            let samples = (chirps 51 3.0 16000).Samples |> Array.map (fun s -> Math.Clamp (3f * s + 0.01f, -1f, 1f))
            Array.Clear (samples, 16000, 8000)
            writeFloats (folder.Path "a.wav") 1 samples
            let m = (scan folder.Root).Measures[0]
            Expect.equal (m.Frames, m.SampleRate, m.Channels, m.Seconds) (48000L, 16000, 1, 3.0) "size"
            Expect.floatClose Accuracy.high m.Peak (samples |> Array.map (abs >> float) |> Array.max) "peak"
            Expect.floatClose Accuracy.medium m.Mean (samples |> Array.averageBy float) "mean"
            Expect.floatClose Accuracy.medium m.Rms (samples |> Array.averageBy (fun s -> float s * float s) |> sqrt) "rms"
            Expect.floatClose Accuracy.high m.ClippedShare (float (samples |> Array.filter (fun s -> abs s >= 0.99f) |> Array.length) / 48000.0) "clipped"
            Expect.isLessThan (abs (m.DigitalSilence - 8000.0 / 48000.0)) 0.01 "silence, up to runs of clipped samples"
            Expect.floatClose Accuracy.high m.NearSilence (10.0 / 60.0) "ten stretches of 50 ms"
        }
        test "copies, cuts and leaks that were planted are found, and nothing else" {
            use folder = new Scanned ()
            distinctBirds folder
            Expect.isEmpty [ for f in (scan folder.Root).Findings do if f.Severity = Severity.Error then f ] "nothing before"
            let read (file: string) = AudioFile.Read (folder.Path $"train_audio/{file}")
            folder.Text ("train_metadata.csv",
                [ yield! File.ReadAllLines (folder.Path "train_metadata.csv")
                  yield metadataRow "robin" "[]" "Eve" "robin/XC91.flac"      // the same samples
                  yield metadataRow "wren" "[]" "Eve" "wren/XC92.ogg"         // re-encoded, softer, cut
                  yield metadataRow "wren" "[]" "Eve" "wren/XC93.wav" ])      // a robin's sound as a wren's
            folder.Sound ("train_audio/robin/XC91.flac", read "robin/XC1.wav", AudioFormat.Flac)
            folder.Sound ("train_audio/wren/XC92.ogg", read "wren/XC2.wav" |> changed (Array.skip 9000 >> Array.map (fun s -> 0.4f * s)), AudioFormat.OggVorbis)
            folder.Sound ("train_audio/wren/XC93.wav", Resampler.Resample (read "robin/XC3.wav", 22050))
            let result = scan folder.Root
            let errors = [ for f in result.Findings do if f.Severity = Severity.Error then f.File, f.Rule ]
            Expect.equal (set errors)
                (set [ "train_audio/robin/XC91.flac", "duplicate"; "train_audio/wren/XC92.ogg", "near_duplicate"
                       "train_audio/wren/XC93.wav", "label_conflict"; "train_audio/robin/XC3.wav", "label_conflict" ])
                "errors"
            Expect.equal result.Shared.Count 3 "pairs"
            let data = Datasets.Open folder.Root
            for pair in result.Shared do
                let divided =
                    [ for fold in (Splits.Of data).Folds do
                        let held = set [ for c in Splits.Of(data, Nullable fold).Validation -> c.File ]
                        if held.Contains pair.First.File <> held.Contains pair.Second.File then fold ]
                Expect.equal (List.ofSeq pair.Folds) divided $"folds that divide {pair.Second.File}"
        }
        test "sounds that have nothing in common give no pair: birds, noise, and clocks that tick alike" {
            use folder = new Scanned ()
            for i in 1 .. 16 do folder.Sound ($"bird{i}.wav", chirps (1100 + i) 4.0 16000)
            for i in 1 .. 16 do folder.Sound ($"noise{i}.wav", noise (1200 + i) 4.0 16000)
            for i in 1 .. 8 do folder.Sound ($"clock{i}.wav", clock (1300 + i) (1500.0 + 300.0 * float i) 4.0 16000)
            Expect.equal [ for s in (scan folder.Root).Shared -> s.First.File, s.Second.File, s.Correlation ] [] "pairs"
        }
        test "one recording under two species and an author in two folds are told" {
            use folder = new Scanned ()
            folder.Text ("train_metadata.csv",
                [ yield metadataHeader
                  for i in 1 .. 4 do yield metadataRow "wren" "[]" (if i < 3 then "Ann" else "Bob") $"wren/XC{i}.wav"
                  yield metadataRow "robin" "[]" "Ann" "robin/XC1.wav" ])
            folder.Text ("train_extra.csv",
                [ yield "filename,fold"
                  for i in 1 .. 4 do yield $"wren/XC{i}.wav,{i % 2}"
                  yield "robin/XC1.wav,0" ])
            for i in 1 .. 4 do folder.Sound ($"train_audio/wren/XC{i}.wav", chirps (60 + i) 4.0 16000)
            folder.Sound ("train_audio/robin/XC1.wav", chirps 69 4.0 16000)
            let result = scan folder.Root
            Expect.equal [ for l in result.Leaks -> l.Kind, l.What, List.ofSeq l.Folds ] [ "recording", "XC1", [ 0; 1 ]; "author", "Ann", [ 0; 1 ]; "author", "Bob", [ 0; 1 ] ] "leaks"
            Expect.equal (rulesOf result "train_audio/wren/XC1.wav" |> List.filter (fun (r, _) -> r <> "low_rate")) [ "recording_leak", Severity.Error ] "the second file of XC1"
        }
        test "training leaves listed files out, says so and is another data set to the run store" {
            use folder = new Scanned ()
            distinctBirds folder
            let whole = Datasets.Open folder.Root
            folder.Text ("quarantine.csv", [ "train_audio/wren/XC2.wav,noise"; "train_audio/robin/XC1.wav,keep"; "train_audio/wren/gone.wav,missing" ])
            let data = Datasets.Open folder.Root
            Expect.equal (ids data.Focal) (ids whole.Focal |> List.except [ "XC2" ]) "clips"
            Expect.notEqual data.ContentKey whole.ContentKey "content key"
            Expect.equal [ for l in data.LeftOut -> l.File, l.Reason ] [ "train_audio/wren/XC2.wav", "noise" ] "left out"
            Expect.exists data.Notes (fun n -> n.Contains "1 of 8 files: train_audio/wren/XC2.wav (noise)") "the note"
            Expect.exists data.Notes (fun n -> n.Contains "1 of 3 lines" && n.Contains "gone.wav (line 3)") "the note about a file that is not there"
            Expect.equal (Datasets.Open(folder.Root, quarantine = false).ContentKey) whole.ContentKey "without the list"
            folder.Text ("quarantine.csv", [ "# nothing"; "train_audio/wren/XC2.wav,keep" ])
            Expect.equal (Datasets.Open folder.Root).ContentKey whole.ContentKey "a list that keeps everything changes nothing"
            folder.Text ("quarantine.csv", [ for c in whole.Focal -> $"{c.File},all" ])
            Expect.stringContains (message (fun () -> Datasets.Open folder.Root)) "leaves out every recording" "all"
        }
        test "a list that is wrong is one error with the line" {
            use folder = new Scratch ()
            for line, what in
                [ "a.wav", "2: has 1 cells"; "a.wav,", "2: has no reason"; "a.wav,\"x", "2: a quotation mark"; "a,b,c,d", "2: has 4 cells"
                  "../a.wav,x", "2: The path"; "/a.wav,x", "2: The path"; ",x", "2: The path"; "b.wav,x", "2: 'b.wav' is listed already in line 1" ] do
                folder.Text ("q.csv", [ "b.wav,x"; line ])
                Expect.stringContains (message (fun () -> QuarantineList.Read (folder.Path "q.csv"))) $"q.csv, line {what}" line
            File.WriteAllBytes (folder.Path "q.csv", [| 0xFFuy; 0xFEuy; 0x00uy; 0xD8uy |])
            Expect.stringContains (message (fun () -> QuarantineList.Read (folder.Path "q.csv"))) "q.csv" "no text"
        }
        test "what a person wrote into a list survives a scan, and a removed line stays removed" {
            use folder = new Scratch ()
            let path = folder.Path "q.csv"
            let found = [ for f in [ "a, b.wav"; "c.wav"; "d.wav"; "#e.wav" ] -> QuarantineLine (f, "clipped", $"\"very\", {f}") ]
            let again found = QuarantineList.Read(path).With(found).Write ()
            let listed () = [ for l in QuarantineList.Read(path).Lines -> l.File, l.Reason, l.Detail ]
            again found
            let first = File.ReadAllText path
            Expect.equal (set (listed ())) (set [ for f in found -> f.File, f.Reason, f.Detail ]) "round trip"
            again found
            Expect.equal (File.ReadAllText path) first "a second scan changes nothing"
            let edited =
                [ for line in File.ReadAllLines path do
                    if line.StartsWith "d.wav" then yield! [ "# I like this one"; "d.wav,keep,nice" ]
                    elif not (line.StartsWith "c.wav") then yield line
                  yield! [ "# mine"; "own.wav,hum" ] ]
            File.WriteAllLines (path, edited)
            for _ in 1 .. 3 do again [ yield! found; QuarantineLine ("new.wav", "silent", "") ]
            Expect.equal (listed ())
                [ "#e.wav", "clipped", "\"very\", #e.wav"; "a, b.wav", "clipped", "\"very\", a, b.wav"
                  "c.wav", "keep", "its line (clipped) was removed by hand"; "d.wav", "keep", "nice"; "new.wav", "silent", ""; "own.wav", "hum", "" ]
                "after three scans"
            let text = File.ReadAllText path
            Expect.stringContains text "# I like this one\nd.wav,keep,nice\n" "a comment stays above its line"
            Expect.stringContains text "# mine\nown.wav,hum\n" "and so does the other"
            again []
            Expect.equal (listed () |> List.map (fun (f, _, _) -> f)) [ "c.wav"; "d.wav"; "own.wav" ] "what the scan no longer finds goes; a person's lines stay"
        }
        test "a list that a spreadsheet saved is read" {
            use folder = new Scratch ()
            File.WriteAllText (folder.Path "q.csv", "\uFEFF#: Files that are left out,,\r\n\"# a comment, with a comma\",,\r\nfile,reason,detail\r\na.wav,noise,\r\n\"b, c.wav\",keep,\"x \"\"y\"\"\"\r\n,,\r\n")
            Expect.equal [ for l in QuarantineList.Read(folder.Path "q.csv").Lines -> l.File, l.Reason, l.Detail, l.LeavesOut ]
                [ "a.wav", "noise", "", true; "b, c.wav", "keep", "x \"y\"", false ] "lines"
        }
        test "a scan goes on from its journal: torn lines, changed files and changed levels are measured again, thresholds are not" {
            use folder = new Scanned ()
            for i in 1 .. 6 do folder.Sound ($"{i}.wav", chirps (70 + i) 1.5 16000)
            let lines () = File.ReadAllLines(folder.Journal).Length
            let first = scan folder.Root
            Expect.equal (lines ()) 6 "one line a file"
            let again = scan folder.Root
            Expect.equal (lines ()) 6 "nothing measured again"
            Expect.equal [ for m in again.Measures -> m.SoundHash ] [ for m in first.Measures -> m.SoundHash ] "the same sound"
            let text = File.ReadAllText folder.Journal
            File.WriteAllText (folder.Journal, text.Substring (0, text.Length - 200))
            scan folder.Root |> ignore
            Expect.equal (lines ()) 7 "the torn line's file again"
            folder.Sound ("3.wav", chirps 99 1.6 16000)
            let changed = scan folder.Root
            Expect.equal (lines ()) 8 "the changed file again"
            Expect.notEqual changed.Measures[2].SoundHash first.Measures[2].SoundHash "its sound"
            let strict = scanWith (ScanSettings (Threads = 2, ShortError = 2.0)) null folder.Root
            Expect.equal (lines ()) 8 "a threshold needs no measuring"
            Expect.isTrue (strict.Measures |> Seq.forall (fun m -> List.contains "too_short" (rules strict m.File))) "and judges anew"
            scanWith (ScanSettings (Threads = 2, ClipLevel = 0.5)) null folder.Root |> ignore
            Expect.isTrue (Seq.forall (fun (l: string) -> l.StartsWith '{' && l.EndsWith '}') (File.ReadAllLines folder.Journal)) "whole lines"
        }
        test "a stopped scan keeps what it has done" {
            use folder = new Scanned ()
            for i in 1 .. 12 do folder.Sound ($"{i:D2}.wav", chirps (80 + i) 1.0 16000)
            use stop = new CancellationTokenSource ()
            let progress = { new IProgress<struct (int * int)> with member _.Report (struct (d, _)) = if d = 5 then stop.Cancel () }
            Expect.throwsT<OperationCanceledException> (fun () -> DatasetScan.Run (folder.Root, ScanSettings (Threads = 1), null, progress, stop.Token) |> ignore) "stopped"
            Expect.equal (File.ReadAllLines(folder.Journal).Length) 5 "five are kept"
            Expect.equal (scan folder.Root).Files.Count 12 "and the rest follows"
            Expect.equal (File.ReadAllLines(folder.Journal).Length) 12 "without measuring the five again"
        }
        test "a worker that crashes or hangs costs its file and nothing else" {
            use folder = new Scanned ()
            for i in 1 .. 3 do folder.Sound ($"{i}.wav", chirps (90 + i) 1.0 16000)
            let crashing = scanWith settings [| "sh"; "-c"; "read start; read file; kill -SEGV $$" |] folder.Root
            Expect.allEqual [ for m in crashing.Measures -> m.Problem ] "decoder_crashed" "crashed"
            File.Delete folder.Journal
            let hanging = scanWith (ScanSettings (Threads = 3, PatienceSeconds = 0.5)) [| "sh"; "-c"; "sleep 60" |] folder.Root
            Expect.allEqual [ for m in hanging.Measures -> m.Problem ] "decoder_hung" "hung"
        }
        test "worker processes measure exactly what this process measures, and 200 mutated files stop neither" {
            use folder = new Scanned ()
            let random = Random 7
            let sources =
                [| for format in [ AudioFormat.Wav16; AudioFormat.WavFloat; AudioFormat.Flac; AudioFormat.OggVorbis ] do
                    for i in 1 .. 3 -> AudioFile.Encode (chirps (300 + i) 0.6 16000, format) |]
            let names = [| ".wav"; ".ogg"; ".flac"; ".mp3" |]
            for i in 1 .. 200 do
                File.WriteAllBytes (folder.Path $"{i:D3}{names[random.Next 4]}", mutate random sources[random.Next sources.Length])
            let outside = scanWith (ScanSettings (Threads = 2)) worker folder.Root
            File.Delete folder.Journal
            let inside = scanWith (ScanSettings (Threads = 2)) null folder.Root
            Expect.equal outside.Files.Count 200 "all of them"
            Expect.equal [ for m in outside.Measures -> m.File, m.Problem, m.Frames, m.SoundHash ] [ for m in inside.Measures -> m.File, m.Problem, m.Frames, m.SoundHash ] "the same measurements"
            Expect.isTrue (outside.Measures |> Seq.exists (fun m -> m.Problem = "undecodable")) "some broken"
            Expect.isTrue (outside.Measures |> Seq.exists (fun m -> isNull m.Problem)) "some whole"
        }
        test "every file of the awkward pack is explained" {
            match Folders.Recordings with
            | null -> skiptest "awkward is not here: set BIRD_DATA to the folder of real recordings"
            | shelf when not (Directory.Exists (Path.Combine (shelf, "awkward"))) -> skiptest "awkward is not here: set BIRD_DATA to the folder of real recordings"
            | shelf ->
                use folder = new Scanned ()
                for file in Directory.GetFiles (Path.Combine (shelf, "awkward")) do File.Copy (file, folder.Path (nameOf file))
                let result = scan folder.Root
                let errors = [ for l in result.ToQuarantine -> l.File, l.Reason ] |> set
                Expect.equal errors
                    (set [ "lfs_pointer.mp3", "git_lfs_pointer"; "zero_bytes.ogg", "empty"; "two_channels_no_frames.wav", "no_samples"; "stereo_tiny.wav", "too_short"
                           "veryshort.wav", "too_short"; "short_no_metadata.wav", "too_short"; "silence_10s.mp3", "silent"; "truncated.ogg", "silent"
                           "robin_stereo_float.wav", "channels_cancel"
                           "robin_22050.ogg", "near_duplicate"; "robin_8bit.wav", "near_duplicate"; "robin_hq.ogg", "near_duplicate" ])
                    "left out"
                Expect.equal (rules result "wav_inside_eastern_whipbird_recording_2.mp3") [ "wrong_extension" ] "a WAV called mp3"
                Expect.equal (rules result "mp3_16khz.mp3") [ "low_rate" ] "nothing above 8 kHz"
                Expect.contains (rules result "truncated.ogg") "truncated" "cut off as well"
                for file in [ "franklin's_gull.mp3"; "XC757053 - Great Tit - Parus major.mp3"; "audiomoth_metadata.wav"; "mp3_48khz_stereo.mp3"; "birds_10s.wav" ] do
                    Expect.isEmpty (rules result file) file
        }
    ]
