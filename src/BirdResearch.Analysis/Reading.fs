namespace BirdResearch.Analysis

open System
open BirdResearch.Analysis.Words

/// What the figures say, in plain sentences made from the numbers; nothing is claimed that the intervals do not carry.
[<RequireQualifiedAccess>]
module Reading =
    let private known (value: float) = Double.IsFinite value
    let private arms (names: Arm list) = names |> List.map _.Label |> listed

    let private highestIn (domain: string) (arms: Arm list) =
        arms |> List.filter (fun arm -> arm.Domains.ContainsKey domain) |> List.sortByDescending (Arms.map domain)

    /// "0.83 (95 % interval 0.76 to 0.89, 3 seeds)", and what is not known about it.
    let private figure (domain: string) (arm: Arm) =
        let result = arm.Domains[domain]

        let interval =
            match result.Interval with
            | Some interval -> [ $"95 %% interval {two interval.Low} to {two interval.High}" ]
            | None -> []

        let runs = if result.Map.Count < 2 then $"{arm.Design}: no spread known" else $"{arm.Design}, standard deviation {three result.Map.Deviation}"
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
                  "Its interval overlaps with " + (if level.Length = 1 then "that" else "those") + $" of {arms level}: not told apart."
              if not below.IsEmpty then
                  let lower = below |> List.map (fun arm -> $"{arm.Label} ({two (Arms.map domain arm)})") |> listed
                  $"Lower, with intervals that do not overlap: {lower}."
              if not unjudged.IsEmpty then
                  $"No interval for {arms unjudged}." ]

    let private guessing (domain: string) (ranked: Arm list) =
        let atChance =
            ranked
            |> List.filter (fun arm ->
                match arm.Domains[domain].Interval with
                | Some interval -> interval.Low <= arm.Domains[domain].Chance
                | None -> false)

        if atChance.IsEmpty then []
        else [ $"Not told apart from guessing ({two atChance.Head.Domains[domain].Chance}): {arms atChance}." ]

    let private score (domain: string) (all: Arm list) =
        match highestIn domain all with
        | [] -> []
        | [ only ] -> [ $"{only.Label} has a {Charts.domainName domain} mAP of {figure domain only}." ] @ guessing domain [ only ]
        | best :: others as ranked ->
            [ $"{best.Label} scores highest in {Charts.domainName domain} mAP: {figure domain best}." ]
            @ apart domain best others
            @ guessing domain ranked

    let private range (values: float list) =
        if two (List.min values) = two (List.max values) then two (List.min values)
        else $"{two (List.min values)} to {two (List.max values)}"

    let private shift (all: Arm list) =
        match all |> List.map Arms.domainGap |> List.filter known with
        | [] -> []
        | gaps when List.min gaps > 0.0 -> [ $"From focal recordings to soundscapes mAP falls by {range gaps}." ]
        | gaps -> [ $"Focal less soundscape mAP is {range gaps}." ]

    let private gap (all: Arm list) =
        let train, focal = Arms.map "train", Arms.map "focal"

        match all |> List.filter (Arms.overfittingGap >> known) |> List.sortByDescending Arms.overfittingGap with
        | [] -> []
        | [ only ] -> [ $"On its training recordings {only.Label} reaches {two (train only)}, {two (Arms.overfittingGap only)} above validation." ]
        | most :: _ as ranked ->
            let least = List.last ranked
            [ $"The gap between training and validation mAP is widest for {most.Label}, {two (Arms.overfittingGap most)} \
                ({two (train most)} against {two (focal most)}), and narrowest for {least.Label}, {two (Arms.overfittingGap least)}." ]

    let private cost (all: Arm list) =
        let parameters (arm: Arm) = arm.Mean(fun run -> float run.Record.Model.Parameters)
        let speed (arm: Arm) = arm.Mean _.Record.Cost.TrainClipsPerSecond

        if all.Length < 2 then
            []
        else
            let small, large = List.minBy parameters all, List.maxBy parameters all
            let fast, slow = List.maxBy speed all, List.minBy speed all

            [ if parameters large > 1.2 * parameters small then
                  $"The smallest model has {significant (parameters small / 1e6)} million parameters ({small.Model}), the largest {significant (parameters large / 1e6)} million ({large.Model})."
              if speed fast > 1.2 * speed slow then
                  $"{fast.Label} trains fastest, {significant (speed fast)} clips/s, {significant (speed fast / speed slow)} times as fast as {slow.Label}." ]

    let private caveats (runs: Run list) (all: Arm list) =
        [ if all |> List.forall (fun arm -> arm.Runs |> List.distinctBy _.Record.Trial.Seed |> List.length = 1) then
              "Each arm has 1 seed: the spread between seeds is not known, and the intervals do not contain it."
          if Arms.differing runs |> List.contains "training.epochs" then
              "The arms differ in training.epochs, so they were not given the same budget."
          if (runs |> List.distinctBy _.Record.Machine |> List.length) > 1 then
              "The runs come from different machines: compare clips/s only within one." ]

    /// Paragraphs about the arms of one data set: validation, soundscapes, over-fitting and cost, and what to beware of.
    let paragraphs (arms: Arm list) : string list =
        let runs = arms |> List.collect _.Runs

        [ score "focal" arms
          score "soundscape" arms @ shift arms
          gap arms @ cost arms
          caveats runs arms ]
        |> List.filter (List.isEmpty >> not)
        |> List.map (String.concat " ")
