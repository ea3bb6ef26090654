/// Folders of runs that were never trained: plausible, the same every time, with scores that agree with their figures.
module BirdResearch.Tests.InventedRuns

open System
open System.IO
open System.Text.Json
open BirdResearch.Data
open BirdResearch.Experiments
open BirdResearch.Features
open BirdResearch.Metrics
open BirdResearch.Training

type Invented =
    { Data: string
      Model: string
      FrontEnd: string
      Seed: int
      Fold: int
      /// How far scores of true classes lie above the others: 0 guesses, 3 is good.
      Skill: float
      /// Million parameters, and clips trained per second.
      Size: float
      Speed: float
      /// Class and common name.
      Species: (string * string) list
      Soundscapes: bool
      Examples: bool }

let species =
    [ "asikoe2", "Asian Koel"; "barswa", "Barn Swallow"; "bkwsti", "Black-winged Stilt"; "comkin1", "Common Kingfisher"
      "commyn", "Common Myna"; "cohcuc1", "Common Hawk-Cuckoo"; "grewar3", "Green Warbler"; "inrobi1", "Indian Robin"
      "litegr", "Little Egret"; "malpar1", "Malabar Parakeet"; "rufwoo1", "Rufous Woodpecker"; "whbsho3", "White-bellied Sholakili" ]

let baseline =
    { Data = "synthetic-birds"; Model = "tsresnet18"; FrontEnd = "mel"; Seed = 1; Fold = 0; Skill = 2.0; Size = 0.7; Speed = 140.0
      Species = species; Soundscapes = true; Examples = false }

/// A random number generator that depends on words only.
let private randomFrom (words: string) =
    Random(words |> Seq.fold (fun hash letter -> (hash * 31 + int letter) &&& 0x7fffffff) 17)

let private normal (random: Random) =
    sqrt (-2.0 * log (1.0 - random.NextDouble())) * cos (2.0 * Math.PI * random.NextDouble())

/// Scores of rows whose truth is given: what is present stands out by its class's ease times the skill.
let private score (run: Invented) (domain: string) (skill: float) (rows: (string * bool[])[]) =
    let random = randomFrom $"{run.Model}{run.FrontEnd}{run.Seed}{domain}"
    let truth = rows |> Array.collect snd

    let values =
        truth
        |> Array.mapi (fun cell present ->
            let ease = 0.45 + 1.1 * float ((cell % run.Species.Length * 7) % 12) / 11.0
            let logit = -2.0 + (if present then skill * ease else 0.0) + normal random
            Math.Round(1.0 / (1.0 + exp -logit), 6))

    Scores(domain, Array.map fst rows, run.Species |> List.map fst |> Array.ofList, truth, values)

let private domains (run: Invented) =
    let classes = run.Species.Length
    let one (index: int) = Array.init classes (fun column -> column = index % classes)
    let random = randomFrom $"{run.Data}{run.Fold}"
    // The last class is never heard in a soundscape, so it is skipped there.
    let window (_: int) = Array.init classes (fun column -> column < classes - 1 && random.NextDouble() < 0.11)

    [ score run "train" (run.Skill + 1.6) (Array.init (10 * classes) (fun row -> $"XC{200000 + row}", one row))
      score run "focal" run.Skill (Array.init (5 * classes) (fun row -> $"XC{100000 + row}", one row))
      if run.Soundscapes then
          let id (row: int) = $"soundscape_{row / 12}_{5 * (row % 12 + 1)}"
          score run "soundscape" (0.55 * run.Skill) (Array.init 120 (fun row -> id row, window row)) ]

let private orNull (value: float) = if Double.IsNaN value then Nullable() else Nullable value

let private figures (scores: Scores) =
    DomainScores(
        scores.Ids.Count,
        Ranking.AveragePrecisions scores |> Array.filter (Double.IsNaN >> not) |> Array.length,
        orNull (Ranking.MeanAveragePrecision scores),
        orNull (Ranking.MicroMeanAveragePrecision scores),
        orNull (Ranking.SampleMeanAveragePrecision scores),
        orNull (Ranking.PaddedMeanAveragePrecision scores),
        orNull (Ranking.MacroRocAuc scores),
        (if scores.Domain = "soundscape" then Nullable() else Nullable(Ranking.Accuracy scores))
    )

let private content = String('7', 64)

/// The settings of a run.
let trialOf (run: Invented) =
    Trial(
        Data = run.Data, Model = run.Model, FrontEnd = run.FrontEnd, Features = FrontEndSettings(Kind = run.FrontEnd, SampleRate = 32_000),
        Fold = Nullable run.Fold, Seed = run.Seed, Training = TrainingSettings(Budget = Budget.OfEpochs 12)
    )

