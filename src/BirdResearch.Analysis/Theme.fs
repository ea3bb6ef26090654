namespace BirdResearch.Analysis

open Plotly.NET
open Plotly.NET.LayoutObjects

/// How one arm is drawn, in every chart of a report alike.
type ArmStyle =
    { /// Colour as #rrggbb.
      Colour: string
      Symbol: StyleParam.MarkerSymbol
      Dash: StyleParam.DrawingStyle }

/// One palette, one type face and one set of sizes for every figure; light, so that it prints.
[<RequireQualifiedAccess>]
module Theme =
    /// Text.
    let ink = "#1c2126"

    /// Text of the second rank: axis labels, captions.
    let muted = "#59636e"

    /// Grid lines and table rules.
    let rule = "#e3e7eb"

    /// Emphasised rules: axis lines, brackets.
    let line = "#aeb7c0"

    /// Type face of figures and tables; only faces that systems bring along.
    let sans = "Inter, 'Segoe UI', 'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif"

    /// Type face of running text.
    let serif = "Charter, 'Bitstream Charter', 'Iowan Old Style', Georgia, 'Liberation Serif', serif"

    /// Okabe and Ito's colours, told apart in every common form of colour blindness (Color Universal Design, 2008); their yellow is
    /// left out since it vanishes on white.
    let palette = [ "#0072b2"; "#d55e00"; "#009e73"; "#cc79a7"; "#e69f00"; "#56b4e9"; "#4d4d4d" ]

    let private symbols =
        [ StyleParam.MarkerSymbol.Circle
          StyleParam.MarkerSymbol.Square
          StyleParam.MarkerSymbol.Diamond
          StyleParam.MarkerSymbol.TriangleUp
          StyleParam.MarkerSymbol.TriangleDown
          StyleParam.MarkerSymbol.Pentagon
          StyleParam.MarkerSymbol.Star ]

    let private dashes = [ StyleParam.DrawingStyle.Solid; StyleParam.DrawingStyle.Dash; StyleParam.DrawingStyle.Dot ]

    /// A style per label. Each label keeps its own as long as the set of labels stays the same; the first seven differ in colour and
    /// marker, later ones in line as well.
    let styles (labels: string seq) : Map<string, ArmStyle> =
        labels
        |> Seq.distinct
        |> Seq.sort
        |> Seq.mapi (fun index label ->
            let round = index / palette.Length

            label,
            { Colour = palette[index % palette.Length]
              Symbol = symbols[(index + round) % symbols.Length]
              Dash = dashes[round % dashes.Length] })
        |> Map

    /// A colour of the palette, thinned for areas; opacity in 0 to 1.
    let tint (opacity: float) (colour: string) =
        let part (from: int) = System.Convert.ToInt32(colour.Substring(from, 2), 16)
        $"rgba({part 1},{part 3},{part 5},{opacity})"

    /// Text from data inside a chart: plotly reads a small part of HTML, so its signs are written as entities.
    let plain (text: string) = text.Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;")

    /// A colour in plotly's terms.
    let colour (name: string) = Color.fromString name

    /// A font of the figures' face, its size in pixels.
    let font (size: float) (name: string) =
        Font.init (Family = StyleParam.FontFamily.Custom sans, Size = size, Color = colour name)

    /// An axis in the house style.
    let axis (title: string) =
        LinearAxis.init (
            Title = Title.init (Text = title, Font = font 12.0 muted, Standoff = 8),
            ShowGrid = true,
            GridColor = colour rule,
            GridWidth = 1.0,
            ZeroLine = false,
            ShowLine = true,
            LineColor = colour line,
            LineWidth = 1.0,
            Ticks = StyleParam.TickOptions.Outside,
            TickLen = 4,
            TickColor = colour line,
            TickFont = font 11.5 muted,
            FixedRange = true
        )

    /// An axis from 0 to 1, a little more where markers would be cut, ticks by fifths.
    let unitAxis (title: string) =
        axis title
        |> LinearAxis.style (Range = StyleParam.Range.MinMax(0.0, 1.02), DTick = 0.2, TickFormat = ".1f")

    let private roundTop (highest: float) =
        [ 0.1; 0.2; 0.3; 0.4; 0.5; 0.6; 0.8 ] |> List.tryFind (fun top -> highest < 0.97 * top) |> Option.defaultValue 1.0

    /// Where the axis of these scores ends.
    let scoreTop (highest: float) = 1.02 * roundTop highest

    /// An axis from 0 to a round number above the highest score, at most 1.
    let scoreAxis (title: string) (highest: float) =
        let top = roundTop highest

        if top = 1.0 then unitAxis title
        else axis title |> LinearAxis.style (Range = StyleParam.Range.MinMax(0.0, scoreTop highest), DTick = (if top <= 0.2 then 0.05 else 0.1), TickFormat = (if top <= 0.2 then ".2f" else ".1f"))

    /// Frame, type and colours of a whole chart. Height and margins in pixels; the width follows the page.
    let apply (height: int) (left: int) (right: int) (top: int) (bottom: int) (chart: GenericChart) =
        chart
        |> Chart.withLayout (
            Layout.init (
                AutoSize = true,
                Height = height,
                Margin = Margin.init (Left = left, Right = right, Top = top, Bottom = bottom),
                Font = font 12.0 ink,
                PaperBGColor = colour "#ffffff",
                PlotBGColor = colour "#ffffff",
                ShowLegend = false,
                HoverMode = StyleParam.HoverMode.Closest,
                Hoverlabel =
                    Hoverlabel.init (
                        BgColor = colour "#ffffff",
                        BorderColor = colour line,
                        Font = font 12.0 ink,
                        Align = StyleParam.Align.Left
                    ),
                BarMode = StyleParam.BarMode.Overlay
            )
        )
        |> Chart.withConfig (Config.init (Responsive = true, DisplayModeBar = false, ShowTips = false))
