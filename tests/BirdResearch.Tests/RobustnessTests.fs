module BirdResearch.Tests.RobustnessTests

open System
open System.IO
open System.Threading
open Expecto
open TorchSharp
open BirdResearch.Cli.Verbs
open BirdResearch.Data
open BirdResearch.Experiments
open BirdResearch.Training
open BirdResearch.Tests.Tensors

let private settings = SyntheticBirdsSettings(Species = 3, RecordingsPerSpecies = 3, Soundscapes = 3, SoundscapeSeconds = 15, UnlabelledSoundscapes = 0)

let private plansOf (settings: SyntheticBirdsSettings) (knob: string) =
    let knob = SyntheticKnob.Parse knob
    [ for value in knob.Values -> value, SyntheticPlan(knob.At(settings, value)) ]

let private plans = plansOf settings

/// What a song is, whatever its level and distance.
let private same (song: SongEvent) = song.Start, song.End, song.Species.Code, song.Individual, song.Song.Seconds

let private songs (plan: SyntheticPlan) = [ for s in plan.Soundscapes do for song in s.Events -> s.Id, song ]

let private worlds = [
    test "the level of the birds changes nothing but their level: songs, times, distances, places and truth are the same" {
        let levels = plans "snr_db=-12,0,20"
        let first = snd levels.Head
        for value, plan in levels do
            Expect.equal [ for id, song in songs plan -> id, same song, song.Metres ] [ for id, song in songs first -> id, same song, song.Metres ] "songs"
            Expect.equal [ for s in plan.Soundscapes -> s.Noises, s.ReverbSeconds ] [ for s in first.Soundscapes -> s.Noises, s.ReverbSeconds ] "places"
            Expect.equal [ for s in plan.Soundscapes do for struct (e, heard) in s.Windows() -> e, Set heard ] [ for s in first.Soundscapes do for struct (e, heard) in s.Windows() -> e, Set heard ] "truth"
            for _, song in songs plan do Expect.equal song.SnrDb (float value) "the level itself"
    }
    test "the distance of the birds changes nothing but their distance" {
        let levels = plans "metres=5,50,300"
        let first = snd levels.Head
        for value, plan in levels do
            Expect.equal [ for id, song in songs plan -> id, same song, song.SnrDb ] [ for id, song in songs first -> id, same song, song.SnrDb ] "songs"
            for _, song in songs plan do Expect.floatClose Accuracy.high song.Metres (float value) "the distance itself"
    }
    test "overlap changes the scenes, and their truth with them" {
        let overlaps (plan: SyntheticPlan) =
            plan.Soundscapes |> Seq.sumBy (fun s -> Seq.allPairs s.Events s.Events |> Seq.filter (fun (a, b) -> a.Start < b.Start && b.Start < a.End) |> Seq.length)
        match plansOf (SyntheticBirdsSettings(EmptyShare = 0.0)) "overlap=0,1" with
        | [ _, never; _, often ] ->
            Expect.equal (overlaps never) 0 "never"
            Expect.isGreaterThan (overlaps often) 0 "often"
        | _ -> failtest "two levels"
    }
    test "what is heard where no bird sings is the same noise at every level" {
        // No reverberation, so that nothing of a song outlasts it; the peak is set to a level at the end, so the noise is the same up to a factor.
        let at value =
            let settings =
                SyntheticBirdsSettings(Species = 3, RecordingsPerSpecies = 1, Soundscapes = 2, SoundscapeSeconds = 15, LowestSnrDb = value, HighestSnrDb = value, Reverberation = 0.0, EmptyShare = 0.3)
            let plan, sound = SyntheticPlan settings, SyntheticSound settings
            [ for s in plan.Soundscapes ->
                let samples = (sound.Make s).Samples
                let rate = float settings.SampleRate
                let sung = Array.zeroCreate<bool> samples.Length
                for song in s.Events do
                    for i in max 0 (int (song.Start * rate) - 1) .. min (samples.Length - 1) (int ((song.End + 0.05) * rate)) do sung[i] <- true
                [| for i in 0 .. samples.Length - 1 do if not sung[i] then float samples[i] |] ]
        for faint, loud in List.zip (at -10.0) (at 20.0) do
            Expect.equal faint.Length loud.Length "as long"
            Expect.isGreaterThan faint.Length 32000 "a second at least"
            let dot a b = Array.fold2 (fun sum x y -> sum + x * y) 0.0 a b
            Expect.floatClose Accuracy.medium (dot faint loud / sqrt (dot faint faint * dot loud loud)) 1.0 "one is the other times a factor"
    }
    test "a knob is read with its levels, and what cannot be turned is named" {
        let knob = SyntheticKnob.Parse " snr_db = -5, 0 ,10"
        Expect.equal (knob.Name, List.ofSeq knob.Values) ("snr_db", [ "-5"; "0"; "10" ]) "read"
        let at = knob.At(settings, "-5")
        Expect.equal (at.LowestSnrDb, at.HighestSnrDb, at.Species) (-5.0, -5.0, 3) "both ends of its range"
        Expect.equal (SyntheticKnob.Parse("reverberation=0,2.5").At(settings, "2.5")).Reverberation 2.5 "any other setting"
        for text, part in [ "snr_db", "write name=value"; "snr_db=", "write name=value"; "snr=1", "snr_db"; "noises=rain", "not a number"; "snr_db=loud", "loud"; "snr_db=200", "-60 to 60"
                            "overlap=0,2", "0 to 1"; "species=3,4", "another world"; "snr_db=1,1", "twice" ] do
            Expect.stringContains (messageOf (fun () -> SyntheticKnob.Parse text)) part text
    }
]

