namespace BirdResearch.Analysis

open System
open System.Globalization
open Deedle
open Plotly.NET
open Plotly.NET.LayoutObjects
open Plotly.NET.TraceObjects
open BirdResearch.Analysis.Marks

/// Figures. Each takes data and returns a chart; none reads a file or shows anything.
[<RequireQualifiedAccess>]
module Charts =
    /// A domain in words.
    let domainName (domain: string) =
        match domain with
        | "train" -> "training recordings"
        | "focal" -> "focal validation"
        | "soundscape" -> "soundscape test"
        | other -> other

    /// A domain as the head of a panel or a table.
    let domainTitle (domain: string) =
        let name = domainName domain
        string (Char.ToUpperInvariant name[0]) + name[1..]

    /// Mean mAP by arm as bars, every run as a dot, the interval as a line, what guessing reaches as a dotted line; one panel per domain.
    let comparison (styles: Map<string, ArmStyle>) (domains: string list) (arms: Arm list) : GenericChart =
        let rows = rowsOf arms
        let edges = domains |> List.mapi (fun index _ -> panel domains.Length index (if domains.Length > 1 then 0.69 else 0.84))

        let traces (index: int) (domain: string) =
            [ for arm, y in rows do
                  match arm.Domains.TryFind domain with
                  | None -> ()
                  | Some result ->
                      let style = styles[arm.Label]

                      let interval =
                          match result.Interval with
                          | Some interval -> $"<br>95 %% interval {three interval.Low} to {three interval.High} over {interval.Recordings} recordings"
                          | None -> $"<br>no interval: {Theme.plain result.NoInterval}"

                      Trace2D.initBar (
                          Trace2DStyle.Bar(
                              X = [ result.Map.Mean ], Y = [ y ], Width = 0.62, Orientation = StyleParam.Orientation.Horizontal,
                              XAxis = StyleParam.LinearAxisId.X(index + 1), YAxis = StyleParam.LinearAxisId.Y 1,
                              HoverTemplate = $"{Theme.plain arm.Label}<br>mAP {three result.Map.Mean}, {arm.Design}{interval}<extra></extra>",
                              Marker =
                                  Marker.init (
                                      Color = Theme.colour (Theme.tint 0.28 style.Colour),
                                      Outline = Line.init (Color = Theme.colour style.Colour, Width = 1.0)
                                  )
                          )
                      )

                      match result.Interval with
                      | Some interval ->
                          Trace2D.initScatter (
                              Trace2DStyle.Scatter(
                                  X = [ result.Map.Mean ], Y = [ y - 0.13 ], Mode = StyleParam.Mode.Markers,
                                  XAxis = StyleParam.LinearAxisId.X(index + 1), YAxis = StyleParam.LinearAxisId.Y 1,
                                  HoverInfo = StyleParam.HoverInfo.Skip,
                                  Marker = Marker.init (Size = 1, Color = Theme.colour Theme.ink),
                                  XError =
                                      Error.init (
                                          Symmetric = false, Array = [ interval.High - result.Map.Mean ], Arrayminus = [ result.Map.Mean - interval.Low ],
                                          Color = Theme.colour Theme.ink, Thickness = 1.4, Width = 5.0
                                      )
                              )
                          )
                      | None -> ()

                      let scored = arm.Runs |> List.filter (fun run -> not (Double.IsNaN(Runs.metric "map" domain run)))
                      let spreadOut number = if scored.Length < 2 then 0.0 else 0.07 * (2.0 * float number / float (scored.Length - 1) - 1.0)

                      scored
                      |> List.mapi (fun number run ->
                          let map = Runs.metric "map" domain run
                          map, y + 0.14 + spreadOut number, $"{Theme.plain arm.Label}, {seedOf run}<br>mAP {three map}")
                      |> markers (index + 1) 8 style ]

        let figures =
            [ for index, domain in List.indexed domains do
                  let left, right = edges[index]
                  note left "paper" 1.0 "paper" StyleParam.XAnchorPosition.Left 13.0 Theme.ink $"<b>{domainTitle domain}</b>"

                  for arm, y in rows do
                      match arm.Domains.TryFind domain with
                      | Some result ->
                          let spread = if Double.IsNaN result.Map.Deviation then "" else $" <span style='color:{Theme.muted}'>± {three result.Map.Deviation}</span>"
                          note (right + 0.008) "paper" y "y" StyleParam.XAnchorPosition.Left 12.0 Theme.ink $"{three result.Map.Mean}{spread}"
                      | None -> note (right + 0.008) "paper" y "y" StyleParam.XAnchorPosition.Left 12.0 Theme.muted "not scored" ]

        let guessing =
            [ for index, domain in List.indexed domains do
                  let chance = arms |> Seq.choose (fun arm -> arm.Domains.TryFind domain) |> Seq.map _.Chance |> Seq.filter (Double.IsNaN >> not)
                  if not (Seq.isEmpty chance) then
                      let at = Seq.average chance
                      stroke Theme.muted 1.2 StyleParam.DrawingStyle.Dot (at, at) (xRef index) (0.0, 1.0) "paper" ]

        domains
        |> List.indexed
        |> List.collect (fun (index, domain) -> traces index domain)
        |> finish (int (50.0 * ((List.last rows |> snd) + 1.2)) + 86) (armLabelWidth arms) 34 figures guessing
        |> Chart.withYAxis (rowAxis rows)
        |> fun chart ->
            List.indexed edges |> List.fold (fun chart (index, edge) -> chart |> Chart.withXAxis (unitPanel "macro mAP" edge, Id = xId index)) chart

    /// Train, focal validation and soundscape mAP of each arm on one line, and the over-fitting gap in figures.
    let overfitting (styles: Map<string, ArmStyle>) (arms: Arm list) : GenericChart =
        let rows = rowsOf arms

        let marker (domain: string) (symbol: StyleParam.MarkerSymbol) (hollow: bool) =
            let points = rows |> List.filter (fun (arm, _) -> arm.Domains.ContainsKey domain)

            Trace2D.initScatter (
                Trace2DStyle.Scatter(
                    Name = domainTitle domain,
                    ShowLegend = true,
                    X = [ for arm, _ in points -> Arms.map domain arm ],
                    Y = [ for _, y in points -> y ],
                    Mode = StyleParam.Mode.Markers,
                    MultiText = [ for arm, _ in points -> $"{Theme.plain arm.Label}<br>{domainName domain} mAP {three (Arms.map domain arm)}" ],
                    HoverTemplate = "%{text}<extra></extra>",
                    ClipOnAxis = false,
                    Marker =
                        Marker.init (
                            Size = 12,
                            Symbol = symbol,
                            Color = (if hollow then Theme.colour "#ffffff" else Color.fromColors [ for arm, _ in points -> Theme.colour styles[arm.Label].Colour ]),
                            Outline = Line.init (Color = Color.fromColors [ for arm, _ in points -> Theme.colour styles[arm.Label].Colour ], Width = 2.0)
                        )
                )
            )

        let brackets =
            [ for arm, y in rows do
                  let known = arm.Domains |> Map.toList |> List.map (fun (_, result) -> result.Map.Mean)
                  if not known.IsEmpty then
                      stroke (Theme.tint 0.45 styles[arm.Label].Colour) 3.0 StyleParam.DrawingStyle.Solid (List.min known, List.max known) "x" (y, y) "y" ]

        let gaps =
            note 0.845 "paper" 1.0 "paper" StyleParam.XAnchorPosition.Left 12.0 Theme.muted "train − validation"
            :: [ for arm, y in rows do
                     let gap = Arms.overfittingGap arm
                     note 0.845 "paper" y "y" StyleParam.XAnchorPosition.Left 12.0 Theme.ink (if Double.IsNaN gap then "not measured" else gap.ToString("+0.000;−0.000", CultureInfo.InvariantCulture)) ]

        [ marker "train" StyleParam.MarkerSymbol.Circle true
          marker "focal" StyleParam.MarkerSymbol.Circle false
          marker "soundscape" StyleParam.MarkerSymbol.Diamond false ]
        |> finish (int (40.0 * ((List.last rows |> snd) + 1.2)) + 86) (armLabelWidth arms) 34 gaps brackets
        |> Chart.withYAxis (rowAxis rows)
        |> Chart.withXAxis (unitPanel "macro mAP" (0.0, 0.83))

    /// One column of epochs.csv over the epochs: the mean of an arm's runs as a line, each run thin.
    let learningCurves (styles: Map<string, ArmStyle>) (column: string) (title: string) (arms: Arm list) : GenericChart =
        let curve (run: Run) =
            match run.Epochs.TryGetColumn<float>(column, Lookup.Exact) with
            | found when found.HasValue -> found.Value.Observations |> Seq.map (fun point -> point.Key, point.Value) |> List.ofSeq
            | _ -> []

        let line (style: ArmStyle) (width: float) (opacity: float) (hover: string) (points: (int * float) list) =
            Trace2D.initScatter (
                Trace2DStyle.Scatter(
                    X = List.map fst points, Y = List.map snd points, Mode = StyleParam.Mode.Lines, Opacity = opacity,
                    Line = Line.init (Color = Theme.colour style.Colour, Width = width, Dash = style.Dash),
                    HoverTemplate = hover + "<br>epoch %{x}: %{y:.3f}<extra></extra>"
                )
            )

        let traces =
            [ for arm in arms do
                  let style = styles[arm.Label]
                  let curves = arm.Runs |> List.map (fun run -> run, curve run) |> List.filter (fun (_, points) -> not points.IsEmpty)

                  if curves.Length > 1 then
                      for run, points in curves do
                          line style 1.0 0.4 $"{Theme.plain arm.Label}, {seedOf run}" points

                  if not curves.IsEmpty then
                      curves
                      |> List.collect snd
                      |> List.groupBy fst
                      |> List.filter (fun (_, values) -> values.Length = curves.Length)
                      |> List.map (fun (epoch, values) -> epoch, values |> List.averageBy snd)
                      |> List.sortBy fst
                      |> line style 2.4 1.0 $"{Theme.plain arm.Label}, mean of {curves.Length}" ]

        let yAxis =
            if column.EndsWith("map", StringComparison.Ordinal) then Theme.unitAxis title
            else Theme.axis title |> LinearAxis.style (RangeMode = StyleParam.RangeMode.ToZero)

        traces
        |> finish 320 58 12 [] []
        |> Chart.withXAxis (Theme.axis "epoch" |> LinearAxis.style (ShowGrid = false))
        |> Chart.withYAxis yAxis

    /// The species that a chart of at most so many rows shows: all, or the lowest and the highest half of it.
    let speciesShown (limit: int) (sorted: 'a list) =
        if sorted.Length <= limit then sorted
        else List.take (limit / 2) sorted @ List.skip (sorted.Length - limit / 2) sorted

    /// Average precision of one class in one domain, mean over an arm's runs; nan where the class has no positives.
    let classPrecision (domain: string) (label: string) (arm: Arm) =
        arm.Runs
        |> Seq.map (fun run ->
            run.Classes.TryGetColumn<float>($"{domain}_ap", Lookup.Exact)
            |> OptionalValue.asOption
            |> Option.bind (Series.tryGet label)
            |> Option.defaultValue nan)
        |> Statistics.spread
        |> _.Mean

    /// Average precision by species, lowest first, a marker per arm; one panel per domain. Labels are (class, text on the axis).
    let perSpecies (styles: Map<string, ArmStyle>) (domains: string list) (labels: (string * string) list) (arms: Arm list) : GenericChart =
        let count = labels.Length
        let edges = domains |> List.mapi (fun index _ -> panel domains.Length index (if domains.Length > 1 then 0.92 else 1.0))

        let traces =
            [ for index, _ in List.indexed domains do
                  for arm in arms do
                      [ for row, (label, text) in List.indexed labels do
                            let precision = classPrecision domains[index] label arm
                            if not (Double.IsNaN precision) then
                                precision, float row, $"{Theme.plain text}<br>{Theme.plain arm.Label}<br>AP {three precision}" ]
                      |> markers (index + 1) 9 styles[arm.Label] ]

        let titles =
            [ for index, domain in List.indexed domains ->
                  note (fst edges[index]) "paper" 1.0 "paper" StyleParam.XAnchorPosition.Left 13.0 Theme.ink $"<b>{domainTitle domain}</b>" ]

        let yAxis =
            Theme.axis ""
            |> LinearAxis.style (
                TickMode = StyleParam.TickMode.Array,
                TickVals = [ 0 .. count - 1 ],
                TickText = [ for _, text in labels -> Theme.plain text ],
                TickFont = Theme.font 11.5 Theme.ink,
                Ticks = StyleParam.TickOptions.Empty,
                Range = StyleParam.Range.MinMax(float count - 0.4, -0.6)
            )

        traces
        |> finish (21 * count + 92) (labels |> List.map snd |> labelWidth) 34 titles []
        |> Chart.withYAxis yAxis
        |> fun chart ->
            List.indexed edges |> List.fold (fun chart (index, edge) -> chart |> Chart.withXAxis (unitPanel "average precision" edge, Id = xId index)) chart

    /// mAP in one domain against a cost on a logarithmic axis: a marker per arm with its interval, small dots per run.
    let scoreAgainst (styles: Map<string, ArmStyle>) (domain: string) (title: string) (cost: Run -> float) (arms: Arm list) : GenericChart =
        let shown = arms |> List.filter (fun arm -> arm.Domains.ContainsKey domain && arm.Mean cost > 0.0)

        let traces =
            [ for arm in shown do
                  let style, result = styles[arm.Label], arm.Domains[domain]

                  [ for run in arm.Runs do
                        let map = Runs.metric "map" domain run
                        if not (Double.IsNaN map) then
                            cost run, map, $"{Theme.plain arm.Label}, {seedOf run}<br>mAP {three map}" ]
                  |> markers 1 5 style

                  let error =
                      match result.Interval with
                      | Some interval ->
                          Error.init (
                              Symmetric = false, Array = [ interval.High - result.Map.Mean ], Arrayminus = [ result.Map.Mean - interval.Low ],
                              Color = Theme.colour style.Colour, Thickness = 1.3, Width = 4.0
                          )
                      | None -> Error.init (Visible = false)

                  markers 1 12 style [ arm.Mean cost, result.Map.Mean, $"{Theme.plain arm.Label}<br>mAP {three result.Map.Mean}" ]
                  |> Trace2DStyle.Scatter(YError = error) ]

        let costs = shown |> List.collect (fun arm -> arm.Runs |> List.map cost) |> List.filter (fun value -> value > 0.0)
        let low, high = if costs.IsEmpty then 1.0, 10.0 else List.min costs / 1.5, List.max costs * 1.5
        let steps = if high / low > 20.0 then [ 1.0; 2.0; 5.0 ] elif high / low > 3.0 then [ 1.0; 2.0; 3.0; 5.0; 7.0 ] else [ 1.0 .. 0.5 .. 9.5 ]

        let ticks =
            [ for decade in floor (log10 low) .. ceil (log10 high) do
                  for step in steps do
                      let tick = step * Math.Pow(10.0, decade)
                      if low <= tick && tick <= high then tick ]

        traces
        |> finish 340 58 12 [] []
        |> Chart.withXAxis (
            Theme.axis title
            |> LinearAxis.style (
                AxisType = StyleParam.AxisType.Log, Range = StyleParam.Range.MinMax(log10 low, log10 high),
                TickMode = StyleParam.TickMode.Array, TickVals = ticks, TickText = [ for tick in ticks -> Words.short tick ]
            )
        )
        |> Chart.withYAxis (Theme.unitAxis $"{domainName domain} mAP")

    /// One column per model, one colour per front-end, height = mean metric: a quick look in a notebook, of what Runs.meanOf gives.
    let groupedColumns (title: string) (means: Series<string * string, float>) : GenericChart =
        let cells = Series.observations means |> List.ofSeq
        let styles = cells |> List.map (fst >> snd) |> Theme.styles

        cells
        |> List.groupBy (fun ((_, frontEnd), _) -> frontEnd)
        |> List.map (fun (frontEnd, cells) ->
            Trace2D.initBar (
                Trace2DStyle.Bar(
                    Name = Theme.plain frontEnd, ShowLegend = true,
                    X = [ for (model, _), _ in cells -> Theme.plain model ],
                    Y = [ for _, value in cells -> value ],
                    MultiText = [ for _, value in cells -> two value ],
                    TextPosition = StyleParam.TextPosition.Outside,
                    Marker = Marker.init (Color = Theme.colour styles[frontEnd].Colour)
                )
            )
            :> Trace)
        |> GenericChart.ofTraceObjects false
        |> Theme.apply 420 58 12 64 60
        |> Chart.withLayout (Layout.init (BarMode = StyleParam.BarMode.Group, ShowLegend = true, Title = Title.init (Text = Theme.plain title)))
        |> Chart.withYAxis (Theme.unitAxis "")
