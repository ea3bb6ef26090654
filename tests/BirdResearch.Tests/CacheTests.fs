module BirdResearch.Tests.CacheTests

open System
open System.Diagnostics
open System.IO
open System.Threading
open System.Threading.Tasks
open Expecto
open BirdResearch.Audio
open BirdResearch.Data
open BirdResearch.Tests.SmallData

let rate = 16000

/// Compressed recordings of noise at 22.05 kHz, which have to be decoded and resampled.
let recordings (folder: Scratch) (seconds: float list) =
    dataset folder.Root
        [ for i, length in List.indexed seconds do
              let id = $"r{i}"
              let random = CounterRandom(int64 i)
              let sound = Array.init (int (length * 22050.0)) (fun _ -> float32 (0.2 * random.NextGaussian()))
              AudioFile.Write(folder.Path $"audio/{id}.ogg", Waveform(sound, 22050), AudioFormat.OggVorbis)
              Clip(Id = id, File = $"audio/{id}.ogg", Labels = [| $"species{i % 3}" |], Group = id) ]

let cacheIn (folder: Scratch) = DiskCache(folder.Path "cache")

let readerOn data (memory: int64) (disk: DiskCache | null) = WindowReader(data, rate, 1.0, memory, ShortRecording.Repeat, disk)

let epoch (data: Dataset) (reader: WindowReader) number workers =
    [ for b in ClipBatches.Training(reader, data.Focal, data.Classes, 4, 7L, number, workers = Nullable workers) -> List.ofSeq b.Ids, b.Samples ]

let entries (disk: DiskCache) = if Directory.Exists disk.Root then Directory.GetFiles(disk.Root, "*.kept", SearchOption.AllDirectories) else [||]

let lengths = [ 0.4; 1.0; 3.7; 8.2; 15.0; 2.2 ]

let same =
    testList "same bits" [
        for memory in [ 0L; 600_000L; 1L <<< 30 ] do
            test $"an epoch has the same bits with and without a disk cache, with {memory} bytes of memory, for 1, 2 and 7 workers" {
                use folder = new Scratch()
                let data = recordings folder lengths
                for number in 0..2 do
                    let plain = epoch data (readerOn data memory null) number 1
                    for workers in [ 1; 2; 7 ] do
                        Expect.equal (epoch data (readerOn data memory null) number workers) plain $"without, epoch {number}, {workers} workers"
                        Expect.equal (epoch data (readerOn data memory (cacheIn folder)) number workers) plain $"with, epoch {number}, {workers} workers"
            }
        test "every window read from disk holds the whole file's samples at its place" {
            use folder = new Scratch()
            let data = recordings folder [ 15.0 ]
            let only = data.Focal[0]
            let whole = AudioFile.Read(data.PathOf only, Nullable rate).Samples
            readerOn data 0L (cacheIn folder) |> fun filling -> for at in 0L .. 16_000L .. int64 (whole.Length - 16_000) do filling.Read(only, at, Span(Array.zeroCreate 16_000))
            let reader = readerOn data 0L (cacheIn folder)
            let window = Array.zeroCreate 16_000
            for offset in [ 0; 1; 16_383; 16_384; 95_999; 96_000; 111_999; 112_000; 112_001; 200_000; whole.Length - 16_000 ] do
                reader.Read(only, int64 offset, Span window)
                Expect.isTrue (Span(whole, offset, 16_000).SequenceEqual(ReadOnlySpan window)) $"offset {offset}"
            Expect.equal reader.DecodedPieces 0L "decoded"
        }
    ]