/// The folder's name, as the run store would give it.
let nameOf (run: Invented) =
    $"{run.Model}.{run.FrontEnd}.{run.Data}.f{run.Fold}.s{run.Seed}-{RunIdentity.HashOf(trialOf run, content, null, RunStore.Recipe, null)}"

let private record (ablation: string) (run: Invented) (scored: Scores list) =
    let rows, frames = if run.FrontEnd = "mel" then 128L, 321L else 512L, 157L
    let parameters = int64 (run.Size * 1e6) + int64 (if run.FrontEnd = "mel" then 0 else 41_216)
    let clips = 12L * 120L
    let finished = DateTime(2026, 11, 22, 9, 14 + run.Seed, 5, DateTimeKind.Utc)

    RunRecord(
        Ablation = ablation,
        Name = nameOf run,
        Trial = trialOf run,
        Model = ModelFacts(run.Model, parameters, parameters * 61L, rows, frames),
        Data =
            DataFacts(
                run.Data, content, run.Species.Length, 10 * run.Species.Length, 5 * run.Species.Length,
                (if run.Soundscapes then 120 else 0), "given folds; fold 0 is held out"
            ),
        Scores = readOnlyDict [ for scores in scored -> scores.Domain, figures scores ],
        Augmentations = readOnlyDict [ "mixup", AugmentationCount(clips / 2L, clips); "gain", AugmentationCount(0L, clips) ],
        Cost = RunCost(float clips / run.Speed, run.Speed, 2.6 * run.Speed, clips / 16L, clips, finished),
        Machine =
            Machine("Invented CPU", 4, 4, 15.6, "Debian GNU/Linux 12 (bookworm)", ".NET 10.0.0", "0.107.0", "0.1.0+54dbf8b")
    )

let private labels (scores: Scores) (row: int) =
    [| for column in 0 .. scores.Classes.Count - 1 do
           if scores.Truth[row * scores.Classes.Count + column] then scores.Classes[column] |]

let private valuesOf (scores: Scores) (row: int) =
    let classes = scores.Classes.Count
    scores.Values.Slice(row * classes, classes).ToArray()

let private writeScores (folder: string) (scores: Scores) =
    CsvTable.Write(
        Path.Combine(folder, $"scores.{scores.Domain}.csv"),
        Array.append [| "id"; "label" |] (Array.ofSeq scores.Classes),
        [ for row in 0 .. scores.Ids.Count - 1 ->
              Array.append [| scores.Ids[row] :> obj; String.Join(' ', labels scores row) |] (valuesOf scores row |> Array.map box) ]
    )

let private writeClasses (folder: string) (run: Invented) (scored: Map<string, Scores>) =
    let cell (value: float) : obj | null = if Double.IsNaN value then null else value

    CsvTable.Write(
        Path.Combine(folder, "classes.csv"),
        [| "class"; "common_name"; "train_recordings"
           "focal_support"; "focal_ap"; "focal_auc"; "soundscape_support"; "soundscape_ap"; "soundscape_auc" |],
        [ for index, (label, common) in List.indexed run.Species ->
              [| yield box label
                 yield box common
                 yield box 10
                 for domain in [ "focal"; "soundscape" ] do
                     match scored.TryFind domain with
                     | None -> yield! [| null; null; null |]
                     | Some scores ->
                         let own (values: float[]) = cell values[index]
                         yield scores.Positives index
                         yield own (Ranking.AveragePrecisions scores)
                         yield own (Ranking.RocAucs scores) |] ]
    )

let private writeEpochs (folder: string) (run: Invented) (train: float) (focal: float) =
    let random = randomFrom $"{run.Model}{run.FrontEnd}{run.Seed}epochs"

    CsvTable.Write(
        Path.Combine(folder, "epochs.csv"),
        [| "epoch"; "seconds"; "clips"; "learning_rate"; "train_loss"; "train_map"; "focal_loss"; "focal_map"; "focal_auc" |],
        [ for epoch in 1..12 ->
              let rise = 1.0 - exp (-0.42 * float epoch)
              let wobble scale = scale * normal random * (1.0 - float epoch / 12.0)
              let floats =
                  [ 120.0 / run.Speed; 120.0; 1e-3 * cos (float (epoch - 1) / 11.0 * Math.PI / 2.0)
                    0.32 - 0.24 * rise + wobble 0.008; min 1.0 (train * rise + wobble 0.015); 0.30 - 0.17 * rise + wobble 0.01
                    min 1.0 (focal * rise + wobble 0.03); min 1.0 (0.5 + 0.45 * rise) ]
              Array.ofList (box epoch :: [ for value in floats -> box (Math.Round(value, 5)) ]) ]
    )

