namespace BirdResearch.Analysis

/// One arm in a line: what a terminal prints at the end of an ablation. Figures are means over runs; nan where not known.
type SummaryRow =
    { Model: string
      /// Front-end, with the settings that set the arm apart from others of the same model and front-end.
      FrontEnd: string
      Data: string
      Seeds: int
      Folds: int
      /// Macro mAP of focal validation in 0 to 1, and its standard deviation over runs.
      FocalMap: float
      FocalDeviation: float
      /// Macro mAP of the soundscape test in 0 to 1, and its standard deviation over runs.
      SoundscapeMap: float
      SoundscapeDeviation: float
      /// Share of held-out recordings whose highest score is their class, and its interval over recordings; nan and None for many labels.
      Accuracy: float
      AccuracyInterval: Interval option
      /// Macro ROC-AUC of focal validation in 0 to 1.
      RocAuc: float
      TrainClipsPerSecond: float
      Parameters: float }

/// The result of an ablation as plain rows.
[<RequireQualifiedAccess>]
module Summary =
    let private spread (domain: string) (arm: Arm) =
        match arm.Domains.TryFind domain with
        | Some result -> result.Map
        | None -> Statistics.spread []

    let private accuracyInterval (arm: Arm) =
        let found = arm.Runs |> List.map (Runs.scores "focal")

        if found |> List.forall Result.isOk then
            Statistics.accuracyInterval Statistics.defaultResamples (found |> List.choose Result.toOption)
        else
            None

    let private row (arm: Arm) =
        let accuracy = arm.Mean(Runs.metric "accuracy" "focal")
        let focal, soundscape = spread "focal" arm, spread "soundscape" arm

        { Model = arm.Model
          FrontEnd = if arm.Distinction = "" then arm.FrontEnd else $"{arm.FrontEnd}, {arm.Distinction}"
          Data = arm.Data
          Seeds = arm.Runs |> List.distinctBy _.Record.Trial.Seed |> List.length
          Folds = arm.Runs |> List.distinctBy _.Record.Trial.Fold |> List.length
          Accuracy = accuracy
          AccuracyInterval = if System.Double.IsNaN accuracy then None else accuracyInterval arm
          FocalMap = focal.Mean
          FocalDeviation = focal.Deviation
          SoundscapeMap = soundscape.Mean
          SoundscapeDeviation = soundscape.Deviation
          RocAuc = arm.Mean(Runs.metric "roc_auc" "focal")
          TrainClipsPerSecond = arm.Mean _.Record.Cost.TrainClipsPerSecond
          Parameters = arm.Mean(fun run -> float run.Record.Model.Parameters) }

    /// A row per arm, by data set, budget, model and front-end.
    let table (set: RunSet) : SummaryRow list = set |> Runs.byData |> List.collect (fun (_, runs) -> Arms.ofRuns runs |> List.sortBy (fun arm -> string arm.Runs.Head.Record.Trial.Training.Budget) |> List.map row)

    /// Whether several folds were held out, and whether accuracy is the question: not where soundscapes, in which several birds may be heard
    /// at once, are the test. The columns are shown only then.
    let private shown (rows: SummaryRow list) =
        rows |> List.exists (fun row -> row.Folds > 1), rows |> List.exists (fun row -> System.Double.IsFinite row.Accuracy && System.Double.IsNaN row.SoundscapeMap)

    /// Heads of the columns that cells gives.
    let heads (rows: SummaryRow list) : string list =
        let folds, accuracy = shown rows

        [ "Model"; "Front-end"; "Data"; "Seeds"
          if folds then "Folds"
          if accuracy then "Accuracy"
          "Focal mAP"; "Soundscape mAP"; "ROC-AUC"; "Train clips/s"; "Parameters (M)" ]

    /// Each row as text under heads: mean ± standard deviation where several runs give one, and an interval over recordings.
    let cells (rows: SummaryRow list) : string list list =
        let folds, accuracy = shown rows

        let spread mean deviation =
            if System.Double.IsNaN deviation then Words.three mean else $"{Words.three mean} ± {Words.three deviation}"

        let within (row: SummaryRow) =
            match row.AccuracyInterval with
            | Some interval -> $"{Words.three row.Accuracy} ({Words.three interval.Low} to {Words.three interval.High})"
            | None -> Words.three row.Accuracy

        [ for row in rows do
              [ row.Model
                row.FrontEnd
                row.Data
                string row.Seeds
                if folds then string row.Folds
                if accuracy then within row
                spread row.FocalMap row.FocalDeviation
                spread row.SoundscapeMap row.SoundscapeDeviation
                Words.three row.RocAuc
                Words.significant row.TrainClipsPerSecond
                Words.significant (row.Parameters / 1e6) ] ]