let use' =
    testList "use" [
        for memory in [ 0L; 1L <<< 30 ] do
            test $"neither a second epoch nor a second reader decodes, with {memory} bytes of memory" {
                use folder = new Scratch()
                let data = recordings folder lengths
                let disk = cacheIn folder
                let first = readerOn data memory disk
                for c in data.Focal do
                    for at in 0L .. 8_000L .. max 0L (first.LengthOf c - 16_000L) do first.Read(c, at, Span(Array.zeroCreate 16_000))
                let pieces = first.DecodedPieces
                Expect.equal pieces 9L "pieces of at most 7 s, each decoded once"
                epoch data first 0 2 |> ignore
                epoch data first 1 2 |> ignore
                Expect.equal first.DecodedPieces pieces "later epochs"
                let second = readerOn data memory (cacheIn folder)
                epoch data second 0 2 |> ignore
                epoch data second 1 2 |> ignore
                Expect.equal second.DecodedPieces 0L "a second reader"
            }
        test "an uncompressed recording at the reader's rate is not kept again" {
            use folder = new Scratch()
            folder.Ramp("audio/a.wav", 3.0, rate)
            let data = dataset folder.Root [ clip "a" "wren" "Ann" ]
            let disk = cacheIn folder
            (readerOn data 0L disk).Read data.Focal[0] |> ignore
            Expect.equal (entries disk).Length 0 "entries"
        }
        test "a recording that is replaced by another of the same size and time is decoded anew" {
            use folder = new Scratch()
            let data = dataset folder.Root [ clip "a" "wren" "Ann" ]
            let path = data.PathOf data.Focal[0]
            let write (pitch: float32) =
                AudioFile.Write(path, Waveform(Array.init 66150 (fun i -> sin (float32 i * pitch)), 22050), AudioFormat.Wav16)
                File.SetLastWriteTimeUtc(path, DateTime(2024, 1, 1, 0, 0, 0, DateTimeKind.Utc))
                FileInfo(path).Length
            let size = write 0.1f
            let before = (readerOn data 0L (cacheIn folder)).Read data.Focal[0]
            Expect.equal (write 0.2f) size "the size"
            let after = (readerOn data 0L (cacheIn folder)).Read data.Focal[0]
            Expect.equal after ((readerOn data 0L null).Read data.Focal[0]) "the new sound"
            Expect.notEqual after before "not the old one"
        }
        testSequenced <| test "the environment names the folder and the size, or switches the cache off" {
            let set (name: string) (value: string | null) = Environment.SetEnvironmentVariable(name, value)
            let folder, size = Environment.GetEnvironmentVariable "BIRD_CACHE", Environment.GetEnvironmentVariable "BIRD_CACHE_GB"
            try
                set "BIRD_CACHE" "off"
                Expect.isNull (DiskCache.FromEnvironment()) "off"
                set "BIRD_CACHE" (Path.GetFullPath "here")
                set "BIRD_CACHE_GB" "0.5"
                let disk = nonNull (DiskCache.FromEnvironment())
                Expect.equal (disk.Root, disk.Limit) (Path.GetFullPath "here", 1L <<< 29) "folder and size"
                set "BIRD_CACHE_GB" "much"
                Expect.stringContains (message DiskCache.FromEnvironment) "BIRD_CACHE_GB is 'much'" "a size that is none"
            finally
                set "BIRD_CACHE" folder
                set "BIRD_CACHE_GB" size
        }
    ]

