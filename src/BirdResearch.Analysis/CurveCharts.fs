namespace BirdResearch.Analysis

open System
open Deedle
open Plotly.NET
open Plotly.NET.LayoutObjects
open BirdResearch.Analysis.Marks
open BirdResearch.Analysis.Words

/// What a training had gone through by the end of each of its epochs.
type Progress =
    { /// The axis' title.
      Title: string
      /// Amount by epoch.
      Reached: Run -> Map<int, float> }

/// Curves over the course of a training.
[<RequireQualifiedAccess>]
module CurveCharts =
    let private column (name: string) (run: Run) =
        match run.Epochs.TryGetColumn<float>(name, Lookup.Exact) with
        | found when found.HasValue -> [ for point in found.Value.Observations -> point.Key, point.Value ]
        | _ -> []

    let private summed (name: string) (each: Run -> float) (run: Run) =
        let each = each run
        column name run |> List.sortBy fst |> List.mapFold (fun sum (epoch, value) -> let sum = sum + each * value in (epoch, sum), sum) 0.0 |> fst |> Map

    /// Epochs.
    let epochs = { Title = "epoch"; Reached = fun run -> Map [ for epoch in run.Epochs.RowKeys -> epoch, float epoch ] }

    /// Clips trained on.
    let clips = { Title = "clips trained on"; Reached = summed "clips" (fun _ -> 1.0) }

    /// Seconds of training on the run's machine, evaluation left out.
    let seconds = { Title = "seconds of training"; Reached = summed "seconds" (fun _ -> 1.0) }

    /// Multiply-adds of the forward passes of training.
    let multiplyAdds =
        { Title = "multiply-adds, forward"; Reached = summed "clips" (fun run -> float run.Record.Model.MultiplyAdds) }

    let private curve (progress: Progress) (name: string) (run: Run) =
        let reached = progress.Reached run
        [ for epoch, value in column name run do
              match reached.TryFind epoch with
              | Some amount -> amount, value
              | None -> () ]
        |> List.sortBy fst

    /// A curve's value at an amount that it reaches, linear between its points.
    let private valueAt (amount: float) (points: (float * float) list) =
        match points |> List.tryFindBack (fun (x, _) -> x <= amount), points |> List.tryFind (fun (x, _) -> x >= amount) with
        | Some(x0, y0), Some(x1, y1) when x1 > x0 -> y0 + (y1 - y0) * (amount - x0) / (x1 - x0)
        | Some(_, y), _ -> y
        | None, _ -> nan

    /// Mean of several curves over the amounts that all of them reach; runs need not have been evaluated at the same ones.
    let meanCurve (curves: (float * float) list list) : (float * float) list =
        match curves with
        | [ only ] -> only
        | _ ->
            let from, until = curves |> List.map (List.head >> fst) |> List.max, curves |> List.map (List.last >> fst) |> List.min

            curves
            |> List.concat
            |> List.map fst
            |> List.filter (fun amount -> from <= amount && amount <= until)
            |> List.distinct
            |> List.sort
            |> List.map (fun amount -> amount, curves |> List.averageBy (valueAt amount))

    /// More arms than this would bury the means below their single runs.
    let private mostWithRuns = 8

    /// One column of epochs.csv over the course of training: the mean of an arm's runs as a line, each run thin where the arms are few.
    let learning (styles: Map<string, ArmStyle>) (progress: Progress) (name: string) (title: string) (arms: Arm list) : GenericChart =
        let drawn = [ for arm in arms -> arm, arm.Runs |> List.map (fun run -> run, curve progress name run) |> List.filter (snd >> List.isEmpty >> not) ]
        let hover (who: string) = $"{who}<br>{progress.Title} %%{{x:,.4~r}}: %%{{y:.3f}}<extra></extra>"

        let yAxis =
            if name.EndsWith("map", StringComparison.Ordinal) then
                Theme.scoreAxis title ([ for _, curves in drawn do for _, points in curves do for _, value in points -> value ] |> List.fold max 0.0)
            else Theme.axis title |> LinearAxis.style (RangeMode = StyleParam.RangeMode.ToZero)

        let last = [ for _, curves in drawn do for _, points in curves do for amount, _ in points -> amount ] |> List.fold max 1.0

        let xAxis =
            let axis = Theme.axis progress.Title |> LinearAxis.style (ShowGrid = false, RangeMode = StyleParam.RangeMode.ToZero)
            let step = [ 1; 2; 5; 10; 20; 50; 100; 200; 500 ] |> List.tryFind (fun step -> last <= 10.0 * float step) |> Option.defaultValue 1000
            if progress.Title = epochs.Title then axis |> LinearAxis.style (Tick0 = 0, DTick = step) else axis |> LinearAxis.style (NTicks = 6, ExponentFormat = StyleParam.ExponentFormat.SI)

        [ for arm, curves in drawn do
              let style, label = styles[arm.Label], Theme.plain arm.Label

              if curves.Length > 1 && arms.Length <= mostWithRuns then
                  for run, points in curves do
                      line style 1.0 0.4 (hover $"{label}, {seedOf run}") points

              if not curves.IsEmpty then
                  curves |> List.map snd |> meanCurve |> line style 2.4 1.0 (hover $"{label}, mean of {curves.Length}") ]
        |> finish 320 58 12 [] []
        |> Chart.withXAxis xAxis
        |> Chart.withYAxis yAxis
