namespace BirdResearch.Data;

/// <summary>
/// Windows of sound with their labels, ready to become two tensors. Disposing of it lends its samples to a later batch; one that is
/// not disposed of stays as it is.
/// </summary>
/// <param name="Samples">B x T samples, row-major; not to be touched after disposing.</param>
/// <param name="Labels">B x C labels in [0, 1], row-major.</param>
/// <param name="Ids">The clip of each row, B of them; a recording of several windows comes several times.</param>
public sealed record ClipBatch(float[] Samples, float[] Labels, IReadOnlyList<string> Ids) : IDisposable
{
    SampleArrays? _owner;

    /// <summary>What each row's random numbers are made of, B of them in training; empty in evaluation, where nothing is random.</summary>
    public IReadOnlyList<SampleKey> Keys { get; init; } = [];

    /// <summary>B x C weights of the labels in the loss, 0 for a label that is not known; null where all count alike.</summary>
    public float[]? LabelWeights { get; init; }

    /// <summary>How long the one who asked for this batch stood still until it was ready.</summary>
    public TimeSpan Waited { get; internal set; }

    /// <summary>Rows B.</summary>
    public int Count => Ids.Count;

    /// <summary>Samples of one window, T.</summary>
    public int WindowSamples => Samples.Length / Count;

    /// <summary>Classes C.</summary>
    public int Classes => Labels.Length / Count;

    /// <summary>Where the samples go when they are no longer needed.</summary>
    internal SampleArrays? Owner { init => _owner = value; }

    /// <summary>Gives the samples back.</summary>
    public void Dispose() => Interlocked.Exchange(ref _owner, null)?.Return(Samples);
}
