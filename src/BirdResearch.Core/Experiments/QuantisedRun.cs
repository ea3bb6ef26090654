namespace BirdResearch.Experiments;

/// <summary>What a model gives on held-out recordings.</summary>
/// <param name="MeanAveragePrecision">Macro mAP.</param>
/// <param name="RocAuc">Macro ROC-AUC of the classes where both labels occur.</param>
/// <param name="Bytes">Size of its file.</param>
public sealed record MeasuredFile(double MeanAveragePrecision, double RocAuc, long Bytes);

/// <summary>A trained model in 8-bit integers, beside the same in float32.</summary>
/// <param name="Path">Where the file is, or would be.</param>
/// <param name="IsWritten">Whether it was written.</param>
/// <param name="Convolutions">Convolutions that became integer ones.</param>
/// <param name="CalibrationWindows">Windows of training recordings that gave the ranges.</param>
/// <param name="Recordings">Held-out recordings that both scored.</param>
/// <param name="Float">The float32 form.</param>
/// <param name="Integer">The 8-bit form.</param>
/// <param name="Speed">How many times as fast as in float32 it scores sound, both in onnxruntime on as many threads.</param>
public sealed record QuantisedRun(
    string Path, bool IsWritten, int Convolutions, int CalibrationWindows, int Recordings, MeasuredFile Float, MeasuredFile Integer, double Speed)
{
    /// <summary>Least gain in speed, and largest loss of mAP, for which the 8-bit form pays.</summary>
    public const double LeastSpeed = 1.1, LargestLoss = 0.01;

    /// <summary>mAP that the 8-bit form loses.</summary>
    public double Loss => Float.MeanAveragePrecision - Integer.MeanAveragePrecision;

    /// <summary>Why it does not pay, or null where it does.</summary>
    public string? Drawback =>
        !(Speed >= LeastSpeed) ? FormattableString.Invariant($"it is {Speed:0.000} times as fast as float32, and must be {LeastSpeed:0.000} times")
        : !(Loss <= LargestLoss) ? FormattableString.Invariant($"it loses {Loss:0.0000} of mAP, and may lose {LargestLoss:0.0000}")
        : null;
}
