namespace BirdResearch.Training;

/// <summary>A column of the epochs that early stop and the choice of weights go by.</summary>
static class WatchedMetric
{
    public static IReadOnlyList<string> Names { get; } = ["focal_map", "focal_auc", "focal_loss", "train_loss"];

    /// <summary>Whether it needs recordings that are held out.</summary>
    public static bool NeedsValidation(string name) => name != "train_loss";

    /// <summary>Its value in an evaluated epoch, the higher the better (losses negated); null where it is not defined.</summary>
    public static double? Of(string name, EpochRow row) => name switch
    {
        "focal_map" => row.FocalMap,
        "focal_auc" => row.FocalAuc,
        "focal_loss" => -row.FocalLoss,
        _ => -row.TrainLoss,
    };
}
