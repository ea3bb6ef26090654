namespace BirdResearch.Analysis

open System
open Plotly.NET
open Plotly.NET.LayoutObjects
open BirdResearch.Analysis.Marks
open BirdResearch.Analysis.Words

/// Which species are taken for which, and which are scored together. Charts of several arms hold a grid for each, of which the first is shown.
[<RequireQualifiedAccess>]
module ConfusionCharts =
    /// Species in one grid at most.
    let mostClasses = 30

    /// More species than this leave no room for figures in the cells.
    let private mostWritten = 16

    /// Arms that a reader may choose among at most: each brings a grid.
    let mostArms = 12

    let private shares = [ "#ffffff"; "#deebf7"; "#b5d3ea"; "#82b7dc"; "#56a0d0" ]
    let private correlations = [ "#b35000"; "#e69f6a"; "#f7f7f7"; "#7db8da"; "#00598a" ]

    let private rowsOfNames (title: string) (names: string list) =
        namedAxis title names |> LinearAxis.style (Range = StyleParam.Range.MinMax(float names.Length - 0.5, -0.5), ShowLine = false)

    let private square (titleX: string) (titleY: string) (names: string list) (head: string) (traces: Trace2D list) =
        let left = labelWidth [ for name in names -> name + "     " ]
        let height = 20 * names.Length + 44 + left

        traces
        |> finish height left 32 [ above 0.0 13.0 Theme.ink $"<b>{head}</b>" ] []
        |> Theme.apply height left 12 32 left
        |> Chart.withXAxis (namedAxis titleX names |> LinearAxis.style (TickAngle = -60, ShowLine = false))
        |> Chart.withYAxis (rowsOfNames titleY names)

    let private pick (chosen: int list) (matrix: float[][]) = [ for i in chosen -> [ for j in chosen -> matrix[i][j] ] ]

    /// The species that are most often mistaken or taken for another, in their first order.
    let private mostMistaken (all: Mistakes list) =
        let known value = if Double.IsNaN value then 0.0 else value

        let wrong index =
            all |> List.sumBy (fun mistakes ->
                Seq.init mistakes.Classes.Length id
                |> Seq.filter ((<>) index)
                |> Seq.sumBy (fun other -> known (mistakes.Confusion[index][other]) + known (mistakes.Confusion[other][index])))

        [ 0 .. all.Head.Classes.Length - 1 ] |> List.sortByDescending wrong |> List.truncate mostClasses |> List.sort

    /// Share of a species' recordings (rows) by the species that scores highest (columns); a grid per arm. All have the same classes.
    let confusion (name: string -> string) (all: Mistakes list) : GenericChart =
        let chosen = mostMistaken all
        let names = [ for index in chosen -> name all.Head.Classes[index] ]

        let percent (share: float) =
            if Double.IsNaN share || share = 0.0 || chosen.Length > mostWritten then "" else string (int (round (100.0 * share)))

        let hovers (mistakes: Mistakes) =
            [ for i in chosen ->
                  [ for j in chosen ->
                        let share = significant (100.0 * mistakes.Confusion[i][j])
                        let real, guess = name mistakes.Classes[i], name mistakes.Classes[j]
                        $"{Theme.plain mistakes.Arm}<br>{share} %% of the recordings of {Theme.plain real}<br>score highest as {Theme.plain guess}" ] ]

        [ for index, mistakes in List.indexed all -> grid 1 (index = 0) (0.0, 1.0) shares percent (pick chosen mistakes.Confusion) (hovers mistakes) ]
        |> square "highest score" "species" names "% of a species’ recordings"
        |> Chart.withYAxis (rowsOfNames "species" [ for index, name in List.zip chosen names -> $"{name} ({all.Head.Recordings[index]})" ])

    /// Species that are heard in soundscapes, those most often heard first.
    let private heard (mistakes: Mistakes) =
        [ 0 .. mistakes.Classes.Length - 1 ] |> List.filter (fun index -> Double.IsFinite(mistakes.Truth[index][index])) |> List.truncate mostClasses

    let private together (name: string -> string) (what: string) (matrixOf: Mistakes -> float[][]) (all: Mistakes list) =
        let chosen = heard all.Head
        let names = [ for index in chosen -> name all.Head.Classes[index] ]

        let hovers (mistakes: Mistakes) =
            let matrix = matrixOf mistakes
            [ for i in chosen ->
                  [ for j in chosen -> $"{Theme.plain (name mistakes.Classes[i])} and {Theme.plain (name mistakes.Classes[j])}<br>{what}: correlation {signed (matrix[i][j])}" ] ]

        // Each species goes with itself; that says nothing.
        let withoutSelf (rows: float list list) = rows |> List.mapi (fun i row -> row |> List.mapi (fun j value -> if i = j then nan else value))

        [ for index, mistakes in List.indexed all ->
              grid 1 (index = 0) (-1.0, 1.0) correlations (fun _ -> "") (pick chosen (matrixOf mistakes) |> withoutSelf) (hovers mistakes) ]
        |> square "" "" names what

    /// Correlation of species' presence over soundscape windows.
    let presence (name: string -> string) (all: Mistakes list) : GenericChart =
        together name "Heard together" _.Truth [ all.Head ]

    /// Correlation of species' scores over soundscape windows; a grid per arm.
    let scores (name: string -> string) (all: Mistakes list) : GenericChart = together name "Scored together" _.Scores all

    /// Whether two species are ever heard in the soundscapes.
    let hasPairs (mistakes: Mistakes) = mistakes.Truth.Length > 0 && (heard mistakes).Length >= 2
