namespace BirdResearch.Inference.Detections;

/// <summary>A class that was heard in a window.</summary>
/// <param name="File">The recording.</param>
/// <param name="Start">First second of the window.</param>
/// <param name="End">Second after its last.</param>
/// <param name="Class">Class name.</param>
/// <param name="CommonName">Readable name, or the class name where none is known.</param>
/// <param name="ScientificName">Scientific name, or empty.</param>
/// <param name="Score">Probability, 0 to 1.</param>
public sealed record Detection(string File, double Start, double End, string Class, string CommonName, string ScientificName, double Score);
