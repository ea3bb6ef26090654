module BirdResearch.Tests.SyntheticBirdsTests

open System
open System.IO
open System.Threading
open Expecto
open BirdResearch.Audio
open BirdResearch.Data

let private tiny =
    SyntheticBirdsSettings(
        Species = 3, RecordingsPerSpecies = 2, ShortestFocalSeconds = 3.0, LongestFocalSeconds = 4.0,
        Soundscapes = 1, SoundscapeSeconds = 15, UnlabelledSoundscapes = 1)

/// Few recordings, some seconds of soundscape.
let private mostlySoundscapes species soundscapes seconds =
    SyntheticBirdsSettings(
        Species = species, RecordingsPerSpecies = 1, ShortestFocalSeconds = 3.0, LongestFocalSeconds = 3.0,
        Soundscapes = soundscapes, SoundscapeSeconds = seconds, UnlabelledSoundscapes = 0)

let private write folder settings = SyntheticBirds.Write(folder, settings)

let private inFolder (work: string -> unit) =
    let folder = Path.Combine(Path.GetTempPath(), $"bird synthetic {Guid.NewGuid():N}")
    try work folder finally if Directory.Exists folder then Directory.Delete(folder, true)

let private files folder pattern =
    Directory.GetFiles(folder, pattern, SearchOption.AllDirectories) |> Array.sortWith (fun a b -> String.CompareOrdinal(a, b))

let private sounds folder = files folder "*.ogg"

/// Every csv as text and every sound as samples, by path below the folder. Ogg streams carry a random serial number, so bytes differ.
let private content (folder: string) =
    [ for path in sounds folder -> Path.GetRelativePath(folder, path), box (AudioFile.Read path).Samples
      for path in files folder "*.csv" -> Path.GetRelativePath(folder, path), box (File.ReadAllText path) ]

let private lines folder name = File.ReadAllLines(Path.Combine(folder, name))

let private columns folder name = (lines folder name)[0]

let private rows folder name = (lines folder name)[1..] |> Array.map (fun line -> line.Split ',')

