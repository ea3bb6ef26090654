namespace BirdResearch.Reference;

/// <summary>One comparison of ours with a reference value: where, how far off, and how far off is allowed.</summary>
/// <param name="What">Name of the quantity, such as <c>logits</c> or <c>grad bn1.weight</c>.</param>
/// <param name="Precision">The precision of our run: <c>float64</c> or <c>float32</c>.</param>
/// <param name="Error">The error in the unit of the tolerance; infinite when a name or shape differs.</param>
/// <param name="Tolerance">The largest error allowed.</param>
public sealed record ReferenceFinding(string What, string Precision, double Error, double Tolerance)
{
    /// <summary>Whether the error is within its tolerance; NaN never is.</summary>
    public bool Passed => Error <= Tolerance;
}

/// <summary>Checks the reference files of one kind.</summary>
public interface IReferenceKind
{
    /// <summary>Short name for messages: <c>timm</c>, <c>audio</c>, <c>metrics</c>.</summary>
    string Name { get; }

    /// <summary>Whether this kind can judge the file with that name and root object.</summary>
    bool Knows(string fileName, System.Text.Json.JsonElement root);

    /// <summary>Every comparison that the file allows, in float64 and in float32 where both apply.</summary>
    IEnumerable<ReferenceFinding> Check(System.Text.Json.JsonElement root);
}
