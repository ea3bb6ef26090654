using BirdResearch.Data;

namespace BirdResearch.Features;

/// <summary>Sound to put behind training windows. Several threads may read at a time.</summary>
public interface IBackgroundSounds
{
    /// <summary>Fills a window with sound that the random numbers choose.</summary>
    /// <param name="random">Chooses recording and place.</param>
    /// <param name="clip">Id of the clip that it is for; its own recording is not chosen.</param>
    /// <param name="window">Receives samples at the training's rate.</param>
    void Read(CounterRandom random, string clip, Span<float> window);
}
