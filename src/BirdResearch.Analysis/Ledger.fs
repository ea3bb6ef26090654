namespace BirdResearch.Analysis

open System
open BirdResearch.Experiments

/// Why a run cannot be shown.
type Trouble =
    /// It belongs to the design and is not finished.
    | Missing
    /// It is finished, but not what this version makes of its settings, or not as it was written.
    | Stale

/// A run that figures need and that is missing or stale.
type Problem =
    { /// The run's name.
      Run: string
      /// Its data set.
      Data: string
      /// What its training may spend.
      Budget: string
      Trouble: Trouble
      /// Why, as the rest of a sentence that begins with the run's name.
      Reason: string
      /// The command that makes it.
      Remedy: string }

/// What a report must have before it draws.
[<RequireQualifiedAccess>]
module Ledger =
    let private missing (set: RunSet) (plan: AblationPlan) =
        let finished = set.Runs |> List.map _.Name |> Set.ofList

        [ for run in plan.Runs do
              if not (finished.Contains run.Name) then
                  let reason =
                      match set.Skipped |> List.tryFind (fun skipped -> skipped.Folder = run.Name) with
                      | Some skipped -> $"cannot be read: {skipped.Reason}"
                      | None when set.Unfinished |> List.contains $"{run.Name}.partial" -> "is not finished: it is being trained, or was stopped"
                      | None -> "has not been trained"

                  { Run = run.Name; Data = run.Data; Budget = run.Budget; Trouble = Missing; Reason = reason; Remedy = run.Asked } ]

    let private command (ablation: string) (run: Run) =
        let trial = run.Record.Trial
        $"bird run {ablation} --data {run.Record.Data.Name} --fold {trial.Fold.GetValueOrDefault()} --seeds {trial.Seed}"

    /// Runs on data of another content than the newest run on a data set of that name, or, in their arm, with other sound without labels.
    let private onOtherData (set: RunSet) =
        let unlike (key: DataFacts -> string | null) (what: string) (runs: Run list) =
            let newest = runs |> List.maxBy _.Record.Cost.Finished
            [ for run in runs do
                  if key run.Record.Data <> key newest.Record.Data then
                      run, $"was made {what} of {run.Record.Data.Name} than the newest run, {newest.Name}" ]

        [ for _, runs in set.Runs |> List.groupBy _.Record.Data.Name do
              yield! unlike _.ContentKey "on other content" runs
              for _, arm in runs |> List.groupBy Arms.settingsOf do
                  yield! unlike _.WithoutLabelsKey "with other sound without labels" arm ]

    let private stale (set: RunSet) (plan: AblationPlan) =
        let asked = plan.Runs |> Seq.map (fun run -> run.Name, run.Asked) |> Map

        let why =
            [ for run in set.Runs do
                  match RunFreshness.WhyStale(run.Folder, run.Record) with
                  | null -> ()
                  | reason -> run, $"is stale: {reason}"
              yield! onOtherData set ]

        [ for run, reason in why |> List.distinctBy (fun (run, _) -> run.Name) do
              let again = asked |> Map.tryFind run.Name |> Option.defaultWith (fun () -> command set.Ablation run)
              { Run = run.Name; Data = run.Record.Data.Name; Budget = Runs.budget run; Trouble = Stale; Reason = reason; Remedy = $"move its folder away, then {again}" } ]

    /// What is missing of the design that was asked for (plan.json), and what is stale, in the order of the plan.
    let check (set: RunSet) : Problem list =
        let plan = AblationPlan.Read set.Folder
        missing set plan @ stale set plan

    /// Problems of the runs on one data set under one budget, whose figures cannot be drawn.
    let under (data: string) (budget: string) (problems: Problem list) : Problem list =
        problems |> List.filter (fun problem -> problem.Data = data && problem.Budget = budget)

    /// What is wrong in a sentence or two, naming three runs at most, and the commands that mend it.
    let describe (problems: Problem list) : string * string list =
        let shown = problems |> List.truncate 3 |> List.map (fun problem -> $"{problem.Run} {problem.Reason}")
        let more = if problems.Length > 3 then [ Words.counted (problems.Length - 3) "more run" ] else []
        String.Join("; ", shown @ more) + ".", problems |> List.map _.Remedy |> List.distinct
