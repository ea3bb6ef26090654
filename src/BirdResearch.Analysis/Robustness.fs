namespace BirdResearch.Analysis

open System
open System.IO
open BirdResearch.Data

/// An arm's score at one position of a knob of a synthetic world.
type RobustPoint =
    { /// The knob's position.
      Value: float
      /// Macro mAP, mean over the arm's runs.
      Map: float
      /// Over recordings, of the first run; None where it was not measured.
      Interval: Interval option }

/// Reads what bird robustness left beside the runs: robustness.csv.
[<RequireQualifiedAccess>]
module Robustness =
    /// A knob in words.
    let title (knob: string) =
        match knob with
        | "snr_db" -> "SNR of every bird (dB)"
        | "metres" -> "distance of every bird (m)"
        | other -> other.Replace('_', ' ')

    let private rows (run: Run) =
        let path = Path.Combine(run.Folder, "robustness.csv")
        let number (row: CsvRow) (column: string) = row.Number64 column |> Option.ofNullable |> Option.defaultValue nan

        match RunReader.attempt (fun () ->
                  [ if File.Exists path then
                        for row in CsvTable.Read(path, [| "knob"; "value"; "map"; "low"; "high"; "recordings" |]).Rows do
                            row.Text "knob", number row "value", number row "map", number row "low", number row "high", number row "recordings" ]) with
        | Result.Ok rows -> rows
        | Result.Error _ -> []

    let private point (value: float) (told: (string * float * float * float * float * float) list) =
        let _, _, _, low, high, recordings = told.Head

        { Value = value
          Map = (told |> List.map (fun (_, _, map, _, _, _) -> map) |> Statistics.spread).Mean
          Interval =
            if Double.IsFinite low && Double.IsFinite high then
                Some { Low = low; High = high; Level = Statistics.level; Recordings = (if Double.IsFinite recordings then int recordings else 0); HoldsSeeds = false }
            else None }

    /// Each knob with the curve of every arm that was tried on it, by rising value.
    let ofArms (arms: Arm list) : (string * (Arm * RobustPoint list) list) list =
        let all = [ for arm in arms -> arm, List.collect rows arm.Runs ]

        [ for knob in all |> List.collect snd |> List.map (fun (knob, _, _, _, _, _) -> knob) |> List.distinct |> List.sort do
              knob,
              [ for arm, rows in all do
                    match rows |> List.filter (fun (other, _, map, _, _, _) -> other = knob && Double.IsFinite map) with
                    | [] -> ()
                    | own -> arm, own |> List.groupBy (fun (_, value, _, _, _, _) -> value) |> List.sortBy fst |> List.map (fun (value, told) -> point value told) ] ]
