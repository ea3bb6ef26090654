namespace BirdResearch.Analysis

open System

/// The runs on one data set under one budget, measured: what compares fairly.
type internal Part =
    { Data: string
      /// Of every run: "20 epochs".
      Budget: string
      /// What tells it from the other parts of a report: data set, budget or both; empty where it is the only one.
      Title: string
      Runs: Run list
      Arms: Arm list
      /// Every pair of arms, by domain.
      Comparisons: Map<string, Comparison list> }

    /// The held-out domains that any arm was scored in.
    member part.Domains =
        Runs.domains |> List.filter (fun domain -> domain <> "train" && part.Arms |> List.exists _.Domains.ContainsKey(domain))

    /// Readable names of classes.
    member part.Names =
        part.Runs |> List.map _.CommonNames |> List.tryFind (Map.isEmpty >> not) |> Option.defaultValue Map.empty

/// Divides runs into what compares fairly.
module internal Parts =
    /// The parts of a report: by data set, and within it by budget.
    let ofRuns (set: RunSet) : Part list =
        let byData = Runs.byData set

        [ for data, runs in byData do
              let byBudget = Runs.byBudget runs
              for budget, own in byBudget do
                  let arms = own |> Arms.ofRuns |> Arms.withIntervals Statistics.defaultResamples
                  let scored = Runs.domains |> List.filter (fun domain -> domain <> "train" && arms |> List.exists _.Domains.ContainsKey(domain))

                  { Data = data
                    Budget = budget
                    Title = String.Join(", ", (if byData.Length > 1 then [ data ] else []) @ (if byBudget.Length > 1 then [ budget ] else []))
                    Runs = own
                    Arms = arms
                    Comparisons = Map [ for domain in scored -> domain, Comparisons.ofArms domain arms ] } ]
