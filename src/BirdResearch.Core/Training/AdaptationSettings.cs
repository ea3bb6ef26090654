using System.Text.Json;

namespace BirdResearch.Training;

/// <summary>How a trained model is brought to the domain it is tested in, without labels. Scores of focal recordings stay those of training.</summary>
public sealed record AdaptationSettings
{
    /// <summary>Whose statistics the batch norms take for soundscapes: <c>none</c> leaves training's, <c>unlabelled</c>, <c>batch</c>.</summary>
    public AdaptedNorms Norms { get; init; } = AdaptedNorms.None;

    /// <summary>Windows of soundscapes without labels that <see cref="AdaptedNorms.Unlabelled"/> estimates from, at most; evenly spread over all of them.</summary>
    public int Windows { get; init; } = 512;

    /// <summary>
    /// With <see cref="AdaptedNorms.Batch"/>, how many windows training's statistics weigh as much as: N of N / (N + n), where n windows are scored
    /// together. 0 trusts the recording alone.
    /// </summary>
    public double PriorWindows { get; init; } = 16;

    /// <summary>With <see cref="AdaptedNorms.Batch"/>, most windows of a recording that are scored together; a longer one is divided.</summary>
    public int MostTogether { get; init; } = 64;

    /// <summary>Throws an error that names the first setting out of its range.</summary>
    public void Check()
    {
        if (!Enum.IsDefined(Norms))
            throw new ArgumentException(
                $"training.adaptation.norms is {Norms}; it must be one of {string.Join(", ", Enum.GetNames<AdaptedNorms>().Select(JsonNamingPolicy.KebabCaseLower.ConvertName))}.");
        if (Windows < 2) throw new ArgumentException($"training.adaptation.windows is {Windows}; it must be at least 2.");
        if (PriorWindows is not (>= 0 and < 1e9))
            throw new ArgumentException(FormattableString.Invariant($"training.adaptation.prior_windows is {PriorWindows}; it must be at least 0 and below 1e9."));
        if (MostTogether < 1) throw new ArgumentException($"training.adaptation.most_together is {MostTogether}; it must be at least 1.");
    }
}
