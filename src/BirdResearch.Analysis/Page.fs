namespace BirdResearch.Analysis

open System
open System.IO
open Giraffe.ViewEngine
open Plotly.NET
open BirdResearch.Analysis.Words

/// The parts that a page is put together from. Text from data goes through str and attributes, which escape it.
module internal Page =
    let private read (assembly: Reflection.Assembly) (ending: string) =
        let name = assembly.GetManifestResourceNames() |> Array.find _.EndsWith(ending, StringComparison.Ordinal)

        match assembly.GetManifestResourceStream name with
        | null -> raise (FileNotFoundException $"{assembly.GetName().Name} has no resource {name}.")
        | stream ->
            use reader = new StreamReader(stream)
            reader.ReadToEnd()

    let private own (name: string) = read typeof<Run>.Assembly name
    let private plotly (ending: string) = read typeof<GenericChart>.Assembly ending

    /// A chart: an empty place of the chart's height, and its data as JSON that holds no sign of HTML.
    let chart (id: string) (chart: GenericChart) : XmlNode list =
        let height =
            match GenericChart.tryGetLayoutSize chart with
            | _, Some height -> height
            | _, None -> 400

        let json = (GenericChart.toFigureJson chart).Replace("<", "\\u003c").Replace(">", "\\u003e").Replace("&", "\\u0026")

        [ div [ _class "chart"; _id id; _style $"height:{height}px" ] []
          script [ _type "application/json"; _id $"{id}-data" ] [ rawText json ] ]

    let private shapeOf (symbol: StyleParam.MarkerSymbol) =
        match symbol with
        | StyleParam.MarkerSymbol.Square -> """<rect x="10" y="3" width="10" height="10"/>"""
        | StyleParam.MarkerSymbol.Diamond -> """<path d="M15 1.5 21.500 8 15 14.500 8.500 8z"/>"""
        | StyleParam.MarkerSymbol.TriangleUp -> """<path d="M15 2 21.500 13H8.500z"/>"""
        | StyleParam.MarkerSymbol.TriangleDown -> """<path d="M15 14 8.500 3H21.500z"/>"""
        | StyleParam.MarkerSymbol.Pentagon -> """<path d="M15 1.500 21.500 6.300 19 13.800H11L8.500 6.300z"/>"""
        | StyleParam.MarkerSymbol.Star -> """<path d="M15 1l2 4.700 5.100.4-3.900 3.300 1.200 5L15 11.700l-4.400 2.700 1.200-5L7.900 6.100l5.100-.4z"/>"""
        | _ -> """<circle cx="15" cy="8" r="5.500"/>"""

    let private dashOf (style: ArmStyle) =
        if style.Dash = StyleParam.DrawingStyle.Dash then " stroke-dasharray=\"6 4\""
        elif style.Dash = StyleParam.DrawingStyle.Dot then " stroke-dasharray=\"2 3\""
        else ""

    /// Marker, line and name of each arm.
    let key (styles: Map<string, ArmStyle>) (arms: Arm list) : XmlNode =
        ul [ _class "key" ]
            [ for arm in arms do
                  let style = styles[arm.Label]

                  li []
                      [ rawText
                            $"""<svg width="30" height="16" aria-hidden="true"><line x1="0" x2="30" y1="8" y2="8" stroke="{style.Colour}" stroke-width="2"{dashOf style}/><g fill="{style.Colour}" stroke="#fff">{shapeOf style.Symbol}</g></svg>"""
                        str arm.Label ] ]

    /// What the open and the filled markers of the over-fitting figure stand for.
    let domainKey (domains: string list) : XmlNode =
        let mark (domain: string) =
            match domain with
            | "train" -> """<circle cx="8" cy="8" r="5" fill="#fff" stroke-width="2"/>"""
            | "focal" -> """<circle cx="8" cy="8" r="6"/>"""
            | _ -> """<path d="M8 1 15 8 8 15 1 8z"/>"""

        ul [ _class "key" ]
            [ for domain in domains do
                  li []
                      [ rawText $"""<svg width="16" height="16" aria-hidden="true"><g fill="{Theme.muted}" stroke="{Theme.muted}" stroke-width="0">{mark domain}</g></svg>"""
                        str (Charts.domainTitle domain) ] ]

    /// A figure with its number and caption; every second item of drawn is the place of a chart.
    let figure (columns: string) (legend: XmlNode list) (charts: XmlNode list list) (number: int) (name: string) (caption: string) : XmlNode =
        let drawn = charts |> List.map List.head
        let data = charts |> List.collect List.tail

        tag "figure" []
            (legend
             @ [ div [ _class $"charts {columns}" ] drawn ]
             @ data
             @ [ tag "figcaption" [] [ b [] [ str $"Figure {number}. {name}. " ]; str caption ] ])

    /// A column of a table: its head, its unit or explanation, whether it holds numbers.
    type Column = { Head: string; Unit: string; Numeric: bool }

    let text (head: string) = { Head = head; Unit = ""; Numeric = false }
    let number (head: string) (unit: string) = { Head = head; Unit = unit; Numeric = true }

    /// A table in groups of rows; a group with a name is headed by it.
    let table (kind: string) (columns: Column list) (groups: (string * XmlNode list list) list) : XmlNode =
        let cellClass column = if column.Numeric then "n" else "name"

        div [ _class "scroll" ]
            [ tag "table" [ _class kind ]
                  [ thead []
                        [ tr []
                              [ for column in columns do
                                    th [ _class (cellClass column) ]
                                        [ str column.Head
                                          if column.Unit <> "" then small [] [ str column.Unit ] ] ] ]
                    for name, rows in groups do
                        tbody []
                            [ if name <> "" then
                                  tr [] [ th [ _colspan (string columns.Length) ] [ str name ] ]
                              for row in rows do
                                  tr [] [ for column, cell in List.zip columns row -> td [ _class (cellClass column) ] [ cell ] ] ] ] ]

    /// Names and values in two columns.
    let facts (items: (string * string) list) : XmlNode =
        dl [] [ for name, value in items do
                    dt [] [ str name ]
                    dd [] [ str value ] ]

    /// The whole document. plotly.js stands in it once, at its end, so that the text is there at once.
    let document (name: string) (body: XmlNode list) : string =
        let variables =
            $":root{{--ink:{Theme.ink};--muted:{Theme.muted};--rule:{Theme.rule};--line:{Theme.line};--accent:{Theme.palette.Head};--sans:{Theme.sans};--serif:{Theme.serif}}}"

        html [ _lang "en" ]
            [ head []
                  [ meta [ _charset "utf-8" ]
                    meta [ _name "viewport"; _content "width=device-width, initial-scale=1" ]
                    title [] [ str name ]
                    tag "style" [] [ rawText (variables + "\n" + own "report.css") ] ]
              tag "body" []
                  [ tag "main" [] body
                    rawText ("<!-- plotly.js\n" + plotly "LICENSE.txt" + "\n-->")
                    script [] [ rawText (plotly ".min.js") ]
                    script [] [ rawText (own "report.js") ] ] ]
        |> RenderView.AsString.htmlDocument
