namespace BirdResearch.Analysis

open System
open Plotly.NET
open Plotly.NET.LayoutObjects
open BirdResearch.Analysis.Marks
open BirdResearch.Analysis.Words

/// From the recordings that were trained on to where the birds are heard.
[<RequireQualifiedAccess>]
module ShiftCharts =
    /// Focal and soundscape mAP of each arm joined by a line, with the arm's name and the signed gap (soundscape less focal) behind it.
    let slopes (styles: Map<string, ArmStyle>) (arms: Arm list) : GenericChart =
        let shown = arms |> List.filter (Arms.domainGap >> Double.IsFinite)
        let height = max 360 (22 * shown.Length + 130)
        let ends = [ for arm in shown -> Arms.map "soundscape" arm ]
        let highest = shown |> List.collect (fun arm -> [ Arms.map "focal" arm; Arms.map "soundscape" arm ]) |> List.fold max 0.0
        let top = Theme.scoreTop highest
        let places = apart (17.0 * top / float (height - 86)) (0.0, top) ends

        let label (arm: Arm) (place: float) =
            let gap = $"<b>{signed -(Arms.domainGap arm)}</b>"
            beside 0.585 place Theme.ink $"{gap}  {Theme.plain arm.Label}"

        let hover (arm: Arm) (domain: string) =
            let result = arm.Domains[domain]

            let interval =
                match result.Interval with
                | Some found -> $"<br>95 %% interval {three found.Low} to {three found.High}"
                | None -> ""

            $"{Theme.plain arm.Label}<br>{Charts.domainName domain} mAP {three result.Map.Mean}, {arm.Design}{interval}<br>soundscape − focal {signed -(Arms.domainGap arm)}"

        let leader (arm: Arm) (place: float) =
            let style = { styles[arm.Label] with Colour = Theme.line; Dash = StyleParam.DrawingStyle.Solid }
            lineAt style 1.0 [ 1.02, Arms.map "soundscape" arm; 1.08, place ]

        let axis =
            namedAxis "" [ Charts.domainTitle "focal"; Charts.domainTitle "soundscape" ]
            |> LinearAxis.style (
                Domain = StyleParam.Range.MinMax(0.0, 0.58), Range = StyleParam.Range.MinMax(-0.12, 1.09), ShowLine = false, TickFont = Theme.font 12.5 Theme.ink)

        [ for arm, place in List.zip shown places do
              let style, focal, far = styles[arm.Label], Arms.map "focal" arm, Arms.map "soundscape" arm
              leader arm place
              lineAt style 2.0 [ 0.0, focal; 1.0, far ]
              markers 1 10 style [ 0.0, focal, hover arm "focal"; 1.0, far, hover arm "soundscape" ] ]
        |> finish height 58 34 (above 0.585 12.0 Theme.muted "soundscape − focal" :: List.map2 label shown places) [ upright 1 0.0; upright 1 1.0 ]
        |> Chart.withXAxis axis
        |> Chart.withYAxis (Theme.scoreAxis "macro mAP" highest)

    /// mAP against a knob of a synthetic world, a line per arm; arms stand a little beside each other, so that intervals can be told apart.
    let robustness (styles: Map<string, ArmStyle>) (knob: string) (curves: (Arm * RobustPoint list) list) : GenericChart =
        let top (point: RobustPoint) = match point.Interval with Some found -> found.High | None -> point.Map
        let highest = [ for _, points in curves do for point in points -> top point ] |> List.fold max 0.0
        let values = [ for _, points in curves do for point in points -> point.Value ]
        let step = 0.012 * (List.max values - List.min values)

        [ for number, (arm, points) in List.indexed curves do
              let style, name = styles[arm.Label], Theme.plain arm.Label
              let place (point: RobustPoint) = point.Value + step * (float number - float (curves.Length - 1) / 2.0)
              lineAt style 2.0 [ for point in points -> place point, point.Map ]

              for point in points do
                  let interval =
                      match point.Interval with
                      | Some found -> $"<br>95 %% interval {three found.Low} to {three found.High} over {found.Recordings} recordings"
                      | None -> ""

                  let mark = markers 1 9 style [ place point, point.Map, $"{name}<br>{Theme.plain (Robustness.title knob)} {significant point.Value}: mAP {three point.Map}{interval}" ]

                  match point.Interval with
                  | Some found -> mark |> Trace2DStyle.Scatter(YError = whiskers style.Colour point.Map found)
                  | None -> mark ]
        |> finish 340 58 12 [] []
        |> Chart.withXAxis (Theme.axis (Theme.plain (Robustness.title knob)) |> LinearAxis.style (NTicks = 7))
        |> Chart.withYAxis (Theme.scoreAxis "macro mAP" highest)
