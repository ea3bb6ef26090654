namespace BirdResearch.Data;

/// <summary>On which side of each of a data set's splits its recordings lie.</summary>
sealed class SplitSides
{
    readonly Dictionary<string, int> _held = [];

    /// <summary>Nothing is split.</summary>
    public static SplitSides None { get; } = new();

    SplitSides()
    {
    }

    /// <summary>Every split that <see cref="Splits"/> makes of the data set.</summary>
    public SplitSides(Dataset data)
    {
        if (data.Focal.Count == 0) return;
        Folds = Splits.Of(data).Folds;
        foreach (var fold in Folds)
            foreach (var clip in Splits.Of(data, fold).Validation) _held[clip.File] = fold;
    }

    /// <summary>The folds.</summary>
    public IReadOnlyList<int> Folds { get; } = [];

    /// <summary>The fold that holds a recording out; null for one that is always trained on.</summary>
    public int? HeldBy(string file) => _held.TryGetValue(file, out var fold) ? fold : null;

    /// <summary>The folds that have one of two focal recordings on each side.</summary>
    public IReadOnlyList<int> Dividing(ScanFile a, ScanFile b)
    {
        if (a.Role != ScanRole.Focal || b.Role != ScanRole.Focal) return [];
        var (one, other) = (HeldBy(a.File), HeldBy(b.File));
        return one == other ? [] : [.. new[] { one, other }.OfType<int>().Order()];
    }
}
