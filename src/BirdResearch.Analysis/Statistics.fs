namespace BirdResearch.Analysis

open System
open System.Threading.Tasks
open BirdResearch.Metrics

/// A bootstrap interval around an estimate.
type Interval =
    { Low: float
      High: float
      /// Share of the resamples inside: 0.95.
      Level: float
      /// Recordings that were drawn from.
      Recordings: int
      /// Whether it holds the chance of training too, not only that of which recordings were scored.
      HoldsSeeds: bool }

/// Mean and spread of one figure over runs.
type Spread =
    { Mean: float
      /// Sample standard deviation; nan for fewer than two runs, whose spread is not known.
      Deviation: float
      Count: int }

/// Numbers about numbers. The place for paired tests between arms, which need the same draws for every arm: see draws.
[<RequireQualifiedAccess>]
module Statistics =
    /// Share of resamples inside an interval.
    let level = 0.95

    /// Resamples of a bootstrap where nothing else is asked for.
    let defaultResamples = 1000

    /// Mean, sample standard deviation and count; nan values are left out.
    let spread (values: float seq) =
        let known = values |> Seq.filter (Double.IsNaN >> not) |> Array.ofSeq
        let mean = if known.Length = 0 then nan else Array.average known

        let deviation =
            if known.Length < 2 then nan
            else sqrt ((known |> Array.sumBy (fun value -> (value - mean) * (value - mean))) / float (known.Length - 1))

        { Mean = mean; Deviation = deviation; Count = known.Length }

    /// The q-quantile of sorted values, linear between neighbours (Hyndman and Fan's type 7).
    let quantile (q: float) (sorted: float[]) =
        let position = q * float (sorted.Length - 1)
        let below = int (floor position)
        let above = min (below + 1) (sorted.Length - 1)
        sorted[below] + (position - float below) * (sorted[above] - sorted[below])

    /// The recording that a row was cut from: soundscape windows are named <recording>_<end second>.
    let recordingOf (domain: string) (id: string) =
        match domain, id.LastIndexOf '_' with
        | "soundscape", cut when cut > 0 -> id[.. cut - 1]
        | _ -> id

    /// How often each row comes up in each resample, when whole recordings are drawn with replacement.
    /// Equal rows give equal draws, whatever was scored on them.
    let draws (resamples: int) (domain: string) (ids: string seq) : int[][] =
        let recordings = ids |> Seq.map (recordingOf domain) |> Array.ofSeq
        let numbers = recordings |> Array.distinct |> Array.mapi (fun index name -> name, index) |> dict
        let rows = recordings |> Array.map (fun name -> numbers[name])
        let random = Random(20_240_607)

        Array.init resamples (fun _ ->
            let counts = Array.zeroCreate numbers.Count

            for _ in 1 .. numbers.Count do
                let drawn = random.Next numbers.Count
                counts[drawn] <- counts[drawn] + 1

            rows |> Array.map (fun recording -> counts[recording]))

    /// One class, made ready for many resamples: rows by falling score, equal scores ending together.
    [<Struct>]
    type private Ranked = { Row: int[]; Positive: bool[]; Ends: bool[] }

    let private ranked (scores: Scores) (column: int) =
        let classes, rows = scores.Classes.Count, scores.Ids.Count
        let value = Array.init rows (fun row -> scores.Values[row * classes + column])
        let order = Array.init rows id
        Array.Sort(Array.map (~-) value, order)

        { Row = order
          Positive = order |> Array.map (fun row -> scores.Truth[row * classes + column])
          Ends = Array.init rows (fun rank -> rank = rows - 1 || value[order[rank]] <> value[order[rank + 1]]) }

    /// Average precision when row r counts times[r] times: the sum over distinct scores of (R_n - R_n-1) P_n.
    let private averagePrecision (ranked: Ranked) (times: int[]) =
        let mutable seen, hits, fresh, area = 0, 0, 0, 0.0

        for rank in 0 .. ranked.Row.Length - 1 do
            let count = times[ranked.Row[rank]]
            seen <- seen + count
            if ranked.Positive[rank] then fresh <- fresh + count

            if ranked.Ends[rank] && fresh > 0 then
                hits <- hits + fresh
                area <- area + float fresh * float hits / float seen
                fresh <- 0

        if hits = 0 then nan else area / float hits

    /// Macro mAP of each resample: the mean of the classes that have positives in it; nan where none has.
    let resampledMap (draws: int[][]) (scores: Scores) : float[] =
        let classes = scores.Classes.Count
        let perClass: float[][] = Array.create classes [||]

        Parallel.For(0, classes, fun column ->
            let ranked = ranked scores column
            if Array.contains true ranked.Positive then
                perClass[column] <- draws |> Array.map (averagePrecision ranked))
        |> ignore

        let scored = perClass |> Array.filter (Array.isEmpty >> not)

        Array.init draws.Length (fun resample ->
            let mutable sum, count = 0.0, 0

            for column in scored do
                if not (Double.IsNaN column[resample]) then
                    sum <- sum + column[resample]
                    count <- count + 1

            if count = 0 then nan else sum / float count)

    /// Accuracy of each resample.
    let private resampledAccuracy (draws: int[][]) (scores: Scores) : float[] =
        let classes = scores.Classes.Count
        let rows = [| for row in 0 .. scores.Ids.Count - 1 -> Array.init classes (fun c -> scores.Values[row * classes + c]) |]
        let correct = rows |> Array.mapi (fun row values -> scores.Truth[row * classes + Array.IndexOf(values, Array.max values)])

        draws
        |> Array.map (fun times ->
            let hits = Array.fold2 (fun sum isHit count -> if isHit then sum + count else sum) 0 correct times
            float hits / float (Array.sum times))

    /// Percentiles of the resampled means of several runs, less their bias.
    let private interval (estimate: Scores -> float) (resample: int[][] -> Scores -> float[]) (resamples: int) (runs: Scores list) =
        let strata = runs |> List.groupBy (fun scores -> String.Join('\n', scores.Ids))
        let recordings (scores: Scores) = scores.Ids |> Seq.map (recordingOf scores.Domain) |> Seq.distinct |> Seq.length
        let sizes = strata |> List.map (fun (_, members) -> recordings members.Head)

        if sizes.IsEmpty || List.min sizes < 2 then
            None
        else
            let resampled =
                [| for _, members in strata do
                       let draws = draws resamples members.Head.Domain members.Head.Ids
                       for scores in members do
                           yield resample draws scores |]

            let means =
                Array.init resamples (fun index -> resampled |> Array.averageBy (Array.item index))
                |> Array.filter (Double.IsNaN >> not)
                |> Array.sort

            if means.Length = 0 then
                None
            else
                let bias = Array.average means - (runs |> List.averageBy estimate)
                let edge q = Math.Clamp(quantile q means - bias, 0.0, 1.0)

                Some
                    { Low = edge ((1.0 - level) / 2.0)
                      High = edge ((1.0 + level) / 2.0)
                      Level = level
                      Recordings = List.sum sizes
                      HoldsSeeds = false }

    /// Interval of the mean accuracy of several runs over recordings, for runs whose rows have one label each: percentiles of the resamples, less
    /// their bias. Runs on the same rows share their draws. None where fewer than two recordings were scored.
    let accuracyInterval (resamples: int) (runs: Scores list) : Interval option =
        interval Ranking.Accuracy resampledAccuracy resamples runs
