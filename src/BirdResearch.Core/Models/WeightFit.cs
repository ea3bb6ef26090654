namespace BirdResearch.Models;

/// <summary>How a weight file may differ from the model.</summary>
public enum WeightFit
{
    /// <summary>The same keys and shapes.</summary>
    Strict,

    /// <summary>
    /// Other channel counts (the stem's kernel is summed or repeated), other classes or none (the head keeps its initial values) and whatever
    /// the model itself can fit (<see cref="Classifier.Adapt"/>) are adapted; keys may carry the prefixes of wrappers (<c>module.</c>, <c>model.</c>,
    /// <c>_orig_mod.</c>), and the file may hold more than the model needs.
    /// </summary>
    Adapt,
}
