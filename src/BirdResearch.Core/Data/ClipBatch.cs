namespace BirdResearch.Data;

/// <summary>Windows of sound with their labels, ready to become two tensors.</summary>
/// <param name="Samples">B x T samples, row-major.</param>
/// <param name="Labels">B x C labels, 0 or 1, row-major.</param>
/// <param name="Ids">The clip of each row, B of them; a recording of several windows comes several times.</param>
public sealed record ClipBatch(float[] Samples, float[] Labels, IReadOnlyList<string> Ids)
{
    /// <summary>What each row's random numbers are made of, B of them in training; empty in evaluation, where nothing is random.</summary>
    public IReadOnlyList<SampleKey> Keys { get; init; } = [];

    /// <summary>Rows B.</summary>
    public int Count => Ids.Count;

    /// <summary>Samples of one window, T.</summary>
    public int WindowSamples => Samples.Length / Count;

    /// <summary>Classes C.</summary>
    public int Classes => Labels.Length / Count;
}
