using BirdResearch.Kernels;
using BirdResearch.Models;
using static TorchSharp.torch;

namespace BirdResearch.Training;

/// <summary>What training settings and a model together say about each parameter's optimisation.</summary>
public static class ParameterRules
{
    /// <summary>AdamW over a model's parameters, by the settings.</summary>
    public static AdamW Optimiser(Classifier model, TrainingSettings settings)
    {
        if (settings.LayerDecay != 1 && model.Depths == 1)
            throw new ArgumentException(
                $"training.layer_decay is {settings.LayerDecay}, but {model.ModelName} does not tell its layers apart; leave it at 1.");
        if (settings.HeadLearningRateFactor != 1 && !model.named_parameters().Any(p => model.IsHead(p.name)))
            throw new ArgumentException(
                $"training.head_learning_rate_factor is {settings.HeadLearningRateFactor}, but {model.ModelName} names no head; leave it at 1.");
        return new AdamW(model.named_parameters(), settings.WeightDecay, (key, parameter) => Of(model, settings, key, parameter))
        {
            Beta1 = settings.Beta1,
            Beta2 = settings.Beta2,
        };
    }

    /// <summary>
    /// The rule of one parameter: layer-wise decay counted down from the head, the head's own factor, and what the model says of limits
    /// and weight decay.
    /// </summary>
    public static ParameterRule Of(Classifier model, TrainingSettings settings, string key, Tensor parameter) => new()
    {
        LearningRateFactor =
            Math.Pow(settings.LayerDecay, model.Depths - 1 - model.DepthOf(key)) * (model.IsHead(key) ? settings.HeadLearningRateFactor : 1),
        HighestLearningRate = model.LearningRateLimitOf(key),
        IsDecayed = model.IsDecayed(key, parameter),
    };
}
