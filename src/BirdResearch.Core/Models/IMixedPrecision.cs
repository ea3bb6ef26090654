namespace BirdResearch.Models;

/// <summary>A module whose matrix products can run in bfloat16 while its weights, norms and states stay in float32.</summary>
public interface IMixedPrecision
{
    /// <summary>Whether matrix products are taken in bfloat16.</summary>
    bool Bfloat16 { get; set; }
}
