namespace BirdResearch.Analysis

open System
open System.IO
open BirdResearch.Data

/// How an arm's sparse code is used.
type CodeUse =
    { Arm: Arm
      /// By domain: the share of time steps in which each unit fires, in 0 to 1, by unit.
      Shares: (string * float[]) list }

/// Reads what runs with a sparse code left of it: codes.csv.
[<RequireQualifiedAccess>]
module Codes =
    let private read (run: Run) =
        let path = Path.Combine(run.Folder, "codes.csv")

        if not (File.Exists path) then []
        else
            let table = CsvTable.Read(path, [| "unit"; "focal_share"; "soundscape_share" |])
            let column (name: string) = [| for row in table.Rows -> row.Number64 name |> Option.ofNullable |> Option.defaultValue nan |]
            [ for domain in [ "focal"; "soundscape" ] do
                  let shares = column $"{domain}_share"
                  if shares.Length > 0 && shares |> Array.forall Double.IsFinite then domain, shares ]

    /// Of each arm that has a sparse code, its first run's.
    let ofArms (arms: Arm list) : CodeUse list =
        [ for arm in arms do
              match arm.Runs |> List.tryPick (fun run -> match RunReader.attempt (fun () -> read run) with Result.Ok(_ :: _ as shares) -> Some shares | _ -> None) with
              | Some shares -> { Arm = arm; Shares = shares }
              | None -> () ]
