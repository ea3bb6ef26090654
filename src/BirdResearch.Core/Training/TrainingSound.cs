using BirdResearch.Data;
using static TorchSharp.torch;

namespace BirdResearch.Training;

/// <summary>Sound of the training side of a split as it is, for what is fitted or estimated beside the weights.</summary>
static class TrainingSound
{
    const int BatchSize = 8;

    /// <summary>
    /// Batches (b, T) until there were as many clips as wanted, drawn like those of training epochs, without augmentation: a pure function of the seed
    /// and of the recordings. Each lives until the next is asked for.
    /// </summary>
    public static IEnumerable<Tensor> Batches(WindowReader reader, Dataset data, Split split, int seed, int clips, CancellationToken cancellation)
    {
        for (int epoch = 0, given = 0; given < clips; epoch++)
            foreach (var batch in ClipBatches.Training(reader, split.Train, data.Classes, BatchSize, seed, epoch, cancellation: cancellation))
            {
                using var sound = tensor(batch.Samples, [batch.Count, batch.WindowSamples]);
                yield return sound;
                if ((given += batch.Count) >= clips) yield break;
            }
    }
}
