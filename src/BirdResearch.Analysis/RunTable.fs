namespace BirdResearch.Analysis

open System
open System.Collections.Generic
open BirdResearch.Naming
open BirdResearch.Analysis.Words

/// Which runs are listed; null and empty lists ask for all.
type RunFilter =
    { Model: string | null
      FrontEnd: string | null
      Data: string | null
      Seeds: IReadOnlyList<int>
      Folds: IReadOnlyList<int>
      Budget: string | null
      State: string | null }

/// A line of a list of runs: plain values by RunTable.Keys, and cells by RunTable.Heads.
type RunRow = { Values: (obj | null) list; Cells: string list; State: string }

/// Runs of several ablations as a table, finished or not.
[<RequireQualifiedAccess>]
module RunTable =
    /// A finished run; one that is planned, being trained or cut off; one that must be made again.
    let States = [ "finished"; "unfinished"; "stale" ]

    /// Names of the values.
    let Keys =
        [ "ablation"; "run"; "state"; "data"; "model"; "front_end"; "label"; "budget"; "fold"; "seed"; "map"; "soundscape_map"; "roc_auc"
          "parameters"; "seconds"; "clips"; "finished"; "reason" ]

    /// Heads of the cells; numbers end in >.
    let Heads = [ "ablation"; "arm"; "data"; "budget"; "fold>"; "seed>"; "mAP>"; "soundscape>"; "ROC-AUC>"; "min>"; "state" ]

    let private columns = Keys |> List.indexed |> List.map (fun (index, key) -> key, index) |> Map
    let private value (key: string) (row: RunRow) = row.Values[columns[key]]
    let private known (value: float) : obj | null = if Double.IsFinite value then box value else null
    let private number (value: obj | null) = match value with null -> nan | found -> Convert.ToDouble(found, Globalization.CultureInfo.InvariantCulture)

    let private made (state: string) (values: (obj | null) list) =
        let bare = { Values = values; Cells = []; State = state }
        let text key = match value key bare with null -> "–" | found -> string found
        let score key = number (value key bare) |> three
        let arm = [ text "model"; text "front_end"; text "label" ] |> List.filter (fun part -> part <> "" && part <> "–") |> String.concat " · "

        { bare with
            Cells =
                [ text "ablation"; arm; text "data"; text "budget"; text "fold"; text "seed"; score "map"; score "soundscape_map"; score "roc_auc"
                  significant (number (value "seconds" bare) / 60.0)
                  (if state = "finished" then state else $"""{state}: {text "reason"}""") ] }

    let private finished (set: RunSet) (problems: Problem list) =
        [ for run in set.Runs do
              let trial, cost = run.Record.Trial, run.Record.Cost
              let problem = problems |> List.tryFind (fun problem -> problem.Run = run.Name)
              let state = if problem.IsSome then "stale" else "finished"

              made state
                  [ set.Ablation; run.Name; state; run.Record.Data.Name; trial.Model; trial.FrontEnd; trial.Label; string trial.Training.Budget
                    trial.Fold.GetValueOrDefault(); trial.Seed
                    known (Runs.metric "map" "focal" run); known (Runs.metric "map" "soundscape" run); known (Runs.metric "roc_auc" "focal" run)
                    run.Record.Model.Parameters; known cost.TrainSeconds; cost.Clips; cost.Finished.ToString("yyyy-MM-ddTHH:mm:ssZ", Globalization.CultureInfo.InvariantCulture)
                    (problem |> Option.map _.Reason |> Option.defaultValue "") ] ]

    let private unfinished (set: RunSet) (problems: Problem list) =
        let plan = BirdResearch.Experiments.AblationPlan.Read set.Folder
        let planned = plan.Runs |> Seq.map _.Name |> Set.ofSeq

        [ for problem in problems |> List.filter (fun problem -> problem.Trouble = Missing) do
              let run = plan.Runs |> Seq.find (fun run -> run.Name = problem.Run)

              made "unfinished"
                  [ set.Ablation; run.Name; "unfinished"; run.Data; run.Model; run.FrontEnd; run.Label; run.Budget; run.Fold; run.Seed
                    yield! List.replicate 7 null
                    problem.Reason ]
          for folder in set.Unfinished do
              let name = folder[.. folder.Length - ".partial".Length - 1]
              if not (planned.Contains name) then
                  made "unfinished" [ set.Ablation; name; "unfinished"; yield! List.replicate 14 null; "is being trained, or was stopped" ] ]

    /// What is asked for, by its parts.
    let filter (model: string | null) (frontEnd: string | null) (data: string | null) seeds folds (budget: string | null) (state: string | null) : RunFilter =
        { Model = model; FrontEnd = frontEnd; Data = data; Seeds = seeds; Folds = folds; Budget = budget; State = state }

    let private passes (filter: RunFilter) (row: RunRow) =
        let text key = match value key row with null -> "" | found -> string found
        let holds (wanted: string | null) key = match wanted with null -> true | part -> (text key).Contains(part, StringComparison.OrdinalIgnoreCase)
        let equals (wanted: string | null) key = match wanted with null -> true | all -> text key = all
        let among (wanted: IReadOnlyList<int>) key = wanted.Count = 0 || wanted |> Seq.exists (fun number -> text key = string number)

        holds filter.Model "model"
        && holds filter.FrontEnd "front_end"
        && equals filter.Data "data"
        && equals filter.Budget "budget"
        && among filter.Seeds "seed"
        && among filter.Folds "fold"
        && (match filter.State with null -> true | state -> row.State = state)

    /// Rows of the ablations in those folders that pass the filter, in order of a column where one is named.
    let rows (filter: RunFilter) (sort: string | null) (folders: string seq) : RunRow list =
        match filter.State with
        | null -> ()
        | state when List.contains state States -> ()
        | state -> raise (ArgumentException(NearNames.Unknown("state", state, States)))

        let found =
            [ for folder in folders do
                  let set = Runs.load folder
                  let problems = Ledger.check set
                  yield! finished set problems
                  yield! unfinished set problems ]
            |> List.filter (passes filter)

        match sort with
        | null -> found
        | key when not (columns.ContainsKey key) -> raise (ArgumentException(NearNames.Unknown("column", key, Keys)))
        | key ->
            let isNumber = found |> List.exists (fun row -> match value key row with :? float | :? int | :? int64 -> true | _ -> false)

            if isNumber then found |> List.sortByDescending (fun row -> let found = number (value key row) in if Double.IsNaN found then Double.NegativeInfinity else found)
            else found |> List.sortBy (fun row -> match value key row with null -> "" | text -> string text)

    /// How many there are of each state, in a line.
    let counts (rows: RunRow list) : string =
        let each = States |> List.map (fun state -> rows |> List.filter (fun row -> row.State = state) |> List.length, state)
        let parts = each |> List.filter (fun (count, _) -> count > 0) |> List.map (fun (count, state) -> $"{count} {state}")
        $"""{counted rows.Length "run"}{if parts.IsEmpty then "" else ": " + String.Join(", ", parts)}"""
