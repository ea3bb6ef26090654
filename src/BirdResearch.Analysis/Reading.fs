namespace BirdResearch.Analysis

open System
open BirdResearch.Analysis.Words

/// What the figures say, in plain sentences made from the numbers; nothing is claimed that the intervals do not carry.
[<RequireQualifiedAccess>]
module Reading =
    let private names (arms: Arm list) = arms |> List.map _.Label |> listed

    /// "0.83 (95 % interval 0.76 to 0.89 over recordings and seeds, 3 seeds, standard deviation 0.011)", and what is not known about it.
    let private figure (domain: string) (arm: Arm) =
        let result = arm.Domains[domain]

        let interval =
            match result.Interval with
            | Some interval ->
                let over = if interval.HoldsSeeds then "recordings and seeds" else "recordings"
                $"95 %% interval {two interval.Low} to {two interval.High} over {over}"
            | None -> $"no interval: {result.NoInterval}"

        let runs =
            if result.Map.Count < 2 then $"{arm.Design}: no spread known"
            else $"{arm.Design}, standard deviation {three result.Map.Deviation}"

        $"{two result.Map.Mean} ({interval}, {runs})"

    /// A comparison seen from one of its arms: the other's label, and how far the other lies above it.
    let private seenFrom (label: string) (comparison: Comparison) =
        if comparison.Left = label then Some(comparison.Right, -comparison.Difference, comparison)
        elif comparison.Right = label then Some(comparison.Left, comparison.Difference, comparison)
        else None

    let private range (values: float list) =
        let low, high = two (List.min values), two (List.max values)
        if low = high then low else $"{low} to {high}"

    /// What the tests say about the highest arm, and how small a difference they would have found.
    let private apart (comparisons: Comparison list) (best: Arm) =
        let pairs = comparisons |> List.choose (seenFrom best.Label)
        let tested, untested = pairs |> List.partition (fun (_, _, found) -> Double.IsFinite found.P)
        let above, level = tested |> List.partition (fun (_, _, found) -> found.ToldApart)
        let others (found: (string * float * Comparison) list) = found |> List.map (fun (label, _, _) -> label) |> listed

        [ if not above.IsEmpty then
              let each = [ for label, difference, found in above -> $"{label} ({signed difference}, p {probability found.Holm})" ]
              $"It is told apart from {listed each}."
          if not level.IsEmpty then
              let least = level |> List.map (fun (_, _, found) -> found.Detectable) |> range
              $"Not told apart from it: {others level}. A difference of {least} would have been found in 80 of 100 repetitions of this design."
          for reason, found in untested |> List.groupBy (fun (_, _, found) -> found.Note) do
              $"Not tested against {others found}: {reason}." ]

    /// The rule behind "told apart".
    let private rule (comparisons: Comparison list) =
        match comparisons |> List.filter (fun found -> Double.IsFinite found.P) with
        | [] -> []
        | tested ->
            let pairs = counted tested.Length "pair"

            [ if not (tested |> List.exists _.ToldApart) then "No two arms are told apart."
              $"Told apart means: a paired permutation test over recordings, with the chance of seeds, at 5 %% after Holm's correction over {pairs}." ]

    let private guessing (domain: string) (ranked: Arm list) =
        let atChance (arm: Arm) =
            match arm.Domains[domain] with
            | { Interval = Some interval; Chance = chance } -> interval.Low <= chance
            | _ -> false

        match List.filter atChance ranked with
        | [] -> []
        | found -> [ $"Not told apart from guessing ({two found.Head.Domains[domain].Chance}): {names found}." ]

    let private score (domain: string) (comparisons: Comparison list) (arms: Arm list) =
        let own = comparisons |> List.filter (fun found -> found.Domain = domain)

        match arms |> List.filter _.Domains.ContainsKey(domain) |> List.sortByDescending (Arms.map domain) with
        | [] -> []
        | [ only ] -> $"{only.Label} has a {Charts.domainName domain} mAP of {figure domain only}." :: guessing domain [ only ]
        | best :: _ as ranked ->
            [ $"{best.Label} scores highest in {Charts.domainName domain} mAP: {figure domain best}."
              yield! apart own best
              yield! rule own
              yield! guessing domain ranked ]

    let private shift (arms: Arm list) =
        match arms |> List.map Arms.domainGap |> List.filter Double.IsFinite with
        | [] -> []
        | gaps when List.min gaps > 0.0 -> [ $"From focal recordings to soundscapes mAP falls by {range gaps}." ]
        | gaps -> [ $"Focal less soundscape mAP is {range gaps}." ]

    let private gap (arms: Arm list) =
        let train, focal, gap = Arms.map "train" >> two, Arms.map "focal" >> two, Arms.overfittingGap >> two

        match arms |> List.filter (Arms.overfittingGap >> Double.IsFinite) |> List.sortByDescending Arms.overfittingGap with
        | [] -> []
        | [ only ] -> [ $"On its training recordings {only.Label} reaches {train only}, {gap only} above validation." ]
        | most :: _ as ranked ->
            let least = List.last ranked

            [ $"The gap between training and validation mAP is widest for {most.Label}, {gap most} ({train most} against {focal most}), \
                and narrowest for {least.Label}, {gap least}." ]

    let private cost (arms: Arm list) =
        let millions (arm: Arm) = arm.Mean(fun run -> float run.Record.Model.Parameters) / 1e6
        let speed (arm: Arm) = arm.Mean _.Record.Cost.TrainClipsPerSecond
        let small, large = List.minBy millions arms, List.maxBy millions arms
        let fast, slow = List.maxBy speed arms, List.minBy speed arms

        [ if millions large > 1.2 * millions small then
              $"The smallest model has {significant (millions small)} million parameters ({small.Model}), \
                the largest {significant (millions large)} million ({large.Model})."
          if speed fast > 1.2 * speed slow then
              $"{fast.Label} trains fastest, {significant (speed fast)} clips/s, \
                {significant (speed fast / speed slow)} times as fast as {slow.Label}." ]

    /// Runs whose weights are not simply those of the last planned epoch, by what was done.
    let private keptWeights (arms: Arm list) =
        [ for arm in arms do
              let kept = [ for run in arm.Runs do match run.Record.Kept with null -> () | kept -> if string kept <> "" then kept ]
              if not kept.IsEmpty then
                  let epochs = kept |> List.map (fun k -> string k.Epoch) |> String.concat ", "
                  let how =
                      [ if kept |> List.exists (fun k -> k.Which = "best") then $"the weights of the best epoch by {kept.Head.Metric} were kept"
                        if kept |> List.exists (fun k -> k.Trained < k.Planned) then $"training stopped early by {kept.Head.Metric}"
                        if kept |> List.exists _.Averaged then "the weights are running averages" ]
                      |> String.concat ", "
                  let flattered = if kept |> List.exists _.IsChosenByValidation then "; its validation score had a say in that and flatters it" else ""
                  $"{arm.Label}: {how} (epoch {epochs}){flattered}." ]

    let private caveats (runs: Run list) (arms: Arm list) =
        [ if arms |> List.forall (fun arm -> (arm.Runs |> List.distinctBy _.Record.Trial.Seed).Length = 1) then
              "Each arm has 1 seed: tests and intervals speak of these trained models on other recordings, not of the next seed."
          if (runs |> List.distinctBy _.Record.Machine).Length > 1 then
              "The runs come from different machines: compare clips/s only within one."
          yield! keptWeights arms ]

    /// Paragraphs about arms of one budget.
    let private ofBudget (comparisons: Comparison list) (arms: Arm list) =
        [ score "focal" comparisons arms
          score "soundscape" comparisons arms @ shift arms
          gap arms @ cost arms
          caveats (arms |> List.collect _.Runs) arms ]
        |> List.filter (List.isEmpty >> not)

    /// Paragraphs about the arms of one data set: validation, soundscapes, over-fitting and cost, and what to beware of. The tests are those of
    /// Comparisons.ofArms in every held-out domain. Arms of different budgets are not compared: each budget has paragraphs of its own.
    let paragraphs (comparisons: Comparison list) (arms: Arm list) : string list =
        let budgets = arms |> List.groupBy Arms.budget

        [ if budgets.Length > 1 then
              [ $"The arms had {budgets.Length} different budgets; they are compared within each, never across." ]
          for budget, equal in budgets do
              let named = $"Each training was given {budget}."

              match ofBudget comparisons equal with
              | first :: others -> yield! (named :: first) :: others
              | [] -> () ]
        |> List.map (String.concat " ")