let private wav (samples: int16[]) (rate: int) =
    use stream = new MemoryStream()
    use writer = new BinaryWriter(stream)
    writer.Write("RIFF"B)
    writer.Write(36 + 2 * samples.Length)
    writer.Write("WAVEfmt "B)
    writer.Write 16
    writer.Write 1s
    writer.Write 1s
    writer.Write rate
    writer.Write(2 * rate)
    writer.Write 2s
    writer.Write 16s
    writer.Write("data"B)
    writer.Write(2 * samples.Length)
    samples |> Array.iter writer.Write
    writer.Flush()
    stream.ToArray()

/// A few clips: a whistle that rises and falls, its sound at 16 kHz and its picture.
let private writeExamples (folder: string) (run: Invented) (scored: Map<string, Scores>) =
    let examples = Directory.CreateDirectory(Path.Combine(folder, "examples")).FullName
    let rate, rows, frames = 16_000, 64, 200

    let one (domain: string, row: int) =
        let here = scored[domain]
        let sway (seconds: float) = sin (2.0 * Math.PI * seconds * (0.7 + 0.2 * float (row % 4)))
        let pitch (seconds: float) = 2200.0 + 250.0 * float (row % 9) + 900.0 * sway seconds
        let loud (seconds: float) = if sin (2.0 * Math.PI * seconds * 1.3) > -0.2 then 1.0 else 0.0
        let random = randomFrom $"{domain}{row}"
        let mutable phase = 0.0
        let samples =
            Array.init (5 * rate) (fun index ->
                let seconds = float index / float rate
                phase <- phase + 2.0 * Math.PI * pitch seconds / float rate
                int16 (7000.0 * loud seconds * sin phase + 300.0 * normal random))
        let picture =
            [| for band in 0 .. rows - 1 do
                   for frame in 0 .. frames - 1 do
                       let seconds = 5.0 * float frame / float frames
                       let middle = (pitch seconds - 50.0) / 8000.0 * float rows
                       let tone = 190.0 * loud seconds * exp (-0.5 * Math.Pow((float band - middle) / 1.3, 2.0))
                       byte (Math.Clamp(45.0 - 0.4 * float band + tone + 9.0 * normal random, 0.0, 255.0)) |]
        let file = $"{domain}.{row}.wav"
        File.WriteAllBytes(Path.Combine(examples, file), wav samples rate)

        {| id = here.Ids[row]
           domain = domain
           file = file
           truth = labels here row
           predictions =
            Array.zip (Array.ofSeq here.Classes) (valuesOf here row)
            |> Array.sortByDescending snd
            |> Array.truncate 5
            |> Array.map (fun (label, score) -> {| ``class`` = label; score = score |})
           spectrogram =
            {| rows = rows; frames = frames; values = Convert.ToBase64String picture; min_hz = 50.0; max_hz = 8000.0; seconds = 5.0 |} |}

    let chosen = [ "focal", 1; "focal", 7; "focal", 22; if run.Soundscapes then "soundscape", 3; "soundscape", 40; "soundscape", 77 ]
    File.WriteAllText(Path.Combine(examples, "examples.json"), JsonSerializer.Serialize(List.map one chosen))

/// Writes one run's folder below an ablation's folder, and returns its path.
let write (ablation: string) (run: Invented) : string =
    let folder = Directory.CreateDirectory(Path.Combine(ablation, nameOf run)).FullName
    let scored = domains run
    let byDomain = Map [ for scores in scored -> scores.Domain, scores ]
    let record = record (Path.GetFileName ablation |> string) run scored
    File.WriteAllText(Path.Combine(folder, "run.json"), JsonSerializer.Serialize(record, RunStore.Json))
    scored |> List.iter (writeScores folder)
    writeClasses folder run byDomain
    writeEpochs folder run (Ranking.MeanAveragePrecision byDomain["train"]) (Ranking.MeanAveragePrecision byDomain["focal"])
    if run.Examples then writeExamples folder run byDomain
    folder

/// Two models on two front-ends with the given seeds.
let ablation (folder: string) (seeds: int list) : string =
    let cells = [ "tf_efficientnet_b0", "mel", 2.6, 4.02, 21.0; "tf_efficientnet_b0", "expand-and-sparsify", 1.7, 4.02, 14.0
                  "tsresnet18", "mel", 2.4, 0.71, 142.0; "tsresnet18", "expand-and-sparsify", 2.2, 0.71, 96.0 ]

    for model, frontEnd, skill, size, speed in cells do
        for seed in seeds do
            { baseline with Model = model; FrontEnd = frontEnd; Size = size; Speed = speed; Seed = seed }
            |> fun run -> { run with Skill = skill + 0.1 * float (seed - 2); Examples = (seed = 1) }
            |> write folder
            |> ignore

    folder
