using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>The statistics that a model's batch norms normalise by in evaluation: estimated anew, mixed with a batch's own, or held still.</summary>
public sealed class NormStatistics
{
    readonly Classifier _model;
    readonly BatchNormAct[] _norms;

    /// <param name="model">Any model; one without batch norms has none to change.</param>
    public NormStatistics(Classifier model) => (_model, _norms) = (model, [.. model.modules().OfType<BatchNormAct>()]);

    /// <summary>Number of batch norms.</summary>
    public int Norms => _norms.Length;

    /// <summary>
    /// Where not null, evaluation normalises every batch by its own statistics mixed with the running ones, which weigh as much as that many clips
    /// (Schneider et al. 2020): 0 takes the batch's alone.
    /// </summary>
    public double? PriorClips
    {
        set
        {
            foreach (var norm in _norms) norm.PriorClips = value;
        }
    }

    /// <summary>
    /// Replaces the running statistics by the mean over batches of those that each batch has by itself, as AdaBN (Li et al. 2016) and torch's
    /// <c>update_bn</c> do; a batch counts by its clips. Weights stay, dropout is off.
    /// </summary>
    /// <param name="sound">Batches (B, T), at least one, of two clips or more each; each is read before the next is asked for.</param>
    /// <param name="features">Makes features (B, channels, rows, frames) of them.</param>
    /// <returns>Clips seen.</returns>
    public long Estimate(IEnumerable<Tensor> sound, Func<Tensor, Tensor> features)
    {
        if (_norms.Length == 0) return 0;
        using var off = no_grad();
        using var whole = NewDisposeScope();
        var (seen, training) = (0L, _model.training);
        var momenta = _norms.Select(n => n.Momentum).ToArray();
        var counters = _norms.Select(n => n.Running[2].clone()).ToArray();
        _model.eval();
        foreach (var norm in _norms) norm.train();
        try
        {
            foreach (var batch in sound)
            {
                using var scope = NewDisposeScope();
                seen += batch.shape[0];
                foreach (var norm in _norms) norm.Momentum = (double)batch.shape[0] / seen;
                _model.forward(features(batch));
            }
        }
        finally
        {
            foreach (var (norm, momentum) in _norms.Zip(momenta)) norm.Momentum = momentum;
            foreach (var (norm, counter) in _norms.Zip(counters)) norm.Running[2].copy_(counter);
            _model.train(training);
        }
        return seen;
    }

    /// <summary>Does what is given without moving the running statistics, though in training mode.</summary>
    internal T Held<T>(Func<T> work)
    {
        var momenta = _norms.Select(n => n.Momentum).ToArray();
        foreach (var norm in _norms) norm.Momentum = 0;
        try
        {
            return work();
        }
        finally
        {
            foreach (var (norm, momentum) in _norms.Zip(momenta)) norm.Momentum = momentum;
        }
    }
}
