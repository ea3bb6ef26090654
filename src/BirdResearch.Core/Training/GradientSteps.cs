using BirdResearch.Kernels;
using BirdResearch.Models;
using static TorchSharp.torch;

namespace BirdResearch.Training;

/// <summary>
/// The optimiser steps of one epoch. Losses come as sums, so that the gradient of a group of batches is that of one large batch; the division
/// by what they count together happens in the step.
/// </summary>
sealed class GradientSteps
{
    readonly Classifier _model;
    readonly AdamW _optimiser;
    readonly TrainingSettings _settings;
    readonly WeightAverage? _average;
    readonly SharpGradient? _sharp;
    readonly Func<long, double> _learningRateAt, _shareAt;
    double _count;
    int _batches;

    /// <param name="model">What learns.</param>
    /// <param name="optimiser">What steps.</param>
    /// <param name="settings">Training set-up.</param>
    /// <param name="average">Weights that follow, or null.</param>
    /// <param name="sharp">What makes gradients aware of sharpness, or null.</param>
    /// <param name="learningRateAt">Learning rate of the training's step with that index, counted from 0.</param>
    /// <param name="shareAt">Share of the budget that is spent after so many steps.</param>
    public GradientSteps(
        Classifier model, AdamW optimiser, TrainingSettings settings, WeightAverage? average, SharpGradient? sharp,
        Func<long, double> learningRateAt, Func<long, double> shareAt) =>
        (_model, _optimiser, _settings, _average, _sharp, _learningRateAt, _shareAt) =
            (model, optimiser, settings, average, sharp, learningRateAt, shareAt);

    /// <summary>Learning rate of the last step.</summary>
    public double LearningRate { get; private set; }

    /// <summary>Takes up one batch's loss, a forward pass, steps when the group is full, and returns the batch's mean loss.</summary>
    public double Add(Func<(Tensor Sum, double Count)> loss)
    {
        var (sum, count) = _sharp is null ? Backward(loss) : _sharp.Backward(loss);
        var value = sum / count;
        if (!double.IsFinite(value)) throw Diverged($"loss {value}");
        _count += count;
        if (++_batches == _settings.Accumulate) Step();
        return value;
    }

    static (double Sum, double Count) Backward(Func<(Tensor Sum, double Count)> loss)
    {
        var (sum, count) = loss();
        sum.backward();
        return (sum.item<float>(), count);
    }

    /// <summary>Steps with what is left of an unfinished group.</summary>
    public void Finish()
    {
        if (_batches > 0) Step();
    }

    void Step()
    {
        LearningRate = _learningRateAt(_optimiser.Steps);
        var norm = _optimiser.Step(LearningRate, _settings.ClipNorm, 1 / _count);
        if (!double.IsFinite(norm)) throw Diverged($"gradient norm {norm}");
        _average?.Update(_optimiser.Steps, _shareAt(_optimiser.Steps));
        (_count, _batches) = (0, 0);
    }

    InvalidOperationException Diverged(string what) => new(
        $"Training of {_model.ModelName} diverged in step {_optimiser.Steps + 1} ({what}). " +
        "Lower training.learning_rate or training.clip_norm.");
}
