namespace BirdResearch.Analysis

open System
open BirdResearch.Metrics

/// The spread between seeds that a comparison reckons with.
type SeedSpread =
    { /// Standard deviation of one run's mAP around that of its arm and fold.
      Deviation: float
      /// Its degrees of freedom.
      Freedom: float
      /// Whether it was read from seeds, or from folds where there is one seed.
      Source: SeedSource }

/// Two arms beside each other in one domain.
type Comparison =
    { /// Label of the first arm.
      Left: string
      /// Label of the second.
      Right: string
      /// focal or soundscape.
      Domain: string
      /// Mean macro mAP of the first less that of the second, every fold that both have weighing the same; nan where nothing compares.
      Difference: float
      /// 95 % interval of the difference over recordings and seeds.
      Interval: Interval option
      /// Two-sided p of the paired permutation test.
      P: float
      /// The same after Holm's correction over all pairs of the domain.
      Holm: float
      /// The difference that a test at 5 % would find in 80 of 100 repetitions of this design, before Holm's correction.
      Detectable: float
      /// Whether Holm is below 0.05.
      ToldApart: bool
      /// None where there is one seed and one fold.
      Seeds: SeedSpread option
      /// What limits the comparison, in a sentence; empty where nothing does.
      Note: string }

/// Which arms differ, and how sure that is.
[<RequireQualifiedAccess>]
module Comparisons =
    /// Holm p below which two arms are told apart.
    let level = 0.05

    /// Permutations of a test where nothing else is asked for; more where many pairs are corrected.
    let defaultPermutations = 2000

    /// Holm's step-down correction: the k-th smallest of m times m - k + 1, never falling; nan stays and does not count.
    let holm (values: float list) : float list =
        let known = values |> List.indexed |> List.filter (snd >> Double.IsNaN >> not) |> List.sortBy snd
        let corrected = known |> List.mapi (fun rank (_, p) -> min 1.0 (float (known.Length - rank) * p)) |> List.scan max 0.0 |> List.tail
        let byIndex = List.zip (List.map fst known) corrected |> Map
        values |> List.mapi (fun index _ -> byIndex |> Map.tryFind index |> Option.defaultValue nan)

    let private nothing (left: string) (right: string) (domain: string) (note: string) =
        { Left = left; Right = right; Domain = domain; Difference = nan; Interval = None; P = nan; Holm = nan; Detectable = nan
          ToldApart = false; Seeds = None; Note = note }

    /// Every run of the two arms with its weight in the difference: folds that both have weigh the same, runs of a fold too.
    let private weights (left: Measured[]) (right: Measured[]) =
        let folds (runs: Measured[]) = runs |> Array.map _.Replicate.Fold |> set
        let shared = Set.intersect (folds left) (folds right)

        let side sign (runs: Measured[]) =
            [| for fold, own in runs |> Array.groupBy _.Replicate.Fold do
                   if shared.Contains fold then
                       for run in own do
                           run, sign / float (own.Length * shared.Count) |]

        side 1.0 left, side -1.0 right

    /// What each exchange of recordings makes of the difference. Runs of equal fold and seed are exchanged with each other, others in turn.
    let private nulls (masks: Measured -> uint64[][]) (left: (Measured * float)[]) (right: (Measured * float)[]) =
        let sums = Array.zeroCreate<float> (masks (fst left[0])).Length
        let bySeed (runs: (Measured * float)[]) = runs |> Array.sortBy (fun (run, _) -> run.Replicate.Seed)

        let add weight (values: float[]) =
            for index in 0 .. sums.Length - 1 do sums[index] <- sums[index] + weight * values[index]

        for fold, own in left |> Array.groupBy (fun (run, _) -> run.Replicate.Fold) do
            let own = bySeed own
            let others = right |> Array.filter (fun (run, _) -> run.Replicate.Fold = fold) |> bySeed
            let seedOf (run: Measured, _) = run.Replicate.Seed
            let common = Set.intersect (own |> Array.map seedOf |> set) (others |> Array.map seedOf |> set)
            let order runs = Array.append (runs |> Array.filter (seedOf >> common.Contains)) (runs |> Array.filter (seedOf >> common.Contains >> not))
            let own, others = order own, order others

            for index in 0 .. max own.Length others.Length - 1 do
                let (a, weightOfA), (b, weightOfB) = own[index % own.Length], others[index % others.Length]
                let ofA, ofB = Swaps.maps (masks a) a.Replicate.Scores b.Replicate.Scores
                if index < own.Length then add weightOfA ofA
                if index < others.Length then add weightOfB ofB

        sums

    let private sameRows (left: Measured[]) (right: Measured[]) =
        let rows (runs: Measured[]) = runs |> Array.map (fun run -> run.Replicate.Fold, (run.Key, List.ofSeq run.Replicate.Scores.Classes, run.Replicate.Scores.Truth.ToArray())) |> Map
        let left, right = rows left, rows right
        left |> Map.forall (fun fold own -> right |> Map.tryFind fold |> Option.forall ((=) own))

    let private noteOf (noise: SeedNoise) (left: Measured[]) (right: Measured[]) =
        let folds (runs: Measured[]) = runs |> Array.map _.Replicate.Fold |> set
        let shared = Set.intersect (folds left) (folds right)

        [ match noise.Source with
          | Nowhere -> "one seed: conditional on these trained models"
          | Folds -> "one seed: its chance is read from how the arms' differences change between folds"
          | Seeds -> ()
          if folds left <> folds right then
              let names = shared |> Seq.map string |> List.ofSeq |> Words.listed
              $"only of fold {names}, which both have" ]
        |> String.concat "; "

    let private compare (noise: SeedNoise) masks (domain: string) (leftName: string) (left: Measured[]) (rightName: string) (right: Measured[]) =
        let ofLeft, ofRight = weights left right

        if ofLeft.Length = 0 then
            nothing leftName rightName domain "they have no fold in common"
        elif not (sameRows left right) then
            nothing leftName rightName domain "they were scored on other rows or classes"
        else
            let contrast = Contrast.ofRuns noise (Array.append ofLeft ofRight)

            let seeds =
                match noise.Source with
                | Nowhere -> None
                | source ->
                    let arms = [ left[0].Replicate.Arm; right[0].Replicate.Arm ]
                    let variance = arms |> List.averageBy (Array.get noise.Variance)
                    Some { Deviation = sqrt variance; Freedom = contrast.Freedom; Source = source }

            { nothing leftName rightName domain (noteOf noise left right) with
                Difference = contrast.Estimate
                Interval = if contrast.Recordings < 2 then None else Some(Contrast.interval Statistics.level contrast)
                P = Contrast.p (nulls masks ofLeft ofRight) contrast
                Detectable = Contrast.detectable contrast
                Seeds = seeds }

    let private corrected (comparisons: Comparison list) =
        let holm = holm (comparisons |> List.map _.P)
        List.map2 (fun comparison p -> { comparison with Holm = p; ToldApart = p < level }) comparisons holm

    /// All pairs among arms, each given by its label and its runs' fold, seed and scores in one domain.
    let ofScores (resamples: int) (permutations: int) (domain: string) (arms: (string * (int * int * Scores) list) list) : Comparison list =
        let replicates =
            [ for arm, (_, runs) in List.indexed arms do
                  for fold, seed, scores in runs do
                      { Arm = arm; Fold = fold; Seed = seed; Scores = scores } ]

        if replicates.IsEmpty then [] else

        let measured = SeedNoise.measure resamples replicates
        let noise = SeedNoise.ofRuns arms.Length measured
        let runsOf = [| for arm in 0 .. arms.Length - 1 -> measured |> Array.filter (fun run -> run.Replicate.Arm = arm) |]
        let pairs = [| for left in 0 .. arms.Length - 2 do for right in left + 1 .. arms.Length - 1 -> left, right |]
        let count = max permutations (40 * pairs.Length)

        let masks =
            measured
            |> Array.distinctBy _.Key
            |> Array.map (fun run -> run.Key, Swaps.masks count domain run.Replicate.Scores.Ids)
            |> Map

        let label arm = fst arms[arm]

        pairs
        |> Array.Parallel.map (fun (left, right) ->
            compare noise (fun run -> masks[run.Key]) domain (label left) runsOf[left] (label right) runsOf[right])
        |> List.ofArray
        |> corrected

    /// Every pair of arms of one data set in a domain that had equal budgets, in the order of the arms. Arms without readable scores there have
    /// pairs with a note.
    let ofArms (domain: string) (arms: Arm list) : Comparison list =
        let present = arms |> List.filter _.Domains.ContainsKey(domain)
        let found = present |> List.map (fun arm -> arm, Arms.scores domain arm)

        let tested =
            [ for _, equal in found |> List.groupBy (fst >> Arms.budget) do
                  let readable = equal |> List.choose (fun (arm, scores) -> match scores with Ok scores -> Some(arm.Label, scores) | Error _ -> None)
                  for comparison in ofScores Statistics.defaultResamples defaultPermutations domain readable do
                      (comparison.Left, comparison.Right), comparison ]
            |> Map

        [ for left, (arm, scores) in List.indexed found do
              for other, others in List.skip (left + 1) found do
                  if Arms.budget arm = Arms.budget other then
                      match scores, others with
                      | Error reason, _
                      | _, Error reason -> nothing arm.Label other.Label domain reason
                      | _ -> tested[(arm.Label, other.Label)] ]
        |> corrected

    /// Largest sets of arms of which no two are told apart, by insertion and absorption (Piepho 2004). Arms that were not compared share none.
    let private groupsOf (labels: string list) (apart: (string * string) list) : Set<string> list =
        let absorb (groups: Set<string> list) =
            let distinct = List.distinct groups
            distinct |> List.filter (fun group -> distinct |> List.forall (fun other -> group = other || not (Set.isSubset group other)))

        let split (groups: Set<string> list) (left, right) =
            groups
            |> List.collect (fun group ->
                if group.Contains left && group.Contains right then [ group.Remove left; group.Remove right ] else [ group ])
            |> absorb

        apart |> List.fold split [ set labels ]

    /// Sets of arms that are not told apart, best first; an arm may be in several.
    let groups (comparisons: Comparison list) (arms: Arm list) : string list list =
        let domain = match comparisons with first :: _ -> first.Domain | [] -> "focal"
        let ranked = arms |> List.filter _.Domains.ContainsKey(domain) |> List.sortByDescending (Arms.map domain) |> List.map _.Label
        let place = ranked |> List.indexed |> List.map (fun (index, label) -> label, index) |> Map
        let found = comparisons |> List.map (fun comparison -> (comparison.Left, comparison.Right), comparison) |> Map

        let isApart (left, right) =
            match found.TryFind(left, right), found.TryFind(right, left) with
            | Some comparison, _
            | _, Some comparison -> comparison.ToldApart
            | None, None -> true

        if ranked.IsEmpty then []
        else
            [ for index, left in List.indexed ranked do
                  for right in List.skip (index + 1) ranked do
                      if isApart (left, right) then left, right ]
            |> groupsOf ranked
            |> List.map (Set.toList >> List.sortBy (fun label -> place[label]))
            |> List.sortBy (List.map (fun label -> place[label]))

    /// The letters of the groups of each arm, the best group's first: arms that share a letter are not told apart.
    let letters (comparisons: Comparison list) (arms: Arm list) : Map<string, string> =
        let rec letter index = if index < 26 then string (char (int 'a' + index)) else letter (index / 26 - 1) + letter (index % 26)
        let groups = groups comparisons arms

        Map
            [ for arm in arms do
                  arm.Label,
                  String.Concat [ for index, group in List.indexed groups do if List.contains arm.Label group then letter index ] ]
