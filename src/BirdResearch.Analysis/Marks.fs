namespace BirdResearch.Analysis

open System
open Plotly.NET
open Plotly.NET.LayoutObjects
open Plotly.NET.TraceObjects

/// The marks that the figures are put together from. Axes are numbered from 1 as plotly numbers them.
module internal Marks =
    /// Which run a marker is.
    let seedOf (run: Run) = $"seed {run.Record.Trial.Seed}, fold {run.Record.Trial.Fold.GetValueOrDefault()}"

    /// A marker of one arm's style at each (x, y, text on hovering).
    let markers (xAxis: int) (size: int) (style: ArmStyle) (points: (float * float * string) list) =
        Trace2D.initScatter (
            Trace2DStyle.Scatter(
                X = [ for x, _, _ in points -> x ],
                Y = [ for _, y, _ in points -> y ],
                Mode = StyleParam.Mode.Markers,
                MultiText = [ for _, _, text in points -> text ],
                HoverTemplate = "%{text}<extra></extra>",
                XAxis = StyleParam.LinearAxisId.X xAxis,
                YAxis = StyleParam.LinearAxisId.Y 1,
                ClipOnAxis = false,
                Marker =
                    Marker.init (
                        Size = size,
                        Color = Theme.colour style.Colour,
                        Symbol = style.Symbol,
                        Outline = Line.init (Color = Theme.colour "#ffffff", Width = 1.0)
                    )
            )
        )

    /// A horizontal bar from 0.
    let bar (xAxis: int) (style: ArmStyle) (length: float) (y: float) (hover: string) =
        Trace2D.initBar (
            Trace2DStyle.Bar(
                X = [ length ],
                Y = [ y ],
                Width = 0.62,
                Orientation = StyleParam.Orientation.Horizontal,
                XAxis = StyleParam.LinearAxisId.X xAxis,
                YAxis = StyleParam.LinearAxisId.Y 1,
                HoverTemplate = hover + "<extra></extra>",
                Marker =
                    Marker.init (
                        Color = Theme.colour (Theme.tint 0.28 style.Colour),
                        Outline = Line.init (Color = Theme.colour style.Colour, Width = 1.0)
                    )
            )
        )

    /// An interval as plotly draws errors: its arms from the middle.
    let whiskers (colour: string) (middle: float) (interval: Interval) =
        Error.init (
            Symmetric = false,
            Array = [ interval.High - middle ],
            Arrayminus = [ middle - interval.Low ],
            Color = Theme.colour colour,
            Thickness = 1.4,
            Width = 4.0
        )

    /// A horizontal interval without a mark in its middle.
    let span (xAxis: int) (middle: float) (y: float) (interval: Interval) =
        Trace2D.initScatter (
            Trace2DStyle.Scatter(
                X = [ middle ],
                Y = [ y ],
                Mode = StyleParam.Mode.Markers,
                XAxis = StyleParam.LinearAxisId.X xAxis,
                YAxis = StyleParam.LinearAxisId.Y 1,
                HoverInfo = StyleParam.HoverInfo.Skip,
                Marker = Marker.init (Size = 1, Color = Theme.colour Theme.ink),
                XError = whiskers Theme.ink middle interval
            )
        )

    /// A line through (x, y).
    let line (style: ArmStyle) (width: float) (opacity: float) (hover: string) (points: (float * float) list) =
        Trace2D.initScatter (
            Trace2DStyle.Scatter(
                X = List.map fst points,
                Y = List.map snd points,
                Mode = StyleParam.Mode.Lines,
                Opacity = opacity,
                Line = Line.init (Color = Theme.colour style.Colour, Width = width, Dash = style.Dash),
                HoverTemplate = hover
            )
        )

    /// A line through (x, y) of any numbers, that says nothing on hovering.
    let lineAt (style: ArmStyle) (width: float) (points: (float * float) list) =
        Trace2D.initScatter (
            Trace2DStyle.Scatter(
                X = List.map fst points,
                Y = List.map snd points,
                Mode = StyleParam.Mode.Lines,
                Line = Line.init (Color = Theme.colour style.Colour, Width = width, Dash = style.Dash),
                HoverInfo = StyleParam.HoverInfo.Skip
            )
        )

    let private written (x: float) (y: float, yRef: string) (anchor: StyleParam.YAnchorPosition) (size: float) (ink: string) text =
        Annotation.init (
            X = x,
            XRef = "paper",
            Y = y,
            YRef = yRef,
            Text = text,
            ShowArrow = false,
            Font = Theme.font size ink,
            XAnchor = StyleParam.XAnchorPosition.Left,
            YAnchor = anchor
        )

    /// Text above the panels, beginning at a share of the figure's width.
    let above (x: float) (size: float) (ink: string) (text: string) =
        written x (1.0, "paper") StyleParam.YAnchorPosition.Bottom size ink text

    /// Text beside a row, beginning at a share of the figure's width.
    let beside (x: float) (row: float) (ink: string) (text: string) =
        written x (row, "y") StyleParam.YAnchorPosition.Middle 12.0 ink text

    let private stroke (line: Line) (x0: float, x1: float) (xRef: string) (y0: float, y1: float) (yRef: string) =
        Shape.init (
            ShapeType = StyleParam.ShapeType.Line,
            X0 = x0,
            X1 = x1,
            Xref = xRef,
            Y0 = y0,
            Y1 = y1,
            Yref = yRef,
            Layer = StyleParam.Layer.Below,
            Line = line
        )

    let private xRef (xAxis: int) = if xAxis = 1 then "x" else $"x{xAxis}"

    /// A dotted line over a panel's whole height.
    let upright (xAxis: int) (x: float) =
        let dotted = Line.init (Color = Theme.colour Theme.muted, Width = 1.2, Dash = StyleParam.DrawingStyle.Dot)
        stroke dotted (x, x) (xRef xAxis) (0.0, 1.0) "paper"

    /// A broad line along a row.
    let bracket (colour: string) (low: float, high: float) (row: float) =
        let broad = Line.init (Color = Theme.colour (Theme.tint 0.45 colour), Width = 3.0)
        stroke broad (low, high) "x" (row, row) "y"

    /// Round numbers between two positive ones, a handful of them.
    let private roundBetween (low: float) (high: float) =
        let ratio = high / low

        let steps =
            if ratio > 200.0 then [ 1.0 ]
            elif ratio > 9.0 then [ 1.0; 2.0; 5.0 ]
            elif ratio > 4.0 then [ 1.0; 2.0; 3.0; 5.0; 7.0 ]
            elif ratio > 2.6 then [ 1.0..9.0 ]
            else [ 1.0..0.5..9.5 ]

        [ for decade in floor (log10 low) .. ceil (log10 high) do
              for step in steps do
                  let tick = step * Math.Pow(10.0, decade)
                  if low <= tick && tick <= high then tick ]

    /// A logarithmic axis over positive values, with round numbers at its ticks, written as told.
    let logAxisOf (tick: float -> string) (title: string) (values: float list) =
        let low, high = if values.IsEmpty then 1.0, 10.0 else List.min values / 1.5, List.max values * 1.5
        let ticks = roundBetween low high

        Theme.axis title
        |> LinearAxis.style (
            AxisType = StyleParam.AxisType.Log,
            Range = StyleParam.Range.MinMax(log10 low, log10 high),
            TickMode = StyleParam.TickMode.Array,
            TickVals = ticks,
            TickText = List.map tick ticks,
            TickAngle = 0
        )

    /// A logarithmic axis over positive values.
    let logAxis (title: string) (values: float list) = logAxisOf Words.short title values

    /// An axis whose whole numbers from 0 on have names.
    let namedAxis (title: string) (names: string list) =
        Theme.axis title
        |> LinearAxis.style (
            TickMode = StyleParam.TickMode.Array,
            TickVals = [ 0 .. names.Length - 1 ],
            TickText = List.map Theme.plain names,
            TickFont = Theme.font 11.0 Theme.ink,
            Ticks = StyleParam.TickOptions.Empty,
            ShowGrid = false
        )

    /// A coloured cell for each value with its text, rows from top to bottom; nan stays blank. The scale goes from low to high over the colours.
    let grid (xAxis: int) (shown: bool) (low: float, high: float) (colours: string list) (text: float -> string) (values: float list list) (hovers: string list list) =
        let steps = float (colours.Length - 1)

        let trace =
            Trace2D.initHeatmap (
                Trace2DStyle.Heatmap(
                    Visible = (if shown then StyleParam.Visible.True else StyleParam.Visible.False),
                    Z = [ for row in values -> [ for value in row -> Math.Round(value, 4) ] ],
                    TextTemplate = "%{text}",
                    TextFont = Theme.font 10.0 Theme.ink,
                    HoverTemplate = "%{customdata}<extra></extra>",
                    XGap = 1,
                    YGap = 1,
                    ZMin = low,
                    ZMax = high,
                    ShowScale = false,
                    HoverOnGaps = false,
                    ColorScale = StyleParam.Colorscale.Custom [ for index, name in List.indexed colours -> float index / steps, Theme.colour name ],
                    XAxis = StyleParam.LinearAxisId.X xAxis,
                    YAxis = StyleParam.LinearAxisId.Y 1
                )
            )

        // Plotly.NET takes one text for all cells here, plotly.js one for each.
        trace.SetProperty("text", [ for row in values -> [ for value in row -> text value ] ])
        trace.SetProperty("customdata", hovers)
        trace

    /// Places for labels as near to where they belong as a gap between them allows (least squares, by pooling adjacent violators), within limits
    /// where there is room; in the order given.
    let apart (gap: float) (low: float, high: float) (wanted: float list) : float list =
        let order = wanted |> List.indexed |> List.sortBy snd

        // Less their place in the row, labels must not fall; pools of them that would, share their mean.
        let pools =
            order
            |> List.mapi (fun place (_, want) -> want - gap * float place)
            |> List.fold
                (fun pools free ->
                    let rec join pool =
                        function
                        | (sum, count) :: before when sum / float count > fst pool / float (snd pool) -> join (sum + fst pool, count + snd pool) before
                        | before -> pool :: before

                    join (free, 1) pools)
                []
            |> List.rev

        let room = max low (high - gap * float (wanted.Length - 1))

        pools
        |> List.collect (fun (sum, count) -> List.replicate count (sum / float count))
        |> List.mapi2 (fun place (index, _) free -> index, min room (max low free) + gap * float place) order
        |> List.sortBy fst
        |> List.map snd

    /// Rows of a chart from top to bottom, one per arm, a little apart where the model changes.
    let rowsOf (arms: Arm list) =
        arms
        |> List.mapFold
            (fun (y, previous) arm ->
                let here = if previous = "" || previous = arm.Model then y else y + 0.35
                (arm, here), (here + 1.0, arm.Model))
            (0.0, "")
        |> fst

    /// Height in pixels of so many rows, with room for titles and the lower axis.
    let heightOf (rows: (Arm * float) list) (each: float) = int (each * ((List.last rows |> snd) + 1.2)) + 86

    /// The axis that names the rows.
    let rowAxis (rows: (Arm * float) list) =
        let label (arm: Arm) =
            let second = if arm.Distinction = "" then arm.FrontEnd else $"{arm.FrontEnd} · {arm.Distinction}"
            $"<b>{Theme.plain arm.Model}</b><br>{Theme.plain second}"

        Theme.axis ""
        |> LinearAxis.style (
            TickMode = StyleParam.TickMode.Array,
            TickVals = [ for _, y in rows -> y ],
            TickText = [ for arm, _ in rows -> label arm ],
            TickFont = Theme.font 12.0 Theme.ink,
            Ticks = StyleParam.TickOptions.Empty,
            ShowGrid = false,
            Range = StyleParam.Range.MinMax((List.last rows |> snd) + 0.6, -0.6)
        )

    /// Width in pixels that row labels need, from their longest line.
    let labelWidth (lines: string seq) =
        16 + int (6.4 * float (lines |> Seq.map String.length |> Seq.append [ 12 ] |> Seq.max))

    /// Width in pixels that the names of arms need in two lines.
    let armLabelWidth (arms: Arm list) =
        arms |> List.collect (fun arm -> [ arm.Model; $"{arm.FrontEnd}   {arm.Distinction}".TrimEnd() ]) |> labelWidth

    /// Left and right edges of so many panels side by side, each with the given share of its place, the rest for a column of figures.
    let panels (count: int) (share: float) =
        [ for index in 0 .. count - 1 -> float index / float count, (float index + share) / float count ]

    /// Puts an axis from 0 to 1 below each panel.
    let withUnitAxes (title: string) (edges: (float * float) list) (chart: GenericChart) =
        List.indexed edges
        |> List.fold
            (fun chart (index, (left, right)) ->
                let axis = Theme.unitAxis title |> LinearAxis.style (Domain = StyleParam.Range.MinMax(left, right))
                chart |> Chart.withXAxis (axis, Id = StyleParam.SubPlotId.XAxis(index + 1)))
            chart

    /// Traces, annotations and shapes as a chart in the house style; height, left and upper margin in pixels.
    let finish (height: int) (left: int) (top: int) (annotations: Annotation seq) (shapes: Shape seq) (traces: Trace2D seq) =
        GenericChart.ofTraceObjects false [ for trace in traces -> trace :> Trace ]
        |> Theme.apply height left 12 top 52
        |> Chart.withAnnotations annotations
        |> Chart.withShapes shapes
