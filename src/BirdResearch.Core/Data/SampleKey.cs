namespace BirdResearch.Data;

/// <summary>
/// Which training sample this is: what every random number about it is made of, so that the numbers depend neither on the batch it falls into,
/// nor on the rows beside it, nor on the number of threads.
/// </summary>
/// <param name="Seed">The experiment's seed.</param>
/// <param name="Epoch">Number of the epoch, from 0.</param>
/// <param name="Clip">Id of the clip.</param>
/// <param name="Draw">How many samples of this clip came before in this epoch.</param>
public readonly record struct SampleKey(long Seed, int Epoch, string Clip, int Draw = 0)
{
    /// <summary>The random numbers of this sample for one purpose, such as the name of an augmentation.</summary>
    public CounterRandom RandomFor(string purpose) =>
        new(Seed, CounterRandom.KeyOf(purpose), Epoch, CounterRandom.KeyOf(Clip), Draw);
}

/// <summary>Changes the samples of one training window in place; called on reading threads, several at a time.</summary>
public delegate void WindowChange(SampleKey key, Span<float> window);
