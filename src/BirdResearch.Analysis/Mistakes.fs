namespace BirdResearch.Analysis

open System
open System.Collections.Generic
open BirdResearch.Metrics

/// Where an arm goes wrong, from the scores of its runs.
type Mistakes =
    { /// The arm's label.
      Arm: string
      /// Species as scored.
      Classes: string list
      /// Share of a species' held-out recordings (row) whose highest score is another species' (column), over runs; nan for a species without any.
      Confusion: float[][]
      /// Different recordings of each species that were told so.
      Recordings: int[]
      /// Correlation of two species' presence over soundscape windows; nan where one is never heard or always.
      Truth: float[][]
      /// The same of their scores, mean over runs.
      Scores: float[][]
      /// Cross-entropy of each row, mean over species and runs, by domain and row.
      Losses: Map<string * string, float> }

/// Reads every run's scores once.
[<RequireQualifiedAccess>]
module Mistakes =
    let private least = 1e-6

    /// Cross-entropy of one row's scores with its truth, mean over species; scores are taken for probabilities.
    let loss (scores: Scores) (row: int) =
        let classes = scores.Classes.Count

        let cell column =
            let at = row * classes + column
            let score = Math.Clamp(scores.Values[at], least, 1.0 - least)
            -(log (if scores.Truth[at] then score else 1.0 - score))

        if classes = 0 then nan else Array.init classes cell |> Array.average

    /// Pearson correlations of columns; nan where one does not vary.
    let correlations (rows: int) (columns: int) (value: int -> int -> float) : float[][] =
        let centred =
            [| for column in 0 .. columns - 1 ->
                   let values = Array.init rows (fun row -> value row column)
                   let mean = if rows = 0 then nan else Array.average values
                   values |> Array.map (fun value -> value - mean) |]

        let dot (left: float[]) (right: float[]) = Array.fold2 (fun sum a b -> sum + a * b) 0.0 left right
        let lengths = centred |> Array.map (fun values -> sqrt (dot values values))

        Array.init columns (fun i ->
            Array.init columns (fun j ->
                if lengths[i] < 1e-12 || lengths[j] < 1e-12 then nan else dot centred[i] centred[j] / (lengths[i] * lengths[j])))

    /// Row, true species and species of the highest score of every row with exactly one species.
    let private judged (scores: Scores) =
        let classes = scores.Classes.Count

        [ for row in 0 .. scores.Ids.Count - 1 do
              match [ for column in 0 .. classes - 1 do if scores.Truth[row * classes + column] then column ] with
              | [ one ] -> scores.Ids[row], one, Seq.init classes id |> Seq.maxBy (fun column -> scores.Values[row * classes + column])
              | _ -> () ]

    /// Counts of (true species, species of the highest score).
    let private confused (scores: Scores) =
        let counts = Array.init scores.Classes.Count (fun _ -> Array.zeroCreate<float> scores.Classes.Count)
        for _, one, highest in judged scores do counts[one][highest] <- counts[one][highest] + 1.0
        counts

    let private shares (counts: float[][]) =
        counts |> Array.map (fun row -> let sum = Array.sum row in row |> Array.map (fun count -> if sum = 0.0 then nan else count / sum))

    let private over (matrices: float[][][]) (combine: float seq -> float) =
        if matrices.Length = 0 then [||]
        else matrices[0] |> Array.mapi (fun i row -> row |> Array.mapi (fun j _ -> matrices |> Seq.map (fun (matrix: float[][]) -> matrix[i][j]) |> combine))

    let private mean (values: float seq) = (Statistics.spread values).Mean

    /// What an arm's runs got wrong in the held-out domains; None where no scores are left, or runs scored other species.
    let ofArm (arm: Arm) : Mistakes option =
        let read domain = arm.Runs |> List.choose (fun run -> match Runs.scores domain run with Ok scores when scores.Ids.Count > 0 -> Some scores | _ -> None)
        let focal, far = read "focal", read "soundscape"

        match focal @ far |> List.map (fun scores -> List.ofSeq scores.Classes) |> List.distinct with
        | [ classes ] ->
            let losses = Dictionary<string * string, ResizeArray<float>>()

            for domain, scored in [ "focal", focal; "soundscape", far ] do
                for scores in scored do
                    for row in 0 .. scores.Ids.Count - 1 do
                        let key = domain, scores.Ids[row]
                        if not (losses.ContainsKey key) then losses[key] <- ResizeArray()
                        losses[key].Add(loss scores row)

            let columns = classes.Length
            let together (value: Scores -> int -> int -> float) = [| for scores in far -> correlations scores.Ids.Count columns (value scores) |]

            Some
                { Arm = arm.Label
                  Classes = classes
                  Confusion = (if focal.IsEmpty then [||] else over [| for scores in focal -> confused scores |] Seq.sum |> shares)
                  Recordings =
                    (let rows = focal |> List.collect judged |> List.map (fun (id, one, _) -> id, one) |> List.distinct |> List.countBy snd |> Map
                     Array.init columns (fun column -> rows.TryFind column |> Option.defaultValue 0))
                  Truth = over (together (fun scores row column -> if scores.Truth[row * columns + column] then 1.0 else 0.0)) mean
                  Scores = over (together (fun scores row column -> scores.Values[row * columns + column])) mean
                  Losses = Map [ for pair in losses -> pair.Key, Seq.average pair.Value ] }
        | _ -> None

    /// Rows of a domain by falling loss, mean over the arms that scored them, with that loss.
    let hardest (domain: string) (all: Mistakes list) : (string * float) list =
        all
        |> List.collect (fun mistakes -> [ for pair in mistakes.Losses do if fst pair.Key = domain then snd pair.Key, pair.Value ])
        |> List.groupBy fst
        |> List.map (fun (id, losses) -> id, losses |> List.averageBy snd)
        |> List.sortBy (fun (id, loss) -> -loss, id)
