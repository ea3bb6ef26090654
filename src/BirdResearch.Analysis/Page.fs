namespace BirdResearch.Analysis

open System
open System.IO
open Giraffe.ViewEngine
open Plotly.NET

/// A figure of a page: charts side by side, and the words around them.
type internal Figure =
    { /// Name of its files, without ending: learning-curves.
      Name: string
      Title: string
      Caption: string
      /// What its marks stand for.
      Key: XmlNode
      Charts: GenericChart list
      /// Where charts hold a grid per arm: the arms. The first is shown, the reader may choose another.
      Choices: string list }

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
    let private chart (id: string) (chart: GenericChart) : XmlNode * XmlNode =
        let height =
            match GenericChart.tryGetLayoutSize chart with
            | _, Some height -> height
            | _, None -> 400

        let json = (GenericChart.toFigureJson chart).Replace("<", "\\u003c").Replace(">", "\\u003e").Replace("&", "\\u0026")

        div [ _class "chart"; _id id; _style $"height:{height}px" ] [],
        script [ _type "application/json"; _id $"{id}-data" ] [ rawText json ]

    let private shapeOf (symbol: StyleParam.MarkerSymbol) =
        match symbol with
        | StyleParam.MarkerSymbol.Square -> """<rect x="10" y="3" width="10" height="10"/>"""
        | StyleParam.MarkerSymbol.Diamond -> """<path d="M15 1.5 21.5 8 15 14.5 8.5 8z"/>"""
        | StyleParam.MarkerSymbol.TriangleUp -> """<path d="M15 2 21.5 13H8.5z"/>"""
        | StyleParam.MarkerSymbol.TriangleDown -> """<path d="M15 14 8.5 3H21.5z"/>"""
        | StyleParam.MarkerSymbol.Pentagon -> """<path d="M15 1.5 21.5 6.3 19 13.8H11L8.5 6.3z"/>"""
        | StyleParam.MarkerSymbol.Star ->
            """<path d="M15 1l2 4.7 5.1.4-3.9 3.3 1.2 5L15 11.7l-4.4 2.7 1.2-5L7.9 6.1l5.1-.4z"/>"""
        | _ -> """<circle cx="15" cy="8" r="5.5"/>"""

    let private dashOf (style: ArmStyle) =
        if style.Dash = StyleParam.DrawingStyle.Dash then "6 4"
        elif style.Dash = StyleParam.DrawingStyle.Dot then "2 3"
        else "none"

    let private keyOf (items: (int * string * string) list) : XmlNode =
        ul [ _class "key" ]
            [ for width, drawn, name in items do
                  li [] [ rawText $"""<svg width="{width}" height="16" aria-hidden="true">{drawn}</svg>"""; str name ] ]

    /// Marker, line and name of each arm.
    let key (styles: Map<string, ArmStyle>) (arms: Arm list) : XmlNode =
        keyOf
            [ for arm in arms do
                  let style = styles[arm.Label]
                  let line = $"""<path d="M0 8H30" stroke="{style.Colour}" stroke-width="2" stroke-dasharray="{dashOf style}"/>"""
                  30, $"""{line}<g fill="{style.Colour}" stroke="#fff">{shapeOf style.Symbol}</g>""", arm.Label ]

    /// Marker, line and name of each model.
    let keyOfModels (styles: Map<string, ArmStyle>) : XmlNode =
        keyOf
            [ for model, style in Map.toList styles do
                  let line = $"""<path d="M0 8H30" stroke="{style.Colour}" stroke-width="2" stroke-dasharray="{dashOf style}"/>"""
                  30, $"""{line}<g fill="{style.Colour}" stroke="#fff">{shapeOf style.Symbol}</g>""", model ]

    /// What the markers of the over-fitting figure stand for.
    let domainKey (domains: string list) : XmlNode =
        let mark (domain: string) =
            match domain with
            | "train" -> $"""<circle cx="8" cy="8" r="5" fill="#fff" stroke="{Theme.muted}" stroke-width="2"/>"""
            | "focal" -> $"""<circle cx="8" cy="8" r="6" fill="{Theme.muted}"/>"""
            | _ -> $"""<path d="M8 1 15 8 8 15 1 8z" fill="{Theme.muted}"/>"""

        keyOf [ for domain in domains -> 16, mark domain, Charts.domainTitle domain ]

    /// A figure with its key, its charts (one, two or three beside each other), its caption, and buttons that save it as a file.
    let figure (number: int) (figure: Figure) : XmlNode =
        let places, data = figure.Charts |> List.mapi (fun index drawn -> chart $"figure-{number}-{index + 1}" drawn) |> List.unzip
        let columns = [ "one"; "two"; "three" ][figure.Charts.Length - 1]
        let save (kind: string) = button [ _type "button"; attr "data-save" kind; _title $"Save this figure as {kind.ToUpperInvariant()}" ] [ str (kind.ToUpperInvariant()) ]

        tag "figure" [ attr "data-name" figure.Name; attr "data-title" figure.Title ]
            [ div [ _class "save" ] [ save "svg"; save "png" ]
              figure.Key
              if figure.Choices.Length > 1 then
                  label [ _class "choice" ]
                      [ str "Shown: "
                        select [] [ for index, choice in List.indexed figure.Choices -> option [ _value (string index) ] [ str choice ] ] ]
              div [ _class $"charts {columns}" ] places
              yield! data
              tag "figcaption" [] [ b [] [ str $"Figure {number}. {figure.Title}. " ]; str figure.Caption ] ]

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

    /// The whole document. Where it has charts, plotly.js stands in it once, at its end, so that the text is there at once.
    let document (charts: bool) (name: string) (body: XmlNode list) : string =
        let variables =
            [ "ink", Theme.ink; "muted", Theme.muted; "rule", Theme.rule; "line", Theme.line; "accent", Theme.palette.Head
              "sans", Theme.sans; "serif", Theme.serif ]
            |> List.map (fun (name, value) -> $"--{name}:{value};")
            |> String.concat ""

        html [ _lang "en" ]
            [ head []
                  [ meta [ _charset "utf-8" ]
                    meta [ _name "viewport"; _content "width=device-width, initial-scale=1" ]
                    title [] [ str name ]
                    tag "style" [] [ rawText (":root{" + variables + "}\n" + own "report.css") ] ]
              tag "body" []
                  [ tag "main" [] body
                    if charts then
                        rawText ("<!-- plotly.js\n" + plotly "LICENSE.txt" + "\n-->")
                        script [] [ rawText (plotly ".min.js") ]
                        script [] [ rawText (own "report.js") ]
                        script [] [ rawText (own "figures.js") ] ] ]
        |> RenderView.AsString.htmlDocument

    /// A page of figures alone, given as HTML, that is drawn to be taken as pictures.
    let ofFigures (figures: string) : string = document true "Figures" [ rawText figures ]
