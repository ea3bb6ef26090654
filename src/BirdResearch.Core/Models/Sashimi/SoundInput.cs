namespace BirdResearch.Models;

/// <summary>How a SaShiMi classifier reads its input.</summary>
public enum SoundInput
{
    /// <summary>A linear layer over all rows of a frame.</summary>
    Linear,

    /// <summary>An embedding of every sample's 8-bit mu-law code, as SaShiMi's generative models have it; for one row alone.</summary>
    MuLaw,
}
