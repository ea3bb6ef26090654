module BirdResearch.Tests.AudioTests

open System
open System.IO
open System.Text
open System.Threading.Tasks
open Expecto
open BirdResearch.Audio
open BirdResearch.Data

/// A folder that is gone when the test is over.
let private inFolder (work: string -> unit) =
    let folder = Path.Combine(Path.GetTempPath(), $"bird audio {Guid.NewGuid():N}")
    Directory.CreateDirectory folder |> ignore
    try work folder finally Directory.Delete(folder, true)

let private tone (rate: int) (seconds: float) (hertz: float) (level: float) =
    Waveform(Array.init (int (seconds * float rate)) (fun i -> float32 (level * sin (2.0 * Math.PI * hertz * float i / float rate))), rate)

/// A sweep with a little noise: no two stretches of it are alike.
let private sweep (rate: int) (seconds: float) =
    let random = Random 5
    Waveform(
        Array.init (int (seconds * float rate)) (fun i ->
            let t = float i / float rate
            float32 (0.5 * sin (2.0 * Math.PI * (200.0 * t + 900.0 * t * t)) + 0.05 * (random.NextDouble() - 0.5))),
        rate)

/// RIFF/WAVE bytes: tag 1 for 16-bit integers, 3 for 32-bit floats.
let private wav (tag: int) (channels: int) (rate: int) (data: byte[]) =
    use stream = new MemoryStream()
    use out = new BinaryWriter(stream)
    let width = if tag = 1 then 2 else 4
    out.Write(Encoding.ASCII.GetBytes "RIFF")
    out.Write(36 + data.Length)
    out.Write(Encoding.ASCII.GetBytes "WAVEfmt ")
    out.Write 16
    out.Write(int16 tag)
    out.Write(int16 channels)
    out.Write rate
    out.Write(rate * channels * width)
    out.Write(int16 (channels * width))
    out.Write(int16 (8 * width))
    out.Write(Encoding.ASCII.GetBytes "data")
    out.Write data.Length
    out.Write data
    out.Flush()
    stream.ToArray()

let private floats (values: float32 seq) = values |> Seq.collect (fun (v: float32) -> BitConverter.GetBytes v) |> Seq.toArray

