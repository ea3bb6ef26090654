namespace BirdResearch.Analysis

open System
open System.Globalization

/// Arms of one model that differ in one number alone.
type Sweep =
    { /// Dotted path of the setting: features.expansion.outputs.
      Path: string
      Model: string
      /// The number and its arm, ascending.
      Points: (float * Arm) list }

    /// The setting in words: "outputs".
    member sweep.Setting = sweep.Path[sweep.Path.LastIndexOf '.' + 1 ..].Replace('_', ' ')

/// Finds the curves that a grid of one change at a time holds.
[<RequireQualifiedAccess>]
module Sweeps =
    // The front-end's name says again what its settings say.
    let private aside = set [ "seed"; "fold"; "data"; "front_end" ]

    let private number (arm: Arm) (path: string) =
        match arm.Runs.Head.Settings |> Map.tryFind path with
        | Some text ->
            match Double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture) with
            | true, value -> Some value
            | _ -> None
        | None -> None

    let private others (path: string) (arm: Arm) =
        arm.Runs.Head.Settings |> Map.filter (fun key _ -> key <> path && not (aside.Contains key))

    /// Every setting that takes at least three numbers while all else stays the same, with the arms that show it; the longest per model.
    let ofArms (arms: Arm list) : Sweep list =
        let paths =
            arms
            |> List.collect _.Runs
            |> Arms.differing
            |> List.filter (fun path -> path.StartsWith("features.", StringComparison.Ordinal))

        [ for path in paths do
              for model, own in arms |> List.groupBy _.Model do
                  let curves =
                      own
                      |> List.choose (fun arm -> number arm path |> Option.map (fun value -> value, arm))
                      |> List.groupBy (fun (_, arm) -> others path arm)
                      |> List.map (snd >> List.sortBy fst)
                      |> List.filter (fun points -> (points |> List.distinctBy fst).Length >= 3)

                  if not curves.IsEmpty then
                      { Path = path; Model = model; Points = curves |> List.maxBy _.Length } ]
