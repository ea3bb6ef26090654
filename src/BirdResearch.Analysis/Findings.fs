namespace BirdResearch.Analysis

open System
open BirdResearch.Experiments
open BirdResearch.Analysis.Words
open Deedle
open Plotly.NET
open Plotly.NET.LayoutObjects

/// Runs on one data set under one budget, measured once: their table, what can be said of them, and the figures that a report draws.
type Findings internal (part: Part) =
    let styles = part.Arms |> List.map _.Label |> Theme.styles

    /// A chart with the name of each arm above it, which a report writes outside.
    let named (chart: GenericChart) =
        let key =
            [ for arm in part.Arms do
                  let trace = Marks.markers 1 10 styles[arm.Label] [ nan, nan, "" ]
                  trace.SetProperty("name", Theme.plain arm.Label)
                  trace.SetProperty("showlegend", true)
                  trace :> Trace ]

        let below = Legend.init (Orientation = StyleParam.Orientation.Horizontal, X = 0.0, Y = 1.02, YAnchor = StyleParam.YAnchorPosition.Bottom)
        let height = match GenericChart.tryGetLayoutSize chart with | _, Some height -> height | _ -> 400

        // Traces that are hidden from the key, so that each arm is named once.
        let traces = GenericChart.getTraces chart
        for trace in traces do trace.SetProperty("showlegend", false)

        GenericChart.ofTraceObjects false (traces @ key)
        |> GenericChart.setLayout (GenericChart.getLayout chart)
        |> Chart.withLayout (Layout.init (ShowLegend = true, Height = height + 24 * ((part.Arms.Length + 1) / 2)))
        |> Chart.withLegend below
        |> Chart.withMarginSize (Top = 24 * ((part.Arms.Length + 1) / 2) + 16)

    let need (domain: string) =
        if not (List.contains domain part.Domains) then
            raise (ArgumentException $"These runs were not scored in the domain '{domain}'. Scored: {listed part.Domains}.")

    /// The data set's name.
    member _.Data = part.Data

    /// What each training was given: "20 epochs".
    member _.Budget = part.Budget

    /// The held-out domains in which the runs were scored: focal, soundscape.
    member _.Domains = part.Domains

    /// The runs.
    member _.Runs = part.Runs

    /// Runs that differ in nothing but seed and fold, with means and intervals.
    member _.Arms = part.Arms

    /// Every pair of arms in a domain, with the test between them.
    member _.Comparisons(domain: string) =
        need domain
        part.Comparisons[domain]

    /// A row per arm: means over its runs, and their standard deviation where there are several.
    member _.Table: Frame<string, string> =
        let labels = part.Arms |> List.map _.Label
        let text (name: string) (value: Arm -> string) : string * Series<string, obj> = name, Series(labels, [ for arm in part.Arms -> value arm :> obj ])
        let number (name: string) (value: Arm -> float) : string * Series<string, obj> = name, Series(labels, [ for arm in part.Arms -> Math.Round(value arm, 4) :> obj ])
        let score (pick: Spread -> float) (domain: string) (arm: Arm) = match arm.Domains.TryFind domain with | Some result -> pick result.Map | None -> nan

        [ text "runs" _.Design
          for domain in part.Domains do
              number $"{domain} mAP" (score _.Mean domain)
              if part.Arms |> List.exists (score _.Deviation domain >> Double.IsFinite) then number $"{domain} sd" (score _.Deviation domain)
          number "ROC-AUC" (fun arm -> arm.Mean(Runs.metric "roc_auc" "focal"))
          number "parameters (M)" (fun arm -> arm.Mean(fun run -> float run.Record.Model.Parameters) / 1e6)
          number "training (clips/s)" (fun arm -> arm.Mean _.Record.Cost.TrainClipsPerSecond) ]
        |> Frame.ofColumns

    /// What the numbers say, as sentences that intervals and tests carry, and no more.
    member _.Sentences: string list = Reading.paragraphs (part.Comparisons.Values |> List.concat) part.Arms

    /// The sentences as Markdown.
    member findings.Markdown: string = String.Join("\n\n", findings.Sentences)

    /// Which arms of a domain are told apart, in a sentence for each pair that was tested, the surest first.
    member findings.Apart(domain: string) : string list =
        let tested, untested = findings.Comparisons domain |> List.partition (fun found -> Double.IsFinite found.P)

        [ for found in tested |> List.sortBy _.Holm do
              let verdict = if found.ToldApart then "told apart" else $"not told apart (were they the only pair, {three found.Detectable} would be found in 80 of 100 repetitions)"
              $"{found.Left} less {found.Right}: {signed found.Difference} {Charts.domainName domain} mAP, p {probability found.Holm}: {verdict}."
          for found in untested do
              $"{found.Left} and {found.Right} were not tested: {found.Note}." ]

    /// Mean mAP by arm with its interval, and every run as a marker; a panel per domain.
    member _.Comparison: GenericChart = Charts.comparison styles part.Domains part.Arms

    /// Arms by rank in a domain, those that are not told apart on one bar.
    member _.Ranks(domain: string) : GenericChart =
        need domain
        RankCharts.ranks styles domain part.Comparisons[domain] part.Arms

    /// mAP of focal validation over the epochs of training.
    member _.LearningCurves: GenericChart = CurveCharts.learning styles CurveCharts.epochs "focal_map" "mAP, validation" part.Arms |> named

    /// Loss of training over its epochs.
    member _.LossCurves: GenericChart = CurveCharts.learning styles CurveCharts.epochs "train_loss" "training loss" part.Arms |> named

    /// mAP of training recordings, validation and soundscapes on one line per arm.
    member _.Overfitting: GenericChart = Charts.overfitting styles part.Arms

    /// From focal recordings to soundscapes, a line per arm.
    member _.DomainShift: GenericChart =
        need "soundscape"
        ShiftCharts.slopes styles part.Arms

    /// mAP in a domain against minutes of a hidden test, with the Pareto front.
    member _.Price(domain: string) : GenericChart =
        need domain
        CostCharts.pareto styles domain CostCharts.minutes part.Arms |> named

    /// mAP in a domain against trainable parameters, with the Pareto front.
    member _.Size(domain: string) : GenericChart =
        need domain
        CostCharts.pareto styles domain CostCharts.parameters part.Arms |> named

    /// Average precision by species, lowest validation first.
    member _.Species: GenericChart =
        match Figures.species styles part with
        | { Charts = first :: _ } :: _ -> first
        | _ -> raise (InvalidOperationException "No species of these runs has positives.")

    /// In short.
    override _.ToString() =
        let runs, arms = counted part.Runs.Length "run", counted part.Arms.Length "arm"
        $"{runs} of {arms} on {part.Data}, {part.Budget} each"

    /// The findings of runs, by data set and budget.
    static member AllOf(set: RunSet) : Findings list = Parts.ofRuns set |> List.map Findings

    /// The findings of runs on one data set under one budget.
    static member Of(set: RunSet) : Findings =
        match Findings.AllOf set with
        | [ only ] -> only
        | [] -> raise (ArgumentException $"'{set.Ablation}' has no finished run. Run it first.")
        | several ->
            let parts = several |> List.map (fun found -> $"{found.Data}, {found.Budget}") |> listed
            raise (ArgumentException $"'{set.Ablation}' has runs that do not compare: {parts}. Take one of Findings.AllOf, or choose with Runs.onData.")

    /// The findings of the runs of these records, as they lie in the store.
    static member Of(records: RunRecord seq) : Findings =
        let records = List.ofSeq records
        match records |> List.map _.Ablation |> List.distinct with
        | [] -> raise (ArgumentException "No runs were given.")
        | [ ablation ] ->
            let names = records |> List.map _.Name |> set
            let found = Runs.load ablation
            Findings.Of { found with Runs = found.Runs |> List.filter (fun run -> names.Contains run.Name) }
        | several -> raise (ArgumentException $"The runs are of {several.Length} ablations, {listed several}; take those of one.")

    /// The findings of an ablation's runs, by its name or folder.
    static member Load(ablation: string) : Findings = Findings.Of(Runs.load ablation)
