namespace BirdResearch.Data;

/// <summary>Which 5 s of a recording are trained on.</summary>
public enum WindowChoice
{
    /// <summary>A window anywhere in it, another one in every epoch.</summary>
    Random,

    /// <summary>Its first window, where many recordists begin with the bird.</summary>
    First,

    /// <summary>The window with the most energy between <see cref="SamplingSettings.LowHz"/> and <see cref="SamplingSettings.HighHz"/>.</summary>
    Loudest,

    /// <summary>A window, another one in every epoch, that holds sound which stands out from the recording's own noise; random where none does.</summary>
    Detected,

    /// <summary>Every window in every epoch, side by side from its start to its end.</summary>
    All,
}
