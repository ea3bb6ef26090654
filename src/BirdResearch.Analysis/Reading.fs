namespace BirdResearch.Analysis

open System
open BirdResearch.Analysis.Words

/// What the figures say, in plain sentences made from the numbers; nothing is claimed that the intervals do not carry.
[<RequireQualifiedAccess>]
module Reading =
    let private names (arms: Arm list) = arms |> List.map _.Label |> listed

    /// "0.83 (95 % interval 0.76 to 0.89, 3 seeds, standard deviation 0.011)", and what is not known about it.
    let private figure (domain: string) (arm: Arm) =
        let result = arm.Domains[domain]

        let interval =
            match result.Interval with
            | Some interval -> [ $"95 %% interval {two interval.Low} to {two interval.High}" ]
            | None -> []

        let runs =
            if result.Map.Count < 2 then $"{arm.Design}: no spread known"
            else $"{arm.Design}, standard deviation {three result.Map.Deviation}"

        let details = String.Join(", ", interval @ [ runs ])
        $"{two result.Map.Mean} ({details})"

    /// Which arms the highest one is told apart from by its interval.
    let private apart (domain: string) (best: Arm) (others: Arm list) =
        let interval (arm: Arm) = arm.Domains[domain].Interval

        match interval best with
        | None -> [ "There is no interval for it (" + best.Domains[domain].NoInterval + "), so the order may be chance." ]
        | Some top ->
            let judged, unjudged = others |> List.partition (fun arm -> (interval arm).IsSome)
            let level, below = judged |> List.partition (fun arm -> Statistics.overlap top (interval arm).Value)

            [ if not level.IsEmpty then
                  let those = if level.Length = 1 then "that" else "those"
                  $"Its interval overlaps with {those} of {names level}: not told apart."
              if not below.IsEmpty then
                  let lower = [ for arm in below -> $"{arm.Label} ({two (Arms.map domain arm)})" ]
                  $"Lower, with intervals that do not overlap: {listed lower}."
              if not unjudged.IsEmpty then
                  $"No interval for {names unjudged}." ]

    let private guessing (domain: string) (ranked: Arm list) =
        let atChance (arm: Arm) =
            match arm.Domains[domain] with
            | { Interval = Some interval; Chance = chance } -> interval.Low <= chance
            | _ -> false

        match List.filter atChance ranked with
        | [] -> []
        | found -> [ $"Not told apart from guessing ({two found.Head.Domains[domain].Chance}): {names found}." ]

    let private score (domain: string) (arms: Arm list) =
        match arms |> List.filter _.Domains.ContainsKey(domain) |> List.sortByDescending (Arms.map domain) with
        | [] -> []
        | [ only ] -> $"{only.Label} has a {Charts.domainName domain} mAP of {figure domain only}." :: guessing domain [ only ]
        | best :: others as ranked ->
            [ $"{best.Label} scores highest in {Charts.domainName domain} mAP: {figure domain best}."
              yield! apart domain best others
              yield! guessing domain ranked ]

    let private range (values: float list) =
        let low, high = two (List.min values), two (List.max values)
        if low = high then low else $"{low} to {high}"

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
              "Each arm has 1 seed: the spread between seeds is not known, and the intervals do not contain it."
          if Arms.differing runs |> List.contains "training.budget" then
              "The arms differ in training.budget, so they were not given the same budget."
          if (runs |> List.distinctBy _.Record.Machine).Length > 1 then
              "The runs come from different machines: compare clips/s only within one."
          yield! keptWeights arms ]

    /// Paragraphs about the arms of one data set: validation, soundscapes, over-fitting and cost, and what to beware of.
    let paragraphs (arms: Arm list) : string list =
        [ score "focal" arms
          score "soundscape" arms @ shift arms
          gap arms @ cost arms
          caveats (arms |> List.collect _.Runs) arms ]
        |> List.filter (List.isEmpty >> not)
        |> List.map (String.concat " ")
