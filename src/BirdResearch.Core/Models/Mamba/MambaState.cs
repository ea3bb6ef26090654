using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>What a Mamba block keeps of the tokens that it has seen: a fixed number of values, however long the stream. Changed by each step.</summary>
public sealed class MambaState : IDisposable
{
    internal MambaState(long batch, Tensor aLog, long kernel)
    {
        var (channels, states) = (aLog.shape[0], aLog.shape[1]);
        Recent = zeros(batch, channels, kernel, dtype: aLog.dtype, device: aLog.device).DetachFromDisposeScope();
        Hidden = zeros(batch, channels, states, dtype: aLog.dtype, device: aLog.device).DetachFromDisposeScope();
    }

    /// <summary>The last inputs of the convolution, (B, D, K), newest last.</summary>
    public Tensor Recent { get; }

    /// <summary>The scan's state h, (B, D, N).</summary>
    public Tensor Hidden { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Recent.Dispose();
        Hidden.Dispose();
    }
}
