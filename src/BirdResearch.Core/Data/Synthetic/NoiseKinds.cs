namespace BirdResearch.Data;

/// <summary>What may lie under the birds of a synthetic soundscape; each one takes some of these.</summary>
[Flags]
public enum NoiseKinds
{
    /// <summary>Only the faint hush that every place has.</summary>
    None = 0,

    /// <summary>Low rumble in gusts.</summary>
    Wind = 1,

    /// <summary>Hiss with single drops.</summary>
    Rain = 2,

    /// <summary>Crickets, bush-crickets and cicadas: narrow bands in pulses, in the range of the birds.</summary>
    Insects = 4,

    /// <summary>Running water: wide, steady noise.</summary>
    Stream = 8,

    /// <summary>All of them.</summary>
    All = Wind | Rain | Insects | Stream,
}
