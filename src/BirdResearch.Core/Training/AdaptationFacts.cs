namespace BirdResearch.Training;

/// <summary>What was done to bring a model to the domain it is tested in.</summary>
/// <param name="Norms"><c>unlabelled</c> or <c>batch</c>.</param>
/// <param name="Layers">Batch norms of the model.</param>
/// <param name="Recordings">Recordings that statistics were taken from: without labels, or those that were scored.</param>
/// <param name="Windows">Windows of them.</param>
/// <param name="Seconds">Time that estimating took, decoding included; 0 where it is part of scoring.</param>
/// <param name="Weights">
/// What <c>weights.safetensors</c> holds: <c>adapted</c> statistics, which scored soundscapes but neither train nor focal, or <c>source</c>.
/// </param>
public sealed record AdaptationFacts(string Norms, int Layers, int Recordings, int Windows, double Seconds, string Weights)
{
    /// <summary>A sentence for the reader.</summary>
    public override string ToString() => Norms == "unlabelled"
        ? FormattableString.Invariant($"statistics of {Layers} batch norms from {Windows} windows of {Recordings} soundscapes without labels; the saved weights hold them")
        : FormattableString.Invariant($"statistics of {Layers} batch norms from each of {Recordings} soundscapes while it is scored; the saved weights hold training's");
}
