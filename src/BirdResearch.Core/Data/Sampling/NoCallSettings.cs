using System.Text.Json;

namespace BirdResearch.Data;

/// <summary>Training on windows without any class: all targets 0, so that rain, wind and other voices score low.</summary>
public sealed record NoCallSettings
{
    /// <summary>
    /// Share of an epoch's windows that are such ones, in [0, 0.9]. They take the place of others, drawn afresh every epoch: an epoch costs what
    /// it did. 0 switches it off.
    /// </summary>
    public double Share { get; init; }

    /// <summary>Where they come from; null takes recordings known to hold none where the data set has any, else soundscapes without labels.</summary>
    public NoCallSource? Source { get; init; }

    /// <summary>Throws an error that names the first setting out of its range.</summary>
    public void Check()
    {
        if (Share is not (>= 0 and <= 0.9))
            throw new ArgumentException(FormattableString.Invariant($"training.no_call.share is {Share}; it must be between 0 and 0.9."));
        if (Source is { } source && !Enum.IsDefined(source))
            throw new ArgumentException(
                $"training.no_call.source is {source}; it must be one of {string.Join(", ", Enum.GetNames<NoCallSource>().Select(JsonNamingPolicy.KebabCaseLower.ConvertName))}, or null.");
    }
}
