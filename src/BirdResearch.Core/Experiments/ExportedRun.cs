using BirdResearch.Inference;

namespace BirdResearch.Experiments;

/// <summary>A model file that was checked against torch and written.</summary>
/// <param name="Path">The file.</param>
/// <param name="Card">What its metadata say.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Nodes">Operations of its graph, before onnxruntime joins some.</param>
/// <param name="InventedWindows">Windows of noise, silence and clicks that were compared.</param>
/// <param name="RealWindows">Windows of recordings that were compared; 0 where the data set is not at hand.</param>
/// <param name="Worst">Largest difference of a logit, as a share of torch's largest over all windows.</param>
/// <param name="Speed">How many times as fast as torch it scores, on as many threads.</param>
public sealed record ExportedRun(string Path, ModelCard Card, long Bytes, int Nodes, int InventedWindows, int RealWindows, double Worst, double Speed);
