namespace BirdResearch.Analysis

/// One arm in a line: what a terminal prints at the end of an ablation. Figures are means over runs; nan where not known.
type SummaryRow =
    { Model: string
      /// Front-end, with the settings that set the arm apart from others of the same model and front-end.
      FrontEnd: string
      Data: string
      Seeds: int
      /// Macro mAP of focal validation in 0 to 1, and its standard deviation over runs.
      FocalMap: float
      FocalDeviation: float
      /// Macro mAP of the soundscape test in 0 to 1, and its standard deviation over runs.
      SoundscapeMap: float
      SoundscapeDeviation: float
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

    let private row (arm: Arm) =
        let focal, soundscape = spread "focal" arm, spread "soundscape" arm

        { Model = arm.Model
          FrontEnd = if arm.Distinction = "" then arm.FrontEnd else $"{arm.FrontEnd}, {arm.Distinction}"
          Data = arm.Data
          Seeds = arm.Runs |> List.distinctBy _.Record.Trial.Seed |> List.length
          FocalMap = focal.Mean
          FocalDeviation = focal.Deviation
          SoundscapeMap = soundscape.Mean
          SoundscapeDeviation = soundscape.Deviation
          RocAuc = arm.Mean(Runs.metric "roc_auc" "focal")
          TrainClipsPerSecond = arm.Mean _.Record.Cost.TrainClipsPerSecond
          Parameters = arm.Mean(fun run -> float run.Record.Model.Parameters) }

    /// A row per arm, by data set, model and front-end.
    let table (set: RunSet) : SummaryRow list = set |> Runs.byData |> List.collect (fun (_, runs) -> Arms.ofRuns runs |> List.map row)

    /// Heads of the columns that cells gives.
    let heads = [ "Model"; "Front-end"; "Data"; "Seeds"; "Focal mAP"; "Soundscape mAP"; "ROC-AUC"; "Train clips/s"; "Parameters (M)" ]

    /// A row as text under heads: mean ± standard deviation where several runs give one.
    let cells (row: SummaryRow) : string list =
        let spread mean deviation =
            if System.Double.IsNaN deviation then Words.three mean else $"{Words.three mean} ± {Words.three deviation}"

        [ row.Model
          row.FrontEnd
          row.Data
          string row.Seeds
          spread row.FocalMap row.FocalDeviation
          spread row.SoundscapeMap row.SoundscapeDeviation
          Words.three row.RocAuc
          Words.significant row.TrainClipsPerSecond
          Words.significant (row.Parameters / 1e6) ]