let private reasonOf (read: unit -> 'a) =
    try
        read () |> ignore
        failtest "was read without an error"
    with :? AudioFileException as e -> e

let private decibels (ratio: float) = 20.0 * Math.Log10(max ratio 1e-12)

/// Amplitude of a tone in the middle of a sound, and rms of what else is there.
let private fitted (sound: float32[]) (rate: int) (hertz: float) =
    let from, until = sound.Length / 4, 3 * sound.Length / 4
    let omega = 2.0 * Math.PI * hertz / float rate
    let mutable ss, sc, cc, xs, xc = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in from .. until do
        let s, c, x = sin (omega * float i), cos (omega * float i), float sound[i]
        ss <- ss + s * s
        sc <- sc + s * c
        cc <- cc + c * c
        xs <- xs + x * s
        xc <- xc + x * c
    let determinant = ss * cc - sc * sc
    let a, b = (xs * cc - xc * sc) / determinant, (xc * ss - xs * sc) / determinant
    let mutable rest = 0.0
    for i in from .. until do
        let r = float sound[i] - a * sin (omega * float i) - b * cos (omega * float i)
        rest <- rest + r * r
    a, b, sqrt (rest / float (until - from + 1))

let private resampling =
    testList "resampler" [
        for from, into in
            [ 44100, 32000; 32000, 16000; 48000, 32000; 22050, 32000; 44099, 32000
              32000, 44100; 96000, 22050; 384000, 32000; 4000, 32000 ] do
            let nyquist = 0.5 * float (min from into)
            test $"{from} to {into} Hz is flat within 0.01 dB, in time, and clean to 100 dB up to 0.9 of the lower Nyquist frequency" {
                let seconds = if from > 100_000 then 0.3 else 0.6
                for share in [ 0.02; 0.11; 0.23; 0.37; 0.5; 0.64; 0.77; 0.85; 0.9 ] do
                    let sound = Resampler.Resample(tone from seconds (share * nyquist) 1.0, into)
                    let inPhase, across, rest = fitted sound.Samples into (share * nyquist)
                    Expect.isLessThan (abs (decibels (sqrt (inPhase * inPhase + across * across)))) 0.01 $"ripple at {share} of Nyquist"
                    Expect.isLessThan (abs across) 1e-4 $"phase at {share} of Nyquist"
                    Expect.isLessThan (decibels (rest * sqrt 2.0)) -100.0 $"aliases, images and noise at {share} of Nyquist"
            }
        for from, into in [ 44100, 32000; 32000, 16000; 48000, 32000; 44099, 32000; 96000, 22050; 384000, 4000 ] do
            test $"{from} to {into} Hz lets no tone above the new Nyquist frequency through above -100 dB" {
                let low, high = 0.5 * float into, 0.5 * float from
                for share in [ 0.0; 0.005; 0.02; 0.06; 0.15; 0.3; 0.5; 0.7; 0.9; 0.99 ] do
                    let sound = Resampler.Resample(tone from 0.6 (low + share * (high - low)) 1.0, into).Samples
                    let middle = sound[sound.Length / 4 .. 3 * sound.Length / 4]
                    let rms = middle |> Array.averageBy (fun x -> float x * float x) |> sqrt
                    Expect.isLessThan (decibels (rms * sqrt 2.0)) -100.0 $"{low + share * (high - low)} Hz"
            }
        test "the length is the input's times the ratio, rounded up" {
            for from, into in [ 44100, 32000; 32000, 44100; 44099, 32000; 7001, 48000; 384000, 4000; 4000, 384000 ] do
                for n in [ 0; 1; 2; 441; 1000; 4097 ] do
                    let made = Resampler.Between(from, into).Resample(ReadOnlySpan(Array.create n 0.5f)).Length
                    Expect.equal made (int ((int64 n * int64 into + int64 from - 1L) / int64 from)) $"{n} samples, {from} to {into}"
        }
        test "the same rate gives the same object" {
            let sound = tone 32000 0.1 1000.0 0.5
            Expect.isTrue (obj.ReferenceEquals(Resampler.Resample(sound, 32000), sound)) "nothing to do"
        }
        test "a rate outside 4 to 384 kHz is refused by its value" {
            for rate in [ 3999; 384001; 1; Int32.MaxValue ] do
                let e = Expect.throwsC (fun () -> Resampler.Resample(tone 32000 0.01 100.0 1.0, rate) |> ignore) id
                Expect.stringContains e.Message $"{rate}" "names the rate"
                Expect.stringContains e.Message "384000" "names the limit"
        }
    ]

let private formats =
    [ AudioFormat.Wav16, "WAV", "PCM_16"
      AudioFormat.WavFloat, "WAV", "FLOAT"
      AudioFormat.Flac, "FLAC", "PCM_16"
      AudioFormat.OggVorbis, "OGG", "VORBIS" ]

let private files =
    testList "files" [
        for format, container, subtype in formats do
            test $"what is written as {format} is read back, and nothing is left beside it" {
                inFolder (fun folder ->
                    let path, sound = Path.Combine(folder, "new", "schön laut, l'été.bin"), sweep 32000 2.0
                    AudioFile.Write(path, sound, format)
                    let info, back = AudioFile.Probe path, AudioFile.Read path
                    Expect.equal info (AudioInfo(container, subtype, 32000, 1, 64000L, true)) "what the file says"
                    Expect.equal back.Samples.Length 64000 "length"
                    let worst = Array.map2 (fun a b -> abs (a - b)) sound.Samples back.Samples |> Array.max
                    let allowed =
                        match format with
                        | AudioFormat.WavFloat -> 0.0f
                        | AudioFormat.OggVorbis -> 0.2f
                        | _ -> 1.0f / 32767.0f
                    Expect.isLessThanOrEqual worst allowed "largest difference"
                    Expect.equal (Directory.GetFiles(folder, "*", SearchOption.AllDirectories)) [| path |] "only the file")
            }
            test $"a slice of {format} is bit for bit that part of the whole, at its own rate and resampled" {
                inFolder (fun folder ->
                    let path = Path.Combine(folder, "a")
                    AudioFile.Write(path, sweep 32000 3.0, format)
                    for rate in [ Nullable(); Nullable 16000; Nullable 44100; Nullable 31999 ] do
                        let whole = AudioFile.Read(path, rate)
                        for start, seconds in [ 0.0, 0.1; 0.0, 3.0; 0.37, 0.5; 1.00003, 1.0; 1.5, 0.0; 2.9, 0.1 ] do
                            let slice = AudioFile.Read(path, start, seconds, rate)
                            let samples (t: float) = int (round (t * float whole.SampleRate))
                            let count = min (samples seconds) (whole.Samples.Length - samples start)
                            let part = Array.sub whole.Samples (samples start) count
                            Expect.equal slice.Samples part $"{start} s, {seconds} s at {whole.SampleRate} Hz")
            }
            test $"a slice of {format} past the end is shorter, then empty" {
                inFolder (fun folder ->
                    let path = Path.Combine(folder, "a")
                    AudioFile.Write(path, sweep 32000 1.0, format)
                    for rate, expected in [ Nullable(), 3200; Nullable 16000, 1600; Nullable 44100, 4410 ] do
                        Expect.equal (AudioFile.Read(path, 0.9, 5.0, rate).Samples.Length) expected "what is left"
                        Expect.isEmpty (AudioFile.Read(path, 7.0, 5.0, rate).Samples) "nothing is left")
            }
        for what, code, rate, seconds in
            [ "opus", 0x200064, 48000, 4.0; "mp3, past the minute from which it jumps", 0x230082, 32000, 70.0 ] do
            test $"a slice of {what} is that part of the whole" {
                inFolder (fun folder ->
                    let path, sound = Path.Combine(folder, "a"), tone rate seconds 700.0 0.5
                    // Louder by the second, so that no two stretches are alike.
                    let sound = sound.Samples |> Array.mapi (fun i x -> x * float32 i / float32 sound.Samples.Length)
                    use stream = new MemoryStream()
                    let encoded =
                        try
                            using (SndFile.OpenWrite(stream, rate, code)) (fun file ->
                                for piece in Array.chunkBySize 4096 sound do file.Write(ReadOnlySpan piece) |> ignore)
                            Some(stream.ToArray())
                        with :? InvalidDataException -> None
                    match encoded with
                    | None -> skiptest $"this system's libsndfile does not write {what}"
                    | Some bytes -> File.WriteAllBytes(path, bytes)
                    for rate in [ Nullable(); Nullable 24000 ] do
                        let whole = AudioFile.Read(path, rate)
                        for start in [ 0.5; 0.9 * seconds ] do
                            let slice = AudioFile.Read(path, start, 0.2, rate)
                            let part = Array.sub whole.Samples (int (round (start * float whole.SampleRate))) slice.Samples.Length
                            Expect.equal slice.Samples.Length (int (round (0.2 * float whole.SampleRate))) "length"
                            Expect.isLessThan (Array.map2 (fun a b -> abs (a - b)) slice.Samples part |> Array.max) 1e-3f $"from {start} s")
            }
        test "louder than full scale is clipped by integers and kept by floats" {
            inFolder (fun folder ->
                let loud = tone 32000 0.1 440.0 3.0
                for format, _, _ in formats do
                    AudioFile.Write(Path.Combine(folder, "a"), loud, format)
                    let back = AudioFile.Read(Path.Combine(folder, "a")).Samples
                    let agree = Array.map2 (fun (a: float32) b -> abs a < 0.9f || sign a = sign b) loud.Samples back
                    Expect.isTrue (Array.forall id agree) $"{format} does not wrap around"
                    if format = AudioFormat.WavFloat then Expect.equal back loud.Samples "kept")
        }
        test "a file is decided by its content, not by its name" {
            inFolder (fun folder ->
                for format, container, _ in formats do
                    for name in [ "song.mp3"; "song.wav"; "song.gsm"; "song" ] do
                        AudioFile.Write(Path.Combine(folder, name), tone 22050 0.1 440.0 0.5, format)
                        Expect.equal (AudioFile.Probe(Path.Combine(folder, name)).Format) container name)
        }
        test "channels are averaged" {
            inFolder (fun folder ->
                let path = Path.Combine(folder, "a.wav")
                File.WriteAllBytes(path, wav 3 3 44100 (floats [ 0.5f; 0.25f; 0.75f; 1.0f; -1.0f; 0.0f; 0.3f; 0.3f; -0.9f ]))
                let sound = AudioFile.Read path
                for want, got in Seq.zip [ 0.5; 0.0; -0.1 ] sound.Samples do Expect.floatClose Accuracy.medium (float got) want "mean")
        }
        test "a sample that is not a number or not finite is an error that names the file and the sample" {
            inFolder (fun folder ->
                for value in [ nanf; infinityf; -infinityf; 3e38f ] do
                    let path = Path.Combine(folder, "bad.wav")
                    File.WriteAllBytes(path, wav 3 1 44100 (floats [ 0.5f; 0.25f; value; 0.1f ]))
                    let e = reasonOf (fun () -> AudioFile.Read path)
                    Expect.stringStarts e.Message path "the file"
                    Expect.stringContains e.Message "at sample 2" "the sample")
        }
        test "only finite samples are written" {
            for bad in [ nanf; infinityf ] do
                let sound = Waveform([| 0.0f; bad |], 32000)
                let e = Expect.throwsC (fun () -> AudioFile.Encode(sound, AudioFormat.Wav16) |> ignore) id
                Expect.stringContains e.Message "Sample 1" "which one"
        }
        test "a rate that a format cannot hold is refused by its value" {
            let sound = Waveform([| 0.0f; 0.1f |], 1_000_000)
            let e = Expect.throwsC (fun () -> AudioFile.Encode(sound, AudioFormat.Flac) |> ignore) id
            Expect.stringContains e.Message "1000000 Hz" "the rate"
        }
        for what, bytes, words in
            [ "an empty file", [||], "empty"
              "a Git LFS pointer", Encoding.ASCII.GetBytes "version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "git lfs pull"
              "a web page", Encoding.ASCII.GetBytes "<!DOCTYPE html><html>404</html>", "web page"
              "text", Encoding.ASCII.GetBytes "once upon a time there was a bird that was not a sound", "not a sound file"
              "ten bytes of a song", Encoding.ASCII.GetBytes "OggS.00000", "cut off after 10 bytes"
              "zeros", Array.zeroCreate 5000, "zeros"
              "a bare Ogg page", Encoding.ASCII.GetBytes("OggS" + String('\000', 60)), "begins as Ogg"
              "a header without samples", wav 1 2 44100 [||], "holds no samples"
              "65 channels", wav 1 65 44100 (Array.zeroCreate 1300), "65 channels"
              "a rate of 100 Hz", wav 1 1 100 (Array.zeroCreate 200), "100 Hz"
              "a rate of 500 kHz", wav 1 1 500000 (Array.zeroCreate 200), "500000 Hz" ] do
            test $"{what} is reported with the file's name and a reason" {
                inFolder (fun folder ->
                    let path = Path.Combine(folder, "XC1.ogg")
                    File.WriteAllBytes(path, bytes)
                    for e in [ reasonOf (fun () -> AudioFile.Read path); reasonOf (fun () -> AudioFile.Read(path, 0.0, 1.0, 16000)) ] do
                        Expect.stringStarts e.Message path "the file"
                        Expect.stringContains e.Reason words "the reason")
            }
        test "a missing file, a missing folder and a folder are reported with their path" {
            inFolder (fun folder ->
                for path, words in
                    [ Path.Combine(folder, "no.wav"), "does not exist"
                      Path.Combine(folder, "no", "no.wav"), "does not exist"
                      folder, "is a folder" ] do
                    let e = reasonOf (fun () -> AudioFile.Probe path)
                    Expect.stringStarts e.Message path "the path"
                    Expect.stringContains e.Reason words "the reason"
                File.WriteAllText(Path.Combine(folder, "file"), "")
                let below = Path.Combine(folder, "file", "a.wav")
                let e = reasonOf (fun () -> AudioFile.Write(below, tone 32000 0.1 1.0 1.0, AudioFormat.Wav16))
                Expect.stringContains e.Reason "cannot be written" "below a file")
        }
        test "several threads decode different files at once" {
            inFolder (fun folder ->
                let paths = [| for i in 0..7 -> Path.Combine(folder, $"{i}") |]
                paths |> Array.iteri (fun i path ->
                    let format, _, _ = formats[i % formats.Length]
                    AudioFile.Write(path, tone 44100 1.0 (300.0 + 100.0 * float i) 0.5, format))
                let alone = paths |> Array.map (fun path -> AudioFile.Read(path, 32000).Samples)
                let together = Array.zeroCreate 64
                Parallel.For(0, 64, fun i -> together[i] <- AudioFile.Read(paths[i % 8], 32000).Samples) |> ignore
                together |> Array.iteri (fun i samples -> Expect.equal samples alone[i % 8] $"file {i % 8}"))
        }
        for format, _, _ in formats do
            test $"damaged copies of {format} give sound or a clear error, and neither crash nor hang" {
                inFolder (fun folder ->
                    let whole = AudioFile.Encode(sweep 16000 0.7, format)
                    let random = Random 11
                    let path = Path.Combine(folder, "damaged")
                    let mutable sounds, errors = 0, 0
                    let started = Diagnostics.Stopwatch.StartNew()
                    for case in 0..239 do
                        let bytes = Array.copy whole
                        let bytes = if case % 2 = 0 then bytes[.. random.Next bytes.Length] else bytes
                        // Headers decide most, so half of the flips lie in the first bytes.
                        if case % 3 > 0 then
                            for flip in 0 .. random.Next 12 do
                                let at = if flip % 2 = 0 then random.Next(min 120 bytes.Length) else random.Next bytes.Length
                                bytes[at] <- byte (random.Next 256)
                        File.WriteAllBytes(path, bytes)
                        for read in [ (fun () -> AudioFile.Read path); (fun () -> AudioFile.Read(path, 0.3, 0.2, 32000)) ] do
                            try
                                let sound = read ()
                                Expect.isTrue (Array.forall Single.IsFinite sound.Samples) "finite"
                                Expect.isLessThan sound.Seconds 600.0 "no more than was there"
                                sounds <- sounds + 1
                            with :? AudioFileException as e ->
                                Expect.stringStarts e.Message path "the file"
                                errors <- errors + 1
                        try AudioFile.Probe path |> ignore with :? AudioFileException -> ()
                    Expect.isGreaterThan sounds 20 "some are still sound"
                    Expect.isGreaterThan errors 20 "some are not"
                    Expect.isLessThan started.Elapsed.TotalSeconds 60.0 "quick")
            }
    ]

/// awkward.csv by column name; its quoted cells hold commas.
let private rowsOf (path: string) =
    let cells (line: string) =
        let out, cell = ResizeArray<string>(), StringBuilder()
        let mutable quoted = false
        for c in line do
            if c = '"' then quoted <- not quoted
            elif c = ',' && not quoted then
                out.Add(string cell)
                cell.Clear() |> ignore
            else cell.Append c |> ignore
        out.Add(string cell)
        out
    let lines = File.ReadAllLines path
    let header = cells lines[0]
    [ for line in lines[1..] -> dict (Seq.zip header (cells line)) ]

let private awkward =
    testList "awkward files" [
        test "every awkward file is what awkward.csv says, or gives its clear reason" {
            match Folders.Recordings |> Option.ofObj |> Option.map (fun f -> Path.Combine(f, "awkward")) with
            | Some folder when File.Exists(Path.Combine(folder, "awkward.csv")) ->
                let rows = rowsOf (Path.Combine(folder, "awkward.csv"))
                Expect.hasLength rows 25 "files"
                for row in rows do
                    let name = row["filename"]
                    let path = Path.Combine(folder, name)
                    if row["opens_with_libsndfile"] = "no" then
                        let e = reasonOf (fun () -> AudioFile.Read path)
                        Expect.stringStarts e.Message path name
                        Expect.stringContains e.Reason (if row["bytes"] = "0" then "empty" else "git lfs pull") name
                    else
                        let info = AudioFile.Probe path
                        Expect.equal (info.Format, info.Subtype) (row["container"], row["subtype"]) name
                        Expect.equal (string info.SampleRate, string info.Channels) (row["sample_rate"], row["channels"]) name
                        if row["frames"] <> "unknown" then Expect.equal (string info.Frames) row["frames"] name
                        if row["frames"] = "0" then
                            Expect.stringContains (reasonOf (fun () -> AudioFile.Read path)).Reason "holds no samples" name
                        else
                            let whole = AudioFile.Read path
                            Expect.isTrue (Array.forall Single.IsFinite whole.Samples) name
                            // Two mp3 have no length in their first frame: the estimate counts their tags as sound.
                            let slack = if info.Format = "MP3" then info.Frames / 40L else 0L
                            let lacks = info.Frames - whole.Samples.LongLength
                            Expect.isTrue (lacks >= 0L && lacks <= slack) $"{name} is read whole"
                            let start, seconds = 0.4 * whole.Seconds, 0.3 * whole.Seconds
                            for rate in [ Nullable(); Nullable 32000 ] do
                                let at = AudioFile.Read(path, rate)
                                let slice = AudioFile.Read(path, start, seconds, rate)
                                let first = int (round (start * float at.SampleRate))
                                let part = Array.sub at.Samples first slice.Samples.Length
                                let count = int (round (seconds * float at.SampleRate))
                                Expect.equal slice.Samples.Length count $"length of a slice of {name}"
                                let near a b = abs (a - b) < 1e-5f
                                Expect.isTrue (Array.forall2 near slice.Samples part) $"a slice of {name}"
            | _ -> skiptest "awkward.csv is not here: set BIRD_DATA to the folder of real recordings"
        }
        test "channels that cancel give silence, and an inverted copy of a robin is one" {
            match Folders.Recordings |> Option.ofObj |> Option.map (fun f -> Path.Combine(f, "awkward", "robin_stereo_float.wav")) with
            | Some path when File.Exists path ->
                Expect.isTrue (AudioFile.Read(path).Samples |> Array.forall (fun x -> abs x < 1e-6f)) "silence"
            | _ -> skiptest "robin_stereo_float.wav is not here: set BIRD_DATA to the folder of real recordings"
        }
    ]

let tests : Test = testList "audio" [ resampling; files; awkward ]