let private scoring = [
    torchTest "a trained run is scored at every level, on soundscapes that are made once, and its table keeps every knob" (fun () ->
        use scratch = new SmallData.Scratch()
        SyntheticBirds.Write(scratch.Path "world", settings, null, CancellationToken.None)
        let store = RunStore(scratch.Path "runs")
        let training = TrainingSettings(Budget = Budget.OfEpochs 2, BatchSize = 4, WindowSeconds = 5.0, EvaluationWindows = 1)
        let record = TrialRunner(store).Run("a", Trial(Data = scratch.Path "world", Model = "tsresnet_tiny", FrontEnd = "mel-64", Training = training))
        use model = TrainedModel.Open(store.FolderOf("a", record.Name))
        let world = RobustnessWorld(Datasets.Open(scratch.Path "world"), scratch.Path "levels")
        let rows (text: string) =
            let knob = SyntheticKnob.Parse text
            let rows = [| for value in knob.Values -> RobustnessVerb.Row(model, knob, value, world.At(knob, value)) |]
            RobustnessTable.Write(model.Folder, knob.Name, rows)
            List.ofArray rows
        let snr = rows "snr_db=-10,20"
        Expect.equal [ for r in snr -> r.Run, r.Domain, r.Recordings ] [ for v in [ "-10"; "20" ] -> record.Name, $"soundscape@snr_db={v}", 3 ] "rows"
        for row in snr do
            Expect.isTrue (row.Low.HasValue && row.Low.Value <= row.Map.Value && row.Map.Value <= row.High.Value) $"{row}"
        Expect.equal (List.ofSeq (RobustnessTable.Read model.Folder)) snr "the file"
        let made = [ for file in Directory.GetFiles(scratch.Path "levels", "*.ogg", SearchOption.AllDirectories) -> file, File.GetLastWriteTimeUtc file ]
        Expect.equal (rows "snr_db=-10,20") snr "again, the same"
        Expect.equal [ for file, _ in made -> file, File.GetLastWriteTimeUtc file ] made "and nothing is made anew"
        let overlap = rows "overlap=0.5"
        Expect.equal (List.ofSeq (RobustnessTable.Read model.Folder)) (snr @ overlap) "another knob joins"
        let fewer = rows "snr_db=20"
        Expect.equal (List.ofSeq (RobustnessTable.Read model.Folder)) (overlap @ fewer) "a knob that is turned again replaces its rows"
        // The world at its own level is the one that the run was tested on: the same scores, read from other files of the same scenes.
        let same = RobustnessWorld.Score(model, world.At(SyntheticKnob.Parse "overlap=0.6", "0.6"))
        let tested = RunFiles.ReadScores(model.Folder, "soundscape")
        Expect.equal (List.ofSeq same.Ids) (List.ofSeq tested.Ids) "windows"
        Expect.equal (same.Truth.ToArray()) (tested.Truth.ToArray()) "truth"
        Expect.isLessThan (widest (same.Values.ToArray()) (tested.Values.ToArray())) 1e-6 "scores")
    test "a data set that was not made here is refused" {
        use scratch = new SmallData.Scratch()
        SmallData.smallBirds scratch
        Expect.stringContains (messageOf (fun () -> RobustnessWorld(Datasets.Open scratch.Root))) "is not a synthetic data set" ""
        SyntheticBirds.Write(scratch.Path "made", settings, null, CancellationToken.None)
        let data = Datasets.Open(scratch.Path "made")
        Expect.stringContains (messageOf (fun () -> RobustnessWorld(data, soundscapes = 0))) "at least one" ""
        Expect.equal (SyntheticBirds.SettingsOf data.Root) settings "what it was made from"
        Expect.isNull (SyntheticBirds.SettingsOf scratch.Root) "nothing of ours"
    }
]

let tests : Test = testSequencedGroup "torch" (testList "Robustness" [ testList "worlds" worlds; testList "scoring" scoring ])
