namespace BirdResearch.Analysis

open System
open Plotly.NET
open Plotly.NET.LayoutObjects
open Plotly.NET.TraceObjects
open BirdResearch.Analysis.Marks
open BirdResearch.Analysis.Words

/// What a score is bought with; less is better.
type Price =
    { /// The axis' title.
      Title: string
      Of: Run -> float
      /// The price as text on the axis.
      Tick: float -> string
      /// The same in a sentence.
      Said: float -> string
      /// A price that must not be passed, and its name.
      Limit: (float * string) option }

/// Scores against what they cost.
[<RequireQualifiedAccess>]
module CostCharts =
    /// The hidden test of BirdCLEF: soundscapes, and windows of 5 s in each.
    let testSoundscapes, testWindows = 1100, 48

    /// Minutes that scoring the hidden test takes at the run's own speed: torch, its threads, one model.
    let testMinutes (run: Run) =
        float (testSoundscapes * testWindows) / run.Record.Cost.InferClipsPerSecond / 60.0

    /// Megabytes of the weights as 32-bit numbers.
    let megabytes (parameters: float) = 4.0 * parameters / 1e6

    /// Minutes of the hidden test, with the contest's limit.
    let minutes =
        { Title = $"CPU minutes for {testSoundscapes} soundscapes of {testWindows} windows"; Of = testMinutes; Tick = short; Said = significant; Limit = Some(120.0, "120 min") }

    /// Trainable parameters, and what they weigh.
    let parameters =
        { Title = "parameters, and MB in fp32"
          Of = fun run -> float run.Record.Model.Parameters
          Tick = fun value -> $"{short value}<br>{short (megabytes value)} MB"
          Said = fun value -> $"{whole value}, {significant (megabytes value)} MB"
          Limit = None }

    /// Seconds of training.
    let training = { Title = "seconds of training"; Of = _.Record.Cost.TrainSeconds; Tick = short; Said = significant; Limit = None }

    /// Arms that no other beats in both score and price, cheapest first.
    let front (domain: string) (price: Price) (arms: Arm list) : Arm list =
        arms
        |> List.filter (fun arm -> arm.Domains.ContainsKey domain && arm.Mean price.Of > 0.0)
        |> List.sortBy (fun arm -> arm.Mean price.Of, -(Arms.map domain arm))
        |> List.fold
            (fun (best, front) arm ->
                let score = Arms.map domain arm
                if score > best then score, arm :: front else best, front)
            (Double.NegativeInfinity, [])
        |> snd
        |> List.rev

    let private limitMarks (price: Price) =
        match price.Limit with
        | Some(limit, name) ->
            [ upright 1 limit ],
            [ Annotation.init (
                  X = log10 limit, Y = 1.0, YRef = "paper", Text = name, ShowArrow = false, XAnchor = StyleParam.XAnchorPosition.Right,
                  YAnchor = StyleParam.YAnchorPosition.Top, XShift = -4, Font = Theme.font 11.5 Theme.muted) ]
        | None -> [], []

    /// mAP in one domain against a price on a logarithmic axis: a marker per arm with its interval, small ones per run. The arms of the
    /// Pareto front are ringed and joined by a line.
    let pareto (styles: Map<string, ArmStyle>) (domain: string) (price: Price) (arms: Arm list) : GenericChart =
        let shown = arms |> List.filter (fun arm -> arm.Domains.ContainsKey domain && arm.Mean price.Of > 0.0)
        let prices = shown |> List.collect _.Runs |> List.map price.Of |> List.filter (fun value -> value > 0.0 && Double.IsFinite value)
        let best = front domain price shown |> List.map (fun arm -> arm.Mean price.Of, Arms.map domain arm, arm)
        let shapes, notes = limitMarks price

        let steps =
            Trace2D.initScatter (
                Trace2DStyle.Scatter(
                    X = [ for x, _, _ in best -> x ],
                    Y = [ for _, y, _ in best -> y ],
                    Mode = StyleParam.Mode.Lines_Markers,
                    HoverInfo = StyleParam.HoverInfo.Skip,
                    Line = Line.init (Color = Theme.colour Theme.muted, Width = 1.4, Dash = StyleParam.DrawingStyle.Dot, Shape = StyleParam.Shape.Hv),
                    Marker =
                        Marker.init (
                            Size = 20,
                            Symbol = StyleParam.MarkerSymbol.Modified(StyleParam.MarkerSymbol.Circle, StyleParam.SymbolStyle.Open),
                            Color = Theme.colour Theme.muted
                        )
                )
            )

        [ steps
          for arm in shown do
              let style, result, name = styles[arm.Label], arm.Domains[domain], Theme.plain arm.Label

              [ for run in arm.Runs do
                    let map = Runs.metric "map" domain run
                    if Double.IsFinite map then price.Of run, map, $"{name}, {seedOf run}<br>mAP {three map}" ]
              |> markers 1 5 style

              let onFront = if best |> List.exists (fun (_, _, other) -> other.Label = arm.Label) then "<br>on the Pareto front" else ""
              let cost = price.Said(arm.Mean price.Of)
              let hover = $"{name}<br>mAP {three result.Map.Mean}<br>{price.Title}: {cost}{onFront}"
              let mean = markers 1 12 style [ arm.Mean price.Of, result.Map.Mean, hover ]

              match result.Interval with
              | Some interval -> mean |> Trace2DStyle.Scatter(YError = whiskers style.Colour result.Map.Mean interval)
              | None -> mean ]
        |> finish 360 58 12 notes shapes
        |> Chart.withXAxis (logAxisOf price.Tick price.Title (prices @ [ match price.Limit with Some(limit, _) -> limit | None -> () ]))
        |> Chart.withYAxis (Theme.scoreAxis $"{Charts.domainName domain} mAP" (Charts.highest domain shown))