let harm =
    testList "harm" [
        let damages: (string * (byte array -> byte array)) list =
            [ "cut off by a byte", (fun b -> b[.. b.Length - 2])
              "cut off in its head", (fun b -> b[..20])
              "empty", (fun _ -> [||])
              "longer by a byte", (fun b -> Array.append b [| 0uy |])
              "somebody else's", (fun b -> Array.create b.Length 65uy)
              "changed in one sample", (fun b -> Array.mapi (fun i x -> if i = b.Length - 3 then x ^^^ 1uy else x) b)
              "changed in its head", (fun b -> Array.mapi (fun i x -> if i = 17 then x ^^^ 1uy else x) b)
              "changed in its table", (fun b -> Array.mapi (fun i x -> if i = 65 then x ^^^ 1uy else x) b)
              "zero-filled", (fun b -> Array.mapi (fun i x -> if i > b.Length / 2 then 0uy else x) b) ]
        for name, damage in damages do
            test $"an entry that is {name} is made again" {
                use folder = new Scratch()
                let data = recordings folder [ 5.0 ]
                let read (reader: WindowReader) = reader.Read(data.Focal[0], 3.9)
                let want = read (readerOn data 0L (cacheIn folder))
                let disk = cacheIn folder
                let whole = [ for e in entries disk -> e, File.ReadAllBytes e ]
                Expect.equal whole.Length 2 "the recording's facts and its sound"
                for e, bytes in whole do File.WriteAllBytes(e, damage bytes)
                for memory in [ 0L; 1L <<< 30 ] do
                    Expect.equal (read (readerOn data memory disk)) want $"samples, {memory}"
                for e, bytes in whole do
                    Expect.isTrue (bytes.AsSpan().SequenceEqual(ReadOnlySpan(File.ReadAllBytes e))) "as it was"
            }
        test "an entry under another's name is not taken for it" {
            use folder = new Scratch()
            let data = recordings folder [ 5.0; 5.0 ]
            let disk = cacheIn folder
            let reader = readerOn data 0L disk
            let want = [ for c in data.Focal -> reader.Read c ]
            match entries disk |> Array.filter (fun e -> FileInfo(e).Length > 1000L) with
            | [| a; b |] ->
                let kept = File.ReadAllBytes a
                File.Copy(b, a, true)
                File.WriteAllBytes(b, kept)
            | other -> failtest $"{other.Length} entries"
            Expect.equal [ let r = readerOn data 0L (cacheIn folder) in for c in data.Focal -> r.Read c ] want "samples"
        }
        test "the folder may be deleted while it is read and written" {
            use folder = new Scratch()
            let data = recordings folder lengths
            let want = epoch data (readerOn data 0L null) 3 1
            use stop = new CancellationTokenSource()
            let deleting =
                Task.Run(fun () ->
                    let mutable times = 0
                    while not stop.IsCancellationRequested do
                        try Directory.Delete(folder.Path "cache", true) with :? IOException -> ()
                        times <- times + 1
                        Thread.Sleep 2
                    times)
            let got = [ for _ in 1..12 -> let disk = cacheIn folder in epoch data (readerOn data 0L disk) 3 4, disk.Trouble ]
            stop.Cancel()
            Expect.isGreaterThan deleting.Result 10 "deletions"
            for samples, trouble in got do
                Expect.equal samples want "samples"
                Expect.isNull trouble "no trouble"
        }
        test "readers at once on one folder agree and leave whole entries" {
            use folder = new Scratch()
            let data = recordings folder lengths
            let want = epoch data (readerOn data 0L null) 5 1
            let got = Array.Parallel.init 6 (fun i -> epoch data (readerOn data (if i % 2 = 0 then 0L else 1L <<< 30) (cacheIn folder)) 5 2)
            Expect.allEqual got want "samples"
            Expect.isEmpty (Directory.GetFiles(folder.Path "cache", "*.partial", SearchOption.AllDirectories)) "nothing half-written"
            let after = readerOn data 0L (cacheIn folder)
            epoch data after 5 2 |> ignore
            Expect.equal after.DecodedPieces 0L "all of it is there"
        }
        test "a folder that cannot be written stops nothing and is told once" {
            use folder = new Scratch()
            let data = recordings folder lengths
            File.WriteAllText(folder.Path "cache", "a file where the folder should be")
            let disk = cacheIn folder
            Expect.equal (epoch data (readerOn data 0L disk) 0 2) (epoch data (readerOn data 0L null) 0 2) "samples"
            Expect.stringContains (nonNull disk.Trouble) "BIRD_CACHE" "what to do"
            Expect.stringContains (nonNull disk.Trouble) disk.Root "where"
        }
        test "a folder that cannot be made stops nothing and is told once" {
            if not (OperatingSystem.IsLinux()) then skiptest "needs a place where nothing can be made, such as /proc"
            use folder = new Scratch()
            let data = recordings folder [ 2.0; 2.0 ]
            let disk = DiskCache "/proc/self/cache"
            Expect.equal (epoch data (readerOn data 0L disk) 0 2) (epoch data (readerOn data 0L null) 0 2) "samples"
            Expect.isNotNull disk.Trouble "told"
        }
    ]

