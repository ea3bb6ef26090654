namespace BirdResearch.Analysis

open System
open Plotly.NET
open Plotly.NET.LayoutObjects
open BirdResearch.Analysis.Marks
open BirdResearch.Analysis.Words

/// Sparse codes.
[<RequireQualifiedAccess>]
module CodeCharts =
    /// Share of time steps in which a unit fires, units by falling share, a line per arm; the x axis counts units in per cent, so that codes of
    /// any width compare.
    let uses (styles: Map<string, ArmStyle>) (domain: string) (codes: CodeUse list) : GenericChart =
        let shown = [ for code in codes do for own, shares in code.Shares do if own = domain then code.Arm, Array.sortDescending shares ]

        [ for arm, shares in shown do
              let name, last = Theme.plain arm.Label, float (max 1 (shares.Length - 1))
              // A line on a page has no more than some hundred places.
              let places = [ for place in 0..200 -> place * (shares.Length - 1) / 200 ] |> List.distinct
              let hover = $"{name}, {shares.Length} units<br>unit at %%{{x:.0f}} %%: fires in %%{{y:.2f}} %% of the steps<extra></extra>"
              line styles[arm.Label] 2.0 1.0 hover [ for place in places -> 100.0 * float place / last, 100.0 * shares[place] ] ]
        |> finish 340 58 34 [ above 0.0 13.0 Theme.ink $"<b>{Charts.domainTitle domain}</b>" ] []
        |> Chart.withXAxis (Theme.axis "units by falling share, %" |> LinearAxis.style (ShowGrid = false, RangeMode = StyleParam.RangeMode.ToZero))
        |> Chart.withYAxis (Theme.axis "time steps in which a unit fires, %" |> LinearAxis.style (RangeMode = StyleParam.RangeMode.ToZero))
