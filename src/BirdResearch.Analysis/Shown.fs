namespace BirdResearch.Analysis

open System
open System.IO
open System.Reflection
open Deedle
open Microsoft.FSharp.Reflection
open Plotly.NET

/// What notebooks ask of F#'s values, in terms that every .NET language has.
[<RequireQualifiedAccess>]
module Shown =
    /// Rows of a frame as objects: heads of the row keys and columns, the first and last rows asked for, and how many there are in all.
    /// Missing values are null. A key that is a tuple takes a column for each of its parts.
    type Rows = { Heads: string[]; Keys: int; First: (obj | null)[][]; Last: (obj | null)[][]; Count: int }

    let private flags = BindingFlags.Public ||| BindingFlags.NonPublic

    let private parts (key: obj) : (obj | null)[] = if FSharpType.IsTuple(key.GetType()) then FSharpValue.GetTupleFields key else [| key |]

    let private pick (first: int) (last: int) (count: int) (row: int -> (obj | null)[]) =
        if count <= first + last then Array.init count row, [||]
        else Array.init first row, Array.init last (fun index -> row (count - last + index))

    let private rowsOf (heads: string list) (first: int) (last: int) (keys: 'K[]) (cells: 'K -> (obj | null)[]) =
        let row index = Array.append (parts (box keys[index] |> nonNull)) (cells keys[index])
        let own = if keys.Length = 0 then 1 else (parts (box keys[0] |> nonNull)).Length
        let head, tail = pick first last keys.Length row
        { Heads = [| yield! Array.create own ""; yield! heads |]; Keys = own; First = head; Last = tail; Count = keys.Length }

    let private name (key: obj) = parts key |> Array.map string |> String.concat " "

    /// The rows of a Deedle frame.
    let frame (first: int) (last: int) (frame: IFrame) : Rows =
        frame.Apply
            { new IFrameOperation<Rows> with
                member _.Invoke(frame: Frame<'R, 'C>) =
                    let columns = [ for index in 0 .. frame.ColumnCount - 1 -> frame.Columns.GetAt index ]
                    let cell (key: 'R) (column: ObjectSeries<'R>) : obj | null =
                        match column.TryGet key with
                        | found when found.HasValue -> found.Value
                        | _ -> null
                    let heads = [ for key in frame.ColumnKeys -> name (box key |> nonNull) ]
                    rowsOf heads first last (Array.ofSeq frame.RowKeys) (fun key -> [| for column in columns -> cell key column |]) }

    /// Called for each type of series by its own types.
    let private seriesRows<'K, 'V when 'K: equality> (first: int) (last: int) (series: Series<'K, 'V>) : Rows =
        let cell key : (obj | null)[] =
            match series.TryGet key with
            | found when found.HasValue -> [| box found.Value |]
            | _ -> [| null |]
        rowsOf [ "value" ] first last (Array.ofSeq series.Keys) cell

    let rec private seriesType (type': Type | null) =
        match type' with
        | null -> None
        | found when found.IsGenericType && found.GetGenericTypeDefinition() = typedefof<Series<_, _>> -> Some found
        | found -> seriesType found.BaseType

    let private self = lazy (match typeof<Rows>.DeclaringType with null -> raise (MissingMemberException "Shown") | found -> found)

    /// The rows of a frame or series of Deedle's, of a set of runs or of their findings; null where the value is neither.
    let rows (first: int) (last: int) (value: obj) : Rows | null =
        match value with
        | :? IFrame as found -> frame first last found
        | :? RunSet as set -> frame first last (Runs.frame set)
        | :? Findings as findings -> frame first last findings.Table
        | _ ->
            match seriesType (value.GetType()) with
            | None -> null
            | Some found ->
                let method' = self.Value.GetMethod("seriesRows", flags ||| BindingFlags.Static) |> nonNull
                method'.MakeGenericMethod(found.GetGenericArguments()).Invoke(null, [| box first; box last; value |]) :?> (Rows | null)

    /// Whether F# knows better than ToString how a value reads: its records, unions, lists, options, tuples, maps and functions.
    let isFSharps (value: obj) =
        let type' = value.GetType()
        FSharpType.IsUnion(type', flags) || FSharpType.IsRecord(type', flags) || FSharpType.IsTuple type' && not type'.IsValueType
        || FSharpType.IsFunction type'
        || type'.FullName |> Option.ofObj |> Option.exists (fun full -> full.StartsWith("Microsoft.FSharp.Collections.", StringComparison.Ordinal))

    /// Whether a value is a record of F#'s.
    let isRecord (type': Type) = FSharpType.IsRecord(type', flags)

    /// A value as F# prints it.
    let print (value: obj) : string = sprintf "%A" value

    /// A chart as Plotly's JSON: data and layout.
    let figure (chart: GenericChart) : string = GenericChart.toFigureJson chart

    /// Whether a chart does without the bar of buttons.
    let isBare (chart: GenericChart) : bool =
        match (GenericChart.getConfig chart).TryGetPropertyValue "displayModeBar" with
        | Some(:? bool as shown) -> not shown
        | _ -> false

    /// plotly.js, with its licence's notice.
    let plotlyScript () : string =
        let assembly = typeof<GenericChart>.Assembly
        let name = assembly.GetManifestResourceNames() |> Array.find _.EndsWith(".min.js", StringComparison.Ordinal)
        use reader = new StreamReader(assembly.GetManifestResourceStream name |> nonNull)
        reader.ReadToEnd()

    /// A page of figures, given as HTML, that answers with their pictures as a report does.
    let figuresPage (figures: string) : string = Page.ofFigures figures
