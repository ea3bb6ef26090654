namespace BirdResearch.Analysis

open System
open BirdResearch.Metrics

/// A finished run of an arm with what it scored in one domain.
type internal Replicate = { Arm: int; Fold: int; Seed: int; Scores: Scores }

/// A replicate's mAP, and its mAP in each resample of the recordings.
type internal Measured =
    { Replicate: Replicate
      /// Names the rows: runs of the same key were scored on the same rows.
      Key: string
      Recordings: int
      Estimate: float
      Resampled: float[] }

/// Where the spread between seeds is read from.
type SeedSource =
    /// Runs of one arm and fold that differ in their seed.
    | Seeds
    /// One seed only, but several folds: how the arms' differences change from fold to fold.
    | Folds
    /// One run of each arm.
    | Nowhere

/// How far the mAP of one run lies from that of its arm and fold by the chance of training.
type internal SeedNoise =
    { Source: SeedSource
      /// Variance of a run by arm, never below Interaction; zero where Source is Nowhere.
      Variance: float[]
      /// Its degrees of freedom.
      Freedom: float[]
      /// The part of it that comes from which recordings were scored, which a resampling of recordings shows as well.
      Interaction: float[] }

/// The chance of training, told apart from the chance of which recordings were scored.
module internal SeedNoise =
    /// Runs with their mAP on resampled recordings; equal rows share their draws.
    let measure (resamples: int) (replicates: Replicate list) : Measured[] =
        let keyed = replicates |> List.map (fun replicate -> String.Join('\n', replicate.Scores.Ids), replicate)

        let draws =
            keyed
            |> List.distinctBy fst
            |> List.map (fun (key, own) -> key, Statistics.draws resamples own.Scores.Domain own.Scores.Ids)
            |> Map

        let runs =
            [| for key, own in keyed ->
                   { Replicate = own
                     Key = key
                     Recordings = own.Scores.Ids |> Seq.map (Statistics.recordingOf own.Scores.Domain) |> Seq.distinct |> Seq.length
                     Estimate = Ranking.MeanAveragePrecision own.Scores
                     Resampled = Statistics.resampledMap draws[key] own.Scores } |]

        // A resample without any positive has no mAP; it is left out for all.
        let defined = [| for index in 0 .. resamples - 1 do if runs |> Array.forall (fun run -> Double.IsFinite run.Resampled[index]) then index |]
        runs |> Array.map (fun run -> { run with Resampled = defined |> Array.map (Array.get run.Resampled) })

    /// Values less the means of their groups.
    let private within (groups: int[][]) (values: float[]) =
        let left = Array.copy values

        for members in groups do
            let mean = members |> Array.averageBy (Array.get left)
            for index in members do left[index] <- left[index] - mean

        left

    let private groupsBy (key: Measured -> 'key) (runs: Measured[]) =
        Array.indexed runs |> Array.groupBy (snd >> key) |> Array.map (snd >> Array.map fst)

    /// Residuals of the additive fit of arm and fold; exact at once where every arm has every fold.
    let private additive (byArm: int[][]) (byFold: int[][]) (values: float[]) =
        let rec sweep count values = if count = 0 then values else sweep (count - 1) (values |> within byArm |> within byFold)
        sweep 20 values

    let private squares (members: int[]) (values: float[]) = members |> Array.sumBy (fun index -> values[index] * values[index])

    /// Sums of squares by arm of the runs' residuals, and the same of what resampling the recordings moves.
    let private sums (residuals: float[] -> float[]) (arms: int[][]) (runs: Measured[]) =
        let own = residuals (runs |> Array.map _.Estimate)
        let centred = runs |> Array.map (fun run -> let mean = Array.average run.Resampled in run.Resampled |> Array.map (fun value -> value - mean))
        let resamples = runs[0].Resampled.Length
        let moved = Array.init resamples (fun index -> residuals (centred |> Array.map (Array.item index)))
        [| for members in arms -> squares members own |], [| for members in arms -> moved |> Array.averageBy (squares members) |]

    /// Variances of several arms, each with its degrees of freedom, drawn towards each other as far as they look like one: the empirical
    /// Bayes estimate of Smyth (2004), "Linear models and empirical Bayes methods", equations 1 to 6, and its degrees of freedom.
    let internal moderated (known: (float * float)[]) : (float * float)[] * (float * float) =
        let total = known |> Array.sumBy snd
        let pooled = (known |> Array.sumBy (fun (variance, freedom) -> variance * freedom)) / total
        let logs = known |> Array.map (fun (variance, d) -> log (max variance 1e-12) - Distributions.digamma (d / 2.0) + log (d / 2.0))
        let mean = Array.average logs
        let spread = (logs |> Array.sumBy (fun value -> (value - mean) * (value - mean))) / float (max 1 (logs.Length - 1))
        let excess = spread - (known |> Array.averageBy (fun (_, d) -> Distributions.trigamma (d / 2.0)))

        if known.Length < 2 || excess <= 0.0 then
            known |> Array.map (fun _ -> pooled, total), (pooled, total)
        else
            let prior = 2.0 * Distributions.trigammaInverse excess
            let common = exp (mean + Distributions.digamma (prior / 2.0) - log (prior / 2.0))
            known |> Array.map (fun (variance, d) -> (prior * common + d * variance) / (prior + d), min total (prior + d)), (common, min total prior)

    /// The noise of runs of arms 0 .. arms - 1, each of which has a run.
    let ofRuns (arms: int) (runs: Measured[]) : SeedNoise =
        let byArm = [| for arm in 0 .. arms - 1 -> [| for index in 0 .. runs.Length - 1 do if runs[index].Replicate.Arm = arm then index |] |]
        let cells = groupsBy (fun run -> run.Replicate.Arm, run.Replicate.Fold) runs
        let folds = groupsBy _.Replicate.Fold runs
        let freedomOfFolds = runs.Length - arms - folds.Length + 1

        if runs.Length > cells.Length then
            let squares, moved = sums (within cells) byArm runs
            let freedom = byArm |> Array.map (fun members -> members.Length - (members |> Array.distinctBy (fun index -> runs[index].Replicate.Fold)).Length)
            let several = [| for arm in 0 .. arms - 1 do if freedom[arm] > 0 then arm |]
            let shared = Array.sum moved / float (Array.sum freedom)
            let interaction = Array.init arms (fun arm -> if freedom[arm] > 0 then moved[arm] / float freedom[arm] else shared)
            let own, common = moderated [| for arm in several -> max (squares[arm] / float freedom[arm]) interaction[arm], float freedom[arm] |]
            let found = Array.zip several own |> Map
            let noise = Array.init arms (fun arm -> found |> Map.tryFind arm |> Option.defaultValue common)
            { Source = Seeds; Variance = Array.map2 (fun (variance, _) least -> max variance least) noise interaction; Freedom = noise |> Array.map snd; Interaction = interaction }
        elif arms > 1 && folds.Length > 1 && freedomOfFolds > 0 then
            let squares, moved = sums (additive byArm folds) byArm runs
            let freedom = float freedomOfFolds
            let interaction = Array.sum moved / freedom
            let same value = Array.create arms value
            { Source = Folds; Variance = same (max (Array.sum squares / freedom) interaction); Freedom = same freedom; Interaction = same interaction }
        else
            { Source = Nowhere; Variance = Array.zeroCreate arms; Freedom = Array.create arms infinity; Interaction = Array.zeroCreate arms }

/// A weighted sum of runs' mAP with both its chances: an arm's mean, or the difference of two.
type internal Contrast =
    { Estimate: float
      /// What each resample of the recordings moves it by, around zero, without the part that Seed already holds.
      Moves: float[]
      /// What is left of a move of recordings when that part is taken out, 0 to 1.
      Shrink: float
      /// Standard deviation from the chance of training.
      Seed: float
      /// Its degrees of freedom.
      Freedom: float
      /// Recordings that were drawn from.
      Recordings: int }

/// Estimates with their chance.
module internal Contrast =
    /// Sum of weight times mAP.
    let ofRuns (noise: SeedNoise) (weighted: (Measured * float)[]) : Contrast =
        let total (value: Measured -> float) = weighted |> Array.sumBy (fun (run, weight) -> weight * value run)
        let summed (variance: float[]) = weighted |> Array.sumBy (fun (run, weight) -> weight * weight * variance[run.Replicate.Arm])
        let resampled = Array.init (fst weighted[0]).Resampled.Length (fun index -> total (fun run -> run.Resampled[index]))
        let mean = Array.average resampled
        let variance = resampled |> Array.averageBy (fun value -> (value - mean) * (value - mean))
        let shrink = if variance <= 0.0 then 0.0 else sqrt (max 0.0 (1.0 - summed noise.Interaction / variance))

        { Estimate = total _.Estimate
          Moves = resampled |> Array.map (fun value -> shrink * (value - mean))
          Shrink = shrink
          Seed = sqrt (summed noise.Variance)
          Freedom = weighted |> Array.map (fun (run, _) -> noise.Freedom[run.Replicate.Arm]) |> Array.min
          Recordings = weighted |> Array.map fst |> Array.distinctBy _.Key |> Array.sumBy _.Recordings }

    /// P(move + Seed * t > excess) over moves that are all as likely.
    let private tail (contrast: Contrast) (moves: float[]) (excess: float) =
        let over move = Distributions.upperTail contrast.Freedom ((excess - move) / contrast.Seed)
        moves |> Array.averageBy over

    /// At most so many values that are spread like the given ones.
    let private thinned (most: int) (values: float[]) =
        if values.Length <= most then values
        else
            let sorted = Array.sort values
            Array.init most (fun index -> Statistics.quantile ((float index + 0.5) / float most) sorted)

    /// Two-sided p of the estimate, when recordings alone move it by these draws or by their opposites.
    let p (nulls: float[]) (contrast: Contrast) : float =
        let observed = abs contrast.Estimate

        if contrast.Seed = 0.0 then
            // A draw that equals the estimate but for rounding counts as one that reaches it.
            let reached = nulls |> Array.filter (fun value -> abs value >= observed - 1e-12) |> Array.length
            float (1 + reached) / float (1 + nulls.Length)
        else
            let moves = nulls |> Array.map (fun value -> contrast.Shrink * value) |> thinned 1000
            min 1.0 (tail contrast moves observed + tail contrast (moves |> Array.map (~-)) observed)

    /// The interval of that level.
    let interval (level: float) (contrast: Contrast) : Interval =
        let few = float (contrast.Recordings - 1)
        let half = (1.0 - level) / 2.0
        // A few recordings, drawn from themselves, spread less than recordings do: by the ratio of t's to the normal interval, and by n - 1 for n.
        let wider = Distributions.exceeded few half / Distributions.exceeded infinity half * sqrt ((few + 1.0) / few)
        let moves = contrast.Moves |> Array.map ((*) wider) |> Array.sort

        let edge (upper: float) =
            if contrast.Seed = 0.0 then
                Statistics.quantile (1.0 - upper) moves
            else
                let thin = thinned 100 moves
                let reach = 100.0 * contrast.Seed + abs moves[0] + abs moves[moves.Length - 1]
                let rec find low high count =
                    let middle = 0.5 * (low + high)
                    if count = 0 then middle
                    elif tail contrast thin middle > upper then find middle high (count - 1)
                    else find low middle (count - 1)
                find -reach reach 36

        { Low = contrast.Estimate + edge (1.0 - half)
          High = contrast.Estimate + edge half
          Level = level
          Recordings = contrast.Recordings
          HoldsSeeds = contrast.Seed > 0.0 }

    /// The difference that a two-sided test at 5 % finds in 80 of 100 repetitions: (t_0.975 + t_0.80) times the standard error.
    let detectable (contrast: Contrast) : float =
        let recordings = contrast.Moves |> Array.averageBy (fun move -> move * move)
        let seeds = contrast.Seed * contrast.Seed
        let total = recordings + seeds
        let freedom = if seeds = 0.0 then infinity else contrast.Freedom * total * total / (seeds * seeds)
        (Distributions.exceeded freedom 0.025 + Distributions.exceeded freedom 0.2) * sqrt total

/// Intervals of means of runs over recordings and seeds.
[<RequireQualifiedAccess>]
module Intervals =
    /// The interval of the mean macro mAP of each arm's runs, given by fold, seed and scores. Percentiles of the resampled recordings, less their
    /// bias (a recording that is drawn twice ties with itself and raises average precision), with the chance of training from the spread
    /// between seeds, to which all arms contribute. Runs on the same rows share their draws. None where fewer than two recordings were scored.
    let ofMeans (resamples: int) (arms: (int * int * Scores) list list) : Interval option list =
        if arms.IsEmpty then []
        else
            let measured =
                [ for arm, runs in List.indexed arms do
                      for fold, seed, scores in runs do
                          { Arm = arm; Fold = fold; Seed = seed; Scores = scores } ]
                |> SeedNoise.measure resamples

            let noise = SeedNoise.ofRuns arms.Length measured

            [ for arm in 0 .. arms.Length - 1 do
                  let own = measured |> Array.filter (fun run -> run.Replicate.Arm = arm)
                  let contrast = Contrast.ofRuns noise (own |> Array.map (fun run -> run, 1.0 / float own.Length))

                  if contrast.Recordings < 2 || contrast.Moves.Length = 0 then None
                  else
                      let found = Contrast.interval Statistics.level contrast
                      Some { found with Low = max 0.0 found.Low; High = min 1.0 found.High } ]
