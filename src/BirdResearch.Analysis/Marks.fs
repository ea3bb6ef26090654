namespace BirdResearch.Analysis

open System
open System.Globalization
open Plotly.NET
open Plotly.NET.LayoutObjects
open Plotly.NET.TraceObjects

/// The marks that the figures are put together from.
module internal Marks =
    /// Two digits behind the point, for labels.
    let two (value: float) = value.ToString("0.00", CultureInfo.InvariantCulture)
    let three (value: float) = value.ToString("0.000", CultureInfo.InvariantCulture)

    let seedOf (run: Run) = $"seed {run.Record.Trial.Seed}, fold {run.Record.Trial.Fold.GetValueOrDefault()}"

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

    let note (x: float) (xRef: string) (y: float) (yRef: string) (anchor: StyleParam.XAnchorPosition) (size: float) (ink: string) (text: string) =
        Annotation.init (
            X = x, XRef = xRef, Y = y, YRef = yRef, Text = text, ShowArrow = false, Font = Theme.font size ink,
            XAnchor = anchor, YAnchor = (if yRef = "paper" then StyleParam.YAnchorPosition.Bottom else StyleParam.YAnchorPosition.Middle)
        )

    let stroke (colour: string) (width: float) (dash: StyleParam.DrawingStyle) (x0: float, x1: float) (xRef: string) (y0: float, y1: float) (yRef: string) =
        Shape.init (
            ShapeType = StyleParam.ShapeType.Line, X0 = x0, X1 = x1, Xref = xRef, Y0 = y0, Y1 = y1, Yref = yRef,
            Layer = StyleParam.Layer.Below, Line = Line.init (Color = Theme.colour colour, Width = width, Dash = dash)
        )

    /// Rows of a chart from top to bottom, one per arm, a little apart where the model changes.
    let rowsOf (arms: Arm list) =
        arms
        |> List.mapFold (fun (y, previous) arm ->
            let here = if previous = "" || previous = arm.Model then y else y + 0.35
            (arm, here), (here + 1.0, arm.Model)) (0.0, "")
        |> fst

    let rowLabel (arm: Arm) =
        let second = if arm.Distinction = "" then arm.FrontEnd else $"{arm.FrontEnd} · {arm.Distinction}"
        $"<b>{Theme.plain arm.Model}</b><br>{Theme.plain second}"

    let rowAxis (rows: (Arm * float) list) =
        Theme.axis ""
        |> LinearAxis.style (
            TickMode = StyleParam.TickMode.Array,
            TickVals = [ for _, y in rows -> y ],
            TickText = [ for arm, _ in rows -> rowLabel arm ],
            TickFont = Theme.font 12.0 Theme.ink,
            Ticks = StyleParam.TickOptions.Empty,
            ShowGrid = false,
            Range = StyleParam.Range.MinMax((List.last rows |> snd) + 0.6, -0.6)
        )

    /// Width of the row labels in pixels, from their longest line.
    let labelWidth (lines: string seq) = 16 + int (6.4 * float (lines |> Seq.map String.length |> Seq.append [ 12 ] |> Seq.max))

    let armLabelWidth (arms: Arm list) =
        arms |> List.collect (fun arm -> [ arm.Model; $"{arm.FrontEnd} {arm.Distinction}" ]) |> labelWidth

    /// Left and right edge of panel number index of count, side by side, with room for a column of figures behind each.
    let panel (count: int) (index: int) (share: float) =
        let slot = 1.0 / float count
        slot * float index, slot * (float index + share)

    let unitPanel (title: string) (left: float, right: float) =
        Theme.unitAxis title |> LinearAxis.style (Domain = StyleParam.Range.MinMax(left, right))

    let xId (index: int) = StyleParam.SubPlotId.XAxis(index + 1)
    let xRef (index: int) = if index = 0 then "x" else $"x{index + 1}"

    let finish (height: int) (left: int) (top: int) (annotations: Annotation seq) (shapes: Shape seq) (traces: Trace2D seq) =
        GenericChart.ofTraceObjects false [ for trace in traces -> trace :> Trace ]
        |> Theme.apply height left 12 top 52
        |> Chart.withAnnotations annotations
        |> Chart.withShapes shapes
