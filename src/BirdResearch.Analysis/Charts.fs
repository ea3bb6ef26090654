namespace BirdResearch.Analysis

open System
open Deedle
open Plotly.NET
open Plotly.NET.LayoutObjects
open Plotly.NET.TraceObjects
open BirdResearch.Analysis.Marks
open BirdResearch.Analysis.Words

/// Figures. Each takes data and returns a chart; none reads a file or shows anything. Styles are Theme.styles of all arms' labels.
[<RequireQualifiedAccess>]
module Charts =
    /// A domain in words.
    let domainName (domain: string) =
        match domain with
        | "train" -> "training recordings"
        | "focal" -> "focal validation"
        | "soundscape" -> "soundscape test"
        | other -> other

    /// A domain as the head of a panel or of rows.
    let domainTitle (domain: string) =
        let name = domainName domain
        string (Char.ToUpperInvariant name[0]) + name[1..]

    /// The highest score of any run, or end of an interval, of some arms in a domain; 0 where there is none.
    let highest (domain: string) (arms: Arm list) =
        [ for arm in arms do
              match arm.Domains.TryFind domain with
              | Some result ->
                  yield! result.Maps
                  match result.Interval with
                  | Some interval -> interval.High
                  | None -> ()
              | None -> () ]
        |> List.fold max 0.0

    let private title (left: float) (domain: string) = above left 13.0 Theme.ink $"<b>{domainTitle domain}</b>"

    let private intervalText (result: DomainResult) =
        match result.Interval with
        | Some found -> $"95 %% interval {three found.Low} to {three found.High} over {found.Recordings} recordings"
        | None -> $"no interval: {Theme.plain result.NoInterval}"

    let private comparisonRow (style: ArmStyle) (xAxis: int) (arm: Arm, y: float) (result: DomainResult) =
        let name = Theme.plain arm.Label
        let runs = arm.Runs |> List.filter (Runs.metric "map" result.Domain >> Double.IsFinite)
        let apart (number: int) = if runs.Length < 2 then 0.0 else 0.07 * (2.0 * float number / float (runs.Length - 1) - 1.0)

        [ bar xAxis style result.Map.Mean y $"{name}<br>mAP {three result.Map.Mean}, {arm.Design}<br>{intervalText result}"
          match result.Interval with
          | Some interval -> span xAxis result.Map.Mean (y - 0.13) interval
          | None -> ()
          runs
          |> List.mapi (fun number run ->
              let map = Runs.metric "map" result.Domain run
              map, y + 0.14 + apart number, $"{name}, {seedOf run}<br>mAP {three map}")
          |> markers xAxis 8 style ]

    /// Mean mAP by arm as bars, every run as a marker, the interval as a line, what guessing reaches as a dotted line; a panel per domain.
    let comparison (styles: Map<string, ArmStyle>) (domains: string list) (arms: Arm list) : GenericChart =
        let rows = rowsOf arms
        let edges = panels domains.Length (if domains.Length > 1 then 0.64 else 0.84)

        let figure (edge: float) (arm: Arm, y: float) (domain: string) =
            match arm.Domains.TryFind domain with
            | Some result when Double.IsNaN result.Map.Deviation -> beside (edge + 0.008) y Theme.ink (three result.Map.Mean)
            | Some result ->
                let spread = $" <span style='color:{Theme.muted}'>± {three result.Map.Deviation}</span>"
                beside (edge + 0.008) y Theme.ink (three result.Map.Mean + spread)
            | None -> beside (edge + 0.008) y Theme.muted "not scored"

        let figures =
            [ for domain, (left, right) in List.zip domains edges do
                  title left domain
                  for row in rows do
                      figure right row domain ]

        let guessing =
            [ for index, domain in List.indexed domains do
                  let chance = arms |> List.choose _.Domains.TryFind(domain) |> List.map _.Chance |> Statistics.spread
                  if chance.Count > 0 then upright (index + 1) chance.Mean ]

        [ for index, domain in List.indexed domains do
              for arm, y in rows do
                  match arm.Domains.TryFind domain with
                  | Some result -> yield! comparisonRow styles[arm.Label] (index + 1) (arm, y) result
                  | None -> () ]
        |> finish (heightOf rows 50.0) (armLabelWidth arms) 34 figures guessing
        |> Chart.withYAxis (rowAxis rows)
        |> withUnitAxes "macro mAP" edges

    /// Train (open), focal validation (filled) and soundscape mAP (diamond) of each arm on one line, and the over-fitting gap in figures.
    let overfitting (styles: Map<string, ArmStyle>) (arms: Arm list) : GenericChart =
        let rows = rowsOf arms
        let right = 0.83

        let mark (arm: Arm, y: float) (result: DomainResult) =
            let colour = Theme.colour styles[arm.Label].Colour
            let symbol = if result.Domain = "soundscape" then StyleParam.MarkerSymbol.Diamond else StyleParam.MarkerSymbol.Circle
            let text = $"{Theme.plain arm.Label}<br>{domainName result.Domain} mAP {three result.Map.Mean}"

            markers 1 12 styles[arm.Label] [ result.Map.Mean, y, text ]
            |> Trace2DStyle.Scatter(
                Marker =
                    Marker.init (
                        Size = 12,
                        Symbol = symbol,
                        Color = (if result.Domain = "train" then Theme.colour "#ffffff" else colour),
                        Outline = Line.init (Color = colour, Width = 2.0)
                    )
            )

        let brackets =
            [ for arm, y in rows do
                  let maps = [ for result in arm.Domains.Values -> result.Map.Mean ]
                  if not maps.IsEmpty then bracket styles[arm.Label].Colour (List.min maps, List.max maps) y ]

        let gaps =
            above (right + 0.015) 12.0 Theme.muted "train − validation"
            :: [ for arm, y in rows -> beside (right + 0.015) y Theme.ink (signed (Arms.overfittingGap arm)) ]

        [ for arm, y in rows do
              for result in arm.Domains.Values do
                  mark (arm, y) result ]
        |> finish (heightOf rows 40.0) (armLabelWidth arms) 34 gaps brackets
        |> Chart.withYAxis (rowAxis rows)
        |> withUnitAxes "macro mAP" [ 0.0, right ]

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

    /// Average precision by species from top to bottom, a marker per arm; a panel per domain. Labels are (class, text on the axis).
    let perSpecies (styles: Map<string, ArmStyle>) (domains: string list) (labels: (string * string) list) (arms: Arm list) : GenericChart =
        let edges = panels domains.Length (if domains.Length > 1 then 0.92 else 1.0)

        // Arms lie a little below each other, so that equal values stay apart.
        let below (place: int) = min 0.14 (0.6 / float arms.Length) * (float place - 0.5 * float (arms.Length - 1))

        let precisions (domain: string) (place: int) (arm: Arm) =
            [ for row, (label, text) in List.indexed labels do
                  let precision = classPrecision domain label arm
                  if Double.IsFinite precision then
                      precision, float row + below place, $"{Theme.plain text}<br>{Theme.plain arm.Label}<br>AP {three precision}" ]

        let yAxis =
            Theme.axis ""
            |> LinearAxis.style (
                TickMode = StyleParam.TickMode.Array,
                TickVals = [ 0 .. labels.Length - 1 ],
                TickText = [ for _, text in labels -> Theme.plain text ],
                TickFont = Theme.font 11.5 Theme.ink,
                Ticks = StyleParam.TickOptions.Empty,
                Range = StyleParam.Range.MinMax(float labels.Length - 0.4, -0.6)
            )

        [ for index, domain in List.indexed domains do
              for place, arm in List.indexed arms do
                  precisions domain place arm |> markers (index + 1) 9 styles[arm.Label] ]
        |> finish (21 * labels.Length + 92) (labels |> List.map snd |> labelWidth) 34 (List.map2 title (List.map fst edges) domains) []
        |> Chart.withYAxis yAxis
        |> withUnitAxes "average precision" edges

    /// More arms than this are no longer told apart by markers on one line.
    let mostMarkers = 8

    /// Average precision by species (rows) and arm (columns) in one domain, for many arms.
    let speciesGrid (domain: string) (labels: (string * string) list) (arms: Arm list) : GenericChart =
        let values = [ for label, _ in labels -> [ for arm in arms -> classPrecision domain label arm ] ]

        let hovers =
            [ for (_, text), row in List.zip labels values ->
                  [ for arm, value in List.zip arms row -> $"{Theme.plain text}<br>{Theme.plain arm.Label}<br>AP {three value}" ] ]

        let below = arms |> List.map _.Label |> labelWidth
        let left = labels |> List.map snd |> labelWidth
        let names = if arms.Length <= 30 then [ for arm in arms -> arm.Label ] else [ for arm in arms -> "" ]
        let below = if arms.Length <= 30 then min below 240 else 52

        [ grid 1 true (0.0, 1.0) [ "#ffffff"; "#d6e6f4"; "#9cc4e0"; "#4a93c4"; "#0072b2"; "#00395a" ] (fun _ -> "") values hovers ]
        |> finish (18 * labels.Length + 40 + below) left 34 [ title 0.0 domain ] []
        |> Theme.apply (18 * labels.Length + 40 + below) left 12 34 below
        |> Chart.withXAxis (namedAxis "" names |> LinearAxis.style (TickAngle = -60, ShowLine = false, TickFont = Theme.font 10.0 Theme.ink))
        |> Chart.withYAxis (
            namedAxis "" (List.map snd labels)
            |> LinearAxis.style (Range = StyleParam.Range.MinMax(float labels.Length - 0.5, -0.5), ShowLine = false)
        )

    /// mAP in one domain against one setting, a line per model through the means of its arms, small marks per run. Styles are those of the models.
    let sweep (styles: Map<string, ArmStyle>) (domain: string) (setting: string) (sweeps: Sweep list) : GenericChart =
        let shown (sweep: Sweep) = sweep.Points |> List.filter (fun (_, arm) -> arm.Domains.ContainsKey domain)

        [ for sweep in sweeps do
              let style, name = styles[sweep.Model], Theme.plain sweep.Model
              let means = [ for value, arm in shown sweep -> value, arm.Domains[domain].Map.Mean, arm ]

              [ for value, _, arm in means do
                    for run in arm.Runs do
                        let map = Runs.metric "map" domain run
                        if Double.IsFinite map then value, map, $"{name}, {setting} {short value}, {seedOf run}<br>mAP {three map}" ]
              |> markers 1 5 style

              lineAt style 2.2 [ for value, mean, _ in means -> value, mean ]
              markers 1 11 style [ for value, mean, arm in means -> value, mean, $"{name}, {setting} {short value}, {arm.Design}<br>mAP {three mean}" ] ]
        |> finish 320 58 12 [] []
        |> Chart.withXAxis (logAxis setting [ for sweep in sweeps do for value, _ in shown sweep -> value ])
        |> Chart.withYAxis (Theme.unitAxis $"{domainName domain} mAP")

    /// One column per model, one colour per front-end, height = mean metric: a quick look in a notebook, at what Runs.meanOf gives.
    let groupedColumns (title: string) (means: Series<string * string, float>) : GenericChart =
        let cells = Series.observations means |> List.ofSeq
        let styles = cells |> List.map (fst >> snd) |> Theme.styles

        cells
        |> List.groupBy (fun ((_, frontEnd), _) -> frontEnd)
        |> List.map (fun (frontEnd, cells) ->
            Trace2D.initBar (
                Trace2DStyle.Bar(
                    Name = Theme.plain frontEnd,
                    ShowLegend = true,
                    X = [ for (model, _), _ in cells -> Theme.plain model ],
                    Y = [ for _, value in cells -> value ],
                    MultiText = [ for _, value in cells -> two value ],
                    TextPosition = StyleParam.TextPosition.Outside,
                    Marker = Marker.init (Color = Theme.colour styles[frontEnd].Colour)
                )
            ))
        |> finish 420 58 64 [] []
        |> Chart.withLayout (
            Layout.init (BarMode = StyleParam.BarMode.Group, ShowLegend = true, Title = Title.init (Text = Theme.plain title))
        )
        |> Chart.withYAxis (Theme.unitAxis "")