let tests : Test =
    testList "synthetic birds" [
        test "the same settings give the same samples and tables" {
            inFolder (fun folder ->
                write (Path.Combine(folder, "a")) tiny
                write (Path.Combine(folder, "b")) tiny
                Expect.equal (content (Path.Combine(folder, "a"))) (content (Path.Combine(folder, "b"))) "both copies")
        }
        test "another seed gives other birds" {
            inFolder (fun folder ->
                write (Path.Combine(folder, "a")) tiny
                write (Path.Combine(folder, "b")) (SyntheticBirdsSettings(Seed = 2L, Species = 3, RecordingsPerSpecies = 1))
                let first name =
                    let path = Array.head (sounds (Path.Combine(folder, name)))
                    AudioFile.Read(path).Samples |> Array.truncate 1000
                Expect.notEqual (first "a") (first "b") "the first soundscape")
        }
        test "a finished folder is left as it is" {
            inFolder (fun folder ->
                write folder tiny
                let times () = [ for f in files folder "*" -> f, File.GetLastWriteTimeUtc f ]
                let before = times ()
                write folder tiny
                Expect.equal (times ()) before "nothing was written")
        }
        test "what was cut short is finished to the same data, and only what is missing is made" {
            inFolder (fun folder ->
                write folder tiny
                let before = content folder
                let paths = sounds folder
                let kept, lost = paths[0], paths[1]
                let time = File.GetLastWriteTimeUtc kept
                File.Move(Path.Combine(folder, "synthetic.json"), Path.Combine(folder, "synthetic.partial.json"))
                File.Delete lost
                File.Delete(Path.Combine(folder, "soundscape_truth.csv"))
                File.WriteAllText(lost + ".0.partial", "torn")
                write folder tiny
                Expect.equal (content folder) before "content"
                Expect.equal (File.GetLastWriteTimeUtc kept) time "what was there was kept"
                Expect.isEmpty (files folder "*.partial") "nothing torn is left"
                Expect.isTrue (File.Exists(Path.Combine(folder, "synthetic.json"))) "marked as whole")
        }
        test "a cancelled call stops without the mark of a whole data set, and the next one ends with the same data" {
            inFolder (fun folder ->
                use stop = new CancellationTokenSource()
                let stopAtTwo =
                    { new IProgress<struct (int * int)> with
                        member _.Report(struct (made, _)) = if made >= 2 then stop.Cancel() }
                let stopped () = SyntheticBirds.Write(Path.Combine(folder, "a"), tiny, stopAtTwo, stop.Token)
                Expect.throwsT<OperationCanceledException> stopped "stops"
                Expect.isFalse (File.Exists(Path.Combine(folder, "a", "synthetic.json"))) "not marked as whole"
                write (Path.Combine(folder, "a")) tiny
                write (Path.Combine(folder, "b")) tiny
                Expect.equal (content (Path.Combine(folder, "a"))) (content (Path.Combine(folder, "b"))) "the same data")
        }
        test "calls at the same time make one data set" {
            inFolder (fun folder ->
                Tasks.Parallel.For(0, 3, fun _ -> write (Path.Combine(folder, "a")) tiny) |> ignore
                write (Path.Combine(folder, "b")) tiny
                Expect.equal (content (Path.Combine(folder, "a"))) (content (Path.Combine(folder, "b"))) "the same data")
        }
        test "other settings replace the data, and nothing of the old is left" {
            inFolder (fun folder ->
                let smaller = mostlySoundscapes 2 1 5
                write (Path.Combine(folder, "a")) tiny
                write (Path.Combine(folder, "a")) smaller
                write (Path.Combine(folder, "b")) smaller
                Expect.equal (content (Path.Combine(folder, "a"))) (content (Path.Combine(folder, "b"))) "only the new")
        }
        test "a folder that holds something else stays as it is" {
            inFolder (fun folder ->
                Directory.CreateDirectory(Path.Combine(folder, "train_audio")) |> ignore
                File.WriteAllText(Path.Combine(folder, "train_audio", "mine.ogg"), "mine")
                let e = Expect.throwsC (fun () -> write folder tiny) id
                Expect.stringContains e.Message "train_audio" "names what is there"
                Expect.equal (File.ReadAllText(Path.Combine(folder, "train_audio", "mine.ogg"))) "mine" "untouched")
        }
        test "tables have the columns of BirdCLEF 2024, and every row its file" {
            inFolder (fun folder ->
                write folder tiny
                let metadata =
                    "primary_label,secondary_labels,type,latitude,longitude,scientific_name,common_name,author,license,rating,url,filename"
                Expect.equal (columns folder "train_metadata.csv") metadata "metadata"
                Expect.equal (columns folder "taxonomy.csv") "primary_label,scientific_name,common_name" "taxonomy"
                Expect.equal (columns folder "soundscape_labels.csv") "row_id,birds" "labels"
                let events = "soundscape,start,end,primary_label,snr_db,metres,distant,recording,author,license,source_repository"
                Expect.equal (columns folder "soundscape_events.csv") events "events"
                let species = rows folder "taxonomy.csv" |> Array.map Array.head
                Expect.equal species (Array.sort species) "codes in order"
                Expect.all species (fun code -> code.Length = 6 && code = code.ToLowerInvariant()) "six lower-case characters"
                for table in [ "soundscape_truth.csv"; "sample_submission.csv" ] do
                    Expect.equal (columns folder table) ("row_id," + String.Join(',', species)) table
                for row in rows folder "train_metadata.csv" do
                    let path = Path.Combine(folder, "train_audio", Array.last row)
                    Expect.stringStarts (Array.last row) (row[0] + "/XS") "folder of the species"
                    let info = AudioFile.Probe path
                    Expect.equal (info.Format, info.SampleRate, info.Channels) ("OGG", 32000, 1) "sound"
                    Expect.isTrue (info.Seconds >= 2.99 && info.Seconds <= 4.01) "length"
                for below, stem, seconds in [ "soundscapes", "soundscape_s_01", 15L; "unlabeled_soundscapes", "soundscape_u_01", 10L ] do
                    Expect.equal (AudioFile.Probe(Path.Combine(folder, below, stem + ".ogg")).Frames) (seconds * 32000L) stem
                let ids = rows folder "soundscape_labels.csv" |> Array.map Array.head
                Expect.equal ids [| for s in [ 5; 10; 15 ] -> $"soundscape_s_01_{s}" |] "row ids")
        }
        test "labels and truth are what the events say: 0.4 s of a song in a window" {
            inFolder (fun folder ->
                write folder (mostlySoundscapes 5 3 30)
                let events = rows folder "soundscape_events.csv"
                Expect.isGreaterThan events.Length 5 "birds sing"
                let codes = (columns folder "soundscape_truth.csv").Split(',')[1..]
                for label, truth in Array.zip (rows folder "soundscape_labels.csv") (rows folder "soundscape_truth.csv") do
                    let cut = label[0].LastIndexOf '_'
                    let name, finish = label[0].Substring(0, cut), float (label[0].Substring(cut + 1))
                    let heard =
                        [| for e in events do
                               if e[0] = name && min (float e[2]) finish - max (float e[1]) (finish - 5.0) >= 0.4 then e[3] |]
                        |> Array.distinct
                        |> Array.sort
                    Expect.equal label[1] (if heard.Length = 0 then "nocall" else String.Join(' ', heard)) label[0]
                    Expect.equal truth[0] label[0] "same row"
                    Expect.equal truth[1..] [| for c in codes -> if Array.contains c heard then "1" else "0" |] label[0])
        }
        test "a song stands out of a quiet soundscape where its event says" {
            inFolder (fun folder ->
                write folder (
                    SyntheticBirdsSettings(
                        Species = 4, RecordingsPerSpecies = 1, ShortestFocalSeconds = 3.0, LongestFocalSeconds = 3.0, Soundscapes = 2,
                        SoundscapeSeconds = 30, UnlabelledSoundscapes = 0, Noises = NoiseKinds.None, LowestSnrDb = 20.0,
                        HighestSnrDb = 25.0, FarthestMetres = 20.0, Overlap = 0.0, EmptyShare = 0.3))
                let events = rows folder "soundscape_events.csv"
                for name in events |> Array.map Array.head |> Array.distinct do
                    let sound = AudioFile.Read(Path.Combine(folder, "soundscapes", name + ".ogg"))
                    let above = Air.HighPassed(sound.Samples, 32000, 1000.0)
                    let power from until = Air.Power(ReadOnlySpan(above, int (from * 32000.0), int ((until - from) * 32000.0)))
                    let spans = [ for e in events do if e[0] = name then float e[1], float e[2] ]
                    let apart t = spans |> List.forall (fun (a, b) -> t + 0.25 < a || t > b + 1.5)
                    let silent = [ for t in 0.0 .. 0.25 .. 29.5 do if apart t then power t (t + 0.25) ]
                    Expect.isGreaterThan silent.Length 4 "there is silence to compare with"
                    let quiet = List.max silent
                    for a, b in spans do Expect.isGreaterThan (power a b) (10.0 * quiet) $"{name} from {a} to {b} s")
        }
        test "the share of empty windows, the birds' number, distance and level, and the noises are what the knobs say" {
            let plan =
                SyntheticPlan(
                    SyntheticBirdsSettings(
                        Soundscapes = 60, EmptyShare = 0.5, FewestBirdsPerMinute = 12, MostBirdsPerMinute = 14, NearestMetres = 30.0,
                        FarthestMetres = 40.0, LowestSnrDb = -9.0, HighestSnrDb = -5.0, Noises = (NoiseKinds.Rain ||| NoiseKinds.Wind),
                        FewestNoises = 1, MostNoises = 1, ShortestReverbSeconds = 0.2, LongestReverbSeconds = 0.3))
            let windows = plan.Soundscapes |> Seq.collect _.Windows() |> Seq.map (fun struct (_, heard) -> heard.Count) |> Array.ofSeq
            let empty = float (windows |> Array.filter ((=) 0) |> Array.length) / float windows.Length
            // 720 windows kept free with probability 0.5: deviation 0.019, and some are empty without being kept so.
            Expect.isGreaterThan empty 0.44 "share of empty windows"
            for soundscape in plan.Soundscapes do
                Expect.isTrue (soundscape.Noises = NoiseKinds.Rain || soundscape.Noises = NoiseKinds.Wind) $"{soundscape.Noises}"
                Expect.isTrue (soundscape.ReverbSeconds >= 0.2 && soundscape.ReverbSeconds <= 0.3) $"{soundscape.ReverbSeconds} s"
                let birds = soundscape.Events |> Seq.distinctBy _.Individual |> Seq.length
                Expect.isLessThanOrEqual birds 14 "birds"
                for song in soundscape.Events do
                    Expect.isTrue (song.Metres >= 30.0 && song.Metres <= 40.0) $"{song.Metres} m"
                    Expect.isTrue (song.SnrDb >= -9.0 && song.SnrDb <= -5.0) $"{song.SnrDb} dB"
        }
        test "birds that do not sing into each other's songs never overlap, and those that do not care often do" {
            let overlaps overlap =
                let plan = SyntheticPlan(SyntheticBirdsSettings(Soundscapes = 10, Overlap = overlap, EmptyShare = 0.0))
                Seq.sum (seq {
                    for soundscape in plan.Soundscapes do
                        for first, second in Seq.allPairs soundscape.Events soundscape.Events do
                            if not (obj.ReferenceEquals(first, second)) && first.Start < second.End && second.Start < first.End then 1 })
            Expect.equal (overlaps 0.0) 0 "never"
            Expect.isGreaterThan (overlaps 1.0) 100 "often"
        }
        test "an open field has no tail after a song, a wood has one, and a longer reverberation rings longer" {
            let tail reverberation seconds =
                let settings =
                    SyntheticBirdsSettings(
                        Species = 4, Soundscapes = 4, SoundscapeSeconds = 20, Noises = NoiseKinds.None, LowestSnrDb = 40.0, HighestSnrDb = 40.0,
                        NearestMetres = 60.0, FarthestMetres = 60.0, Overlap = 0.0, EmptyShare = 0.0, Reverberation = reverberation,
                        ShortestReverbSeconds = seconds, LongestReverbSeconds = seconds)
                let sound = SyntheticSound settings
                let levels =
                    [ for soundscape in SyntheticPlan(settings).Soundscapes do
                          let samples = Air.HighPassed((sound.Make soundscape).Samples, 32000, 1000.0)
                          let power from until = Air.Power(ReadOnlySpan(samples, int (from * 32000.0), int ((until - from) * 32000.0)))
                          for song, next in Seq.pairwise soundscape.Events do
                              if next.Start > song.End + 0.7 then
                                  10.0 * log10 (power (song.End + 0.05) (song.End + 0.35) / power song.Start song.End) ]
                Expect.isGreaterThan levels.Length 5 "songs with silence after them"
                List.average levels
            let field, wood, hall = tail 0.0 1.0, tail 1.0 0.5, tail 1.0 2.5
            Expect.isLessThan field -32.0 $"the hush alone in an open field: {field} dB"
            Expect.isGreaterThan wood (field + 3.0) $"a wood: {wood} dB, the field {field}, a hall {hall}"
            Expect.isGreaterThan hall (wood + 3.0) $"a hall: {hall} dB"
        }
        test "settings out of range are named" {
            for settings, name in
                [ SyntheticBirdsSettings(Species = 1), "Species"
                  SyntheticBirdsSettings(SoundscapeSeconds = 12), "SoundscapeSeconds"
                  SyntheticBirdsSettings(Overlap = nan), "Overlap" ] do
                let e = Expect.throwsC (fun () -> SyntheticBirds.Write(Path.GetTempPath(), settings)) id
                Expect.stringContains e.Message name "the setting"
        }
        test "200 species have 200 codes and names" {
            let species = SyntheticSpecies.All(1L, 200)
            for name in [ (fun (s: SyntheticSpecies) -> s.Code); _.CommonName; _.ScientificName ] do
                Expect.hasLength (species |> Array.distinctBy name) 200 "each has its own"
        }
    ]