let bound =
    testList "bound" [
        test "the bound is kept, and what was used least recently goes first" {
            use folder = new Scratch()
            let data = recordings folder (List.replicate 8 4.0)
            let piece = 64_000L * 4L + 4096L + 4096L   // a recording's sound with its head, and its facts, in blocks of the disk
            let limit = 4L * piece + 4096L
            let sound (disk: DiskCache) = entries disk |> Array.filter (fun e -> FileInfo(e).Length > 1000L) |> Array.length
            let session clips =
                let disk = DiskCache(folder.Path "cache", limit)
                let reader = readerOn data 0L disk
                for i: int in clips do reader.Read data.Focal[i] |> ignore
                Expect.isTrue (disk.Measure() <= limit) $"{disk.Measure()} bytes of {limit}"
                reader.DecodedPieces, sound disk
            Expect.equal (session [ 0; 1; 2; 3 ]) (4L, 4) "four fit"
            Thread.Sleep 20
            Expect.equal (fst (session [ 0; 1 ])) 0L "two are used"
            Thread.Sleep 20
            Expect.equal (fst (session [ 4 ])) 1L "a fifth pushes old ones out"
            Thread.Sleep 20
            Expect.equal (fst (session [ 0; 1; 4 ])) 0L "and not the ones used since"
            Thread.Sleep 20
            Expect.isGreaterThan (fst (session [ 2; 3 ])) 0L "but those that were not"
        }
        test "an epoch over more than fits keeps what it has instead of turning all over" {
            use folder = new Scratch()
            let data = recordings folder (List.replicate 8 4.0)
            let limit = 4L * (64_000L * 4L + 3L * 4096L)
            let disk = DiskCache(folder.Path "cache", limit)
            let reader = readerOn data 0L disk
            let decodes () =
                let before = reader.DecodedPieces
                for c in data.Focal do reader.Read c |> ignore
                reader.DecodedPieces - before
            Expect.equal (decodes ()) 8L "the first epoch"
            let later = decodes ()
            Expect.isTrue (later >= 4L && later <= 5L) $"the second decodes {later} of 8"
            Expect.equal (decodes ()) later "and the third as many"
            Expect.isTrue (disk.Measure() <= limit) "within the bound"
        }
        test "several caches on one folder stay near the bound" {
            use folder = new Scratch()
            let data = recordings folder (List.replicate 12 4.0)
            let limit = 1_600_000L
            let disks = Array.init 3 (fun _ -> DiskCache(folder.Path "cache", limit))
            disks |> Array.Parallel.iteri (fun i disk -> let reader = readerOn data 0L disk in for k in 0..11 do reader.Read data.Focal[(k + 4 * i) % 12] |> ignore)
            Expect.isTrue (disks[0].Measure() <= limit + 3L * (limit / 16L + 270_000L)) $"{disks[0].Measure()} bytes"
        }
        test "files that are not the cache's own are left alone" {
            use folder = new Scratch()
            let data = recordings folder (List.replicate 6 4.0)
            folder.Text("cache/ab/notes.txt", [ "mine" ])
            folder.Text("cache/thesis/draft.kept", [ "mine" ])
            for i in 0..5 do
                (readerOn data 0L (DiskCache(folder.Path "cache", 600_000L))).Read data.Focal[i] |> ignore
                Thread.Sleep 10
            Expect.isTrue (File.Exists(folder.Path "cache/ab/notes.txt") && File.Exists(folder.Path "cache/thesis/draft.kept")) "still there"
        }
    ]

/// What the test program does when it is called with --read-through-cache FOLDER CACHE: reads an epoch and says what it got and decoded.
let readThrough (root: string) (cache: string) =
    let clips = [ for f in Directory.GetFiles(Path.Combine(root, "audio")) |> Array.sort -> clip (nonNull (Path.GetFileNameWithoutExtension f)) "wren" "Ann" ]
    let clips = [ for c in clips -> Clip(Id = c.Id, File = $"audio/{c.Id}.ogg", Labels = c.Labels, Group = c.Group) ]
    let data = dataset root clips
    let reader = readerOn data 0L (DiskCache cache)
    let sum = epoch data reader 0 2 |> Seq.collect snd |> Seq.fold (fun sum x -> sum * 31L + int64 (BitConverter.SingleToInt32Bits x)) 17L
    printfn $"{sum} {reader.DecodedPieces}"
    0

let processes =
    test "a second process finds what the first has decoded" {
        let program = AppContext.BaseDirectory
        use folder = new Scratch()
        recordings folder lengths |> ignore
        let read () =
            let arguments = [ Path.Combine(program, "BirdResearch.Tests.dll"); "--read-through-cache"; folder.Root; folder.Path "cache" ]
            use running = nonNull (Process.Start(ProcessStartInfo("dotnet", arguments, RedirectStandardOutput = true)))
            let said = running.StandardOutput.ReadToEnd().Trim().Split ' '
            running.WaitForExit()
            said
        let sums = Array.Parallel.init 2 (fun _ -> Array.head (read ()))
        Expect.equal sums[0] sums[1] "two processes at once read the same"
        Expect.equal (read ()) [| sums[0]; "0" |] "a third reads it without decoding"
    }

let tests = testList "Cache" [ same; use'; harm; bound; processes ]
