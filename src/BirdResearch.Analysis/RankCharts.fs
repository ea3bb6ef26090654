namespace BirdResearch.Analysis

open System
open Plotly.NET
open Plotly.NET.LayoutObjects
open Plotly.NET.TraceObjects
open BirdResearch.Analysis.Marks
open BirdResearch.Analysis.Words

/// Who is ahead of whom, and whether that can be told.
[<RequireQualifiedAccess>]
module RankCharts =
    /// More arms than this leave no room for figures in the cells.
    let private mostWritten = 14

    let private aheads = [ "#e4eff8"; "#b5d3ea"; "#6fabd6"; "#2f86bd" ]

    /// Arms that were scored in a domain, best first.
    let ranked (domain: string) (arms: Arm list) : Arm list =
        arms |> List.filter _.Domains.ContainsKey(domain) |> List.sortBy (fun arm -> -(Arms.map domain arm), arm.Label)

    let private pairOf (comparisons: Comparison list) =
        let found = comparisons |> List.map (fun comparison -> (comparison.Left, comparison.Right), comparison) |> Map

        fun (upper: Arm) (lower: Arm) ->
            found.TryFind(upper.Label, lower.Label) |> Option.orElse (found.TryFind(lower.Label, upper.Label))

    let private told (comparison: Comparison option) = comparison |> Option.exists _.ToldApart

    let private said (upper: Arm) (lower: Arm) (difference: float) (comparison: Comparison option) =
        let head = $"{Theme.plain upper.Label}<br>less {Theme.plain lower.Label}<br><b>{signed difference}</b>"

        match comparison with
        | None -> $"{head}<br>not compared"
        | Some found ->
            let interval =
                match found.Interval with
                | Some interval ->
                    let low, high = if found.Left = upper.Label then interval.Low, interval.High else -interval.High, -interval.Low
                    $", 95 %% interval {signed low} to {signed high}"
                | None -> ""

            let verdict = if found.ToldApart then "told apart" else "not told apart"
            let note = if found.Note = "" then "" else $"<br>{Theme.plain found.Note}"
            $"{head}{interval}<br>p {significant found.P}, corrected for all pairs {significant found.Holm}: {verdict}<br>this design finds differences from {three found.Detectable} on{note}"

    let private intervalMarks (styles: Map<string, ArmStyle>) (domain: string) (rows: Arm list) =
        [ for y, arm in List.indexed rows do
              let result, style = arm.Domains[domain], styles[arm.Label]
              let name = Theme.plain arm.Label

              let interval =
                  match result.Interval with
                  | Some found -> $"<br>95 %% interval {three found.Low} to {three found.High}"
                  | None -> ""

              let mean = markers 1 11 style [ result.Map.Mean, float y, $"{name}<br>mAP {three result.Map.Mean}, {arm.Design}{interval}" ]

              match result.Interval with
              | Some found -> mean |> Trace2DStyle.Scatter(XError = whiskers style.Colour result.Map.Mean found)
              | None -> mean

              [ for run in arm.Runs do
                    let map = Runs.metric "map" domain run
                    if Double.IsFinite map then map, float y + 0.3, $"{name}, {seedOf run}<br>mAP {three map}" ]
              |> markers 1 5 style ]

    let private groupMarks (groups: string list list) (place: Map<string, int>) =
        [ for column, group in List.indexed groups do
              let ys = [ for label in group -> float place[label] ]
              let x = float column
              let style = { Colour = Theme.muted; Symbol = StyleParam.MarkerSymbol.Circle; Dash = StyleParam.DrawingStyle.Solid }
              let text = "not told apart:<br>" + String.Join("<br>", List.map Theme.plain group)
              lineAt style 3.0 [ x, List.min ys; x, List.max ys ] |> Trace2DStyle.Scatter(XAxis = StyleParam.LinearAxisId.X 2)
              markers 2 8 style [ for y in ys -> x, y, text ] ]

    /// Arms of one domain by rank: mean mAP with its interval and every run; what they lack to the best; a bar for each group of arms that are
    /// not told apart; and every pair's difference (row less column), grey where it is not told apart.
    let ranks (styles: Map<string, ArmStyle>) (domain: string) (comparisons: Comparison list) (arms: Arm list) : GenericChart =
        let rows = ranked domain arms
        let count = rows.Length
        let pair = pairOf comparisons
        let place = rows |> List.mapi (fun index arm -> arm.Label, index) |> Map
        let groups = Comparisons.groups comparisons rows |> List.filter (fun group -> group.Length > 1)
        let difference (upper: Arm) (lower: Arm) = Arms.map domain upper - Arms.map domain lower
        let best = rows.Head
        let panel, values, lacks, groupsFrom, groupsTo, matrix = 0.33, 0.34, 0.465, 0.55, 0.66, 0.69

        let texts =
            [ above values 12.0 Theme.muted "mean ± sd"
              above lacks 12.0 Theme.muted "to best"
              above groupsFrom 12.0 Theme.muted "groups"
              above matrix 12.0 Theme.muted "row less column"
              above 0.0 13.0 Theme.ink $"<b>{Charts.domainTitle domain}</b>"
              for y, arm in List.indexed rows do
                  let map = arm.Domains[domain].Map
                  let spread = if Double.IsNaN map.Deviation then "" else $" <span style='color:{Theme.muted}'>± {three map.Deviation}</span>"
                  beside values (float y) Theme.ink (three map.Mean + spread)

                  if y > 0 then
                      let apart = told (pair best arm)
                      let text = signed -(difference best arm)
                      beside lacks (float y) (if apart then Theme.ink else Theme.line) (if apart then $"<b>{text}</b>" else text) ]

        let cell (wanted: bool) (row: int, upper: Arm) (column: int, lower: Arm) =
            if column > row && told (pair upper lower) = wanted then difference upper lower else nan

        let cells wanted = [ for upper in List.indexed rows -> [ for lower in List.indexed rows -> cell wanted upper lower ] ]

        let hovers =
            [ for row, upper in List.indexed rows ->
                  [ for column, lower in List.indexed rows -> if column > row then said upper lower (difference upper lower) (pair upper lower) else "" ] ]

        let text (value: float) = if Double.IsNaN value || count > mostWritten then "" else (two value).Replace("0.", ".")
        let reach = [ for row in cells true do yield! row ] |> List.filter Double.IsFinite |> List.fold max 0.05
        let height = max 220 ((if count > 30 then 22 else 30) * count + 96)

        [ yield! intervalMarks styles domain rows
          yield! groupMarks groups place
          grid 3 true (0.0, 1.0) [ "#eceff2"; "#eceff2" ] text (cells false) hovers
          grid 3 true (0.0, reach) aheads text (cells true) hovers ]
        |> finish height (rows |> List.mapi (fun index arm -> $"{index + 1}  {arm.Label}") |> labelWidth) 34 texts []
        |> Chart.withYAxis (
            namedAxis "" [ for index, arm in List.indexed rows -> $"{arm.Label}  {index + 1}" ]
            |> LinearAxis.style (Range = StyleParam.Range.MinMax(float count - 0.4, -0.6))
        )
        |> Chart.withXAxis (Theme.scoreAxis "macro mAP" (Charts.highest domain rows) |> LinearAxis.style (Domain = StyleParam.Range.MinMax(0.0, panel)), Id = StyleParam.SubPlotId.XAxis 1)
        |> Chart.withXAxis (
            namedAxis "" []
            |> LinearAxis.style (
                Domain = StyleParam.Range.MinMax(groupsFrom, groupsTo),
                Range = StyleParam.Range.MinMax(-0.7, max 3.0 (float groups.Length)),
                ShowLine = false,
                ShowTickLabels = false
            ),
            Id = StyleParam.SubPlotId.XAxis 2
        )
        |> Chart.withXAxis (
            namedAxis "" [ for index in 1..count -> string index ]
            |> LinearAxis.style (Domain = StyleParam.Range.MinMax(matrix, 1.0), Range = StyleParam.Range.MinMax(-0.5, float count - 0.5), ShowLine = false),
            Id = StyleParam.SubPlotId.XAxis 3
        )

    /// What an arm stands at under one budget.
    let private standing (budget: string) (domain: string) (rank: int) (arm: Arm) (price: string) =
        let result = arm.Domains[domain]

        let interval =
            match result.Interval with
            | Some found -> $", 95 %% interval {three found.Low} to {three found.High}"
            | None -> ""

        $"{Theme.plain arm.Label}<br>{Theme.plain budget}: rank {rank}, mAP {three result.Map.Mean}{interval}<br>{Theme.plain price}"

    /// The rank of each arm under each budget, joined by a line. Filled: not told apart from the best under that budget. Budgets are given with
    /// their arms and comparisons; price tells what an arm cost there.
    let underBudgets (styles: Map<string, ArmStyle>) (domain: string) (price: Arm -> string) (budgets: (string * Arm list * Comparison list) list) : GenericChart =
        let standings = [ for column, (budget, arms, comparisons) in List.indexed budgets -> column, budget, ranked domain arms, pairOf comparisons ]
        let labels = [ for _, _, rows, _ in standings do for arm in rows -> arm.Label ] |> List.distinct
        let most = [ for _, _, rows, _ in standings -> rows.Length ] |> List.fold max 1
        let last = budgets.Length - 1
        // The page is about 1,100 pixels wide.
        let share = Math.Clamp(1.0 - float (labelWidth [ for label in labels -> label + "   0.000" ]) / 1040.0, 0.45, 0.8)

        let points (label: string) =
            [ for column, budget, rows, pair in standings do
                  match rows |> List.tryFindIndex (fun arm -> arm.Label = label) with
                  | Some index -> column, budget, index + 1, rows[index], index = 0 || not (told (pair rows.Head rows[index]))
                  | None -> () ]

        let names =
            [ for label in labels do
                  match points label |> List.tryLast with
                  | Some(column, _, rank, arm, _) when column = last -> beside (share + 0.012) (float rank) Theme.ink $"{Theme.plain label}  <span style='color:{Theme.muted}'>{three (Arms.map domain arm)}</span>"
                  | _ -> () ]

        [ for label in labels do
              let style = styles[label]
              lineAt style 2.2 [ for column, _, rank, _, _ in points label -> float column, float rank ]

              for isFirst in [ true; false ] do
                  let own = points label |> List.filter (fun (_, _, _, _, first) -> first = isFirst)
                  let symbol = if isFirst then style.Symbol else StyleParam.MarkerSymbol.Modified(style.Symbol, StyleParam.SymbolStyle.Open)
                  [ for column, budget, rank, arm, _ in own -> float column, float rank, standing budget domain rank arm (price arm) ]
                  |> markers 1 13 { style with Symbol = symbol } ]
        |> finish (30 * most + 110) 44 34 (above 0.0 13.0 Theme.ink $"<b>{Charts.domainTitle domain}</b>" :: names) []
        |> Chart.withXAxis (
            namedAxis "" [ for budget, _, _ in budgets -> budget ]
            |> LinearAxis.style (
                Domain = StyleParam.Range.MinMax(0.0, share), Range = StyleParam.Range.MinMax(-0.25, float last + 0.25), ShowGrid = true, ShowLine = false, TickFont = Theme.font 12.0 Theme.ink)
        )
        |> Chart.withYAxis (
            Theme.axis "rank" |> LinearAxis.style (Range = StyleParam.Range.MinMax(float most + 0.6, 0.4), Tick0 = 1, DTick = 1, ShowGrid = false, ShowLine = false)
        )
