using BirdResearch.Export.Graph;

namespace BirdResearch.Export;

/// <summary>A batch of feature maps (B, channels, rows, frames) in a graph; all but B is known when the graph is made.</summary>
readonly record struct FeatureMap(OnnxValue Value, long Channels, long Rows, long Frames);
