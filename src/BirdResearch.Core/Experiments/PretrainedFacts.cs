namespace BirdResearch.Experiments;

/// <summary>The weights that a run started from, and how they fitted its model.</summary>
/// <param name="File">Name of the file.</param>
/// <param name="Sha256">Digest of its content, hexadecimal.</param>
/// <param name="Format">Its format, in words.</param>
/// <param name="Loaded">Number of tensors taken as they are.</param>
/// <param name="Adapted">Keys whose values were fitted to the model, with what was done.</param>
/// <param name="Missing">Keys of the model that kept their initial values.</param>
/// <param name="Unexpected">Keys of the file that the model has no use for.</param>
public sealed record PretrainedFacts(
    string File, string Sha256, string Format, int Loaded,
    IReadOnlyList<string> Adapted, IReadOnlyList<string> Missing, IReadOnlyList<string> Unexpected);
