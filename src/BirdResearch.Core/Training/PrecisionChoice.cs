using System.Text.Json;
using BirdResearch.Models;
using static TorchSharp.torch;

namespace BirdResearch.Training;

/// <summary>The number format that a training takes its products in, and how it came to be chosen.</summary>
/// <param name="Asked">The setting: <c>fp32</c>, <c>bf16</c> or <c>auto</c>.</param>
/// <param name="Taken"><c>fp32</c> or <c>bf16</c>.</param>
/// <param name="Why">How <c>auto</c> decided, in words; empty where the setting says it.</param>
public sealed record PrecisionChoice(string Asked, string Taken, string Why);

/// <summary>Settles the precision once per training: a training that goes on keeps the choice of its first sitting.</summary>
sealed class PrecisionChooser(string asked, Classifier model, Func<PrecisionChoice> measure) : ITrainingState
{
    PrecisionChoice? _choice;

    public PrecisionChoice Choice => _choice ?? throw new InvalidOperationException("The precision is settled when training begins.");

    public string StateName => "precision";

    public string? StateText => JsonSerializer.Serialize(_choice);

    public IEnumerable<(string Name, Tensor Value)> StateTensors => [];

    /// <summary>Chooses, unless a checkpoint has told, and has the model follow.</summary>
    public void Settle()
    {
        _choice ??= asked == ProductPrecision.Auto ? measure() : new PrecisionChoice(asked, asked, "");
        ProductPrecision.Apply(_choice.Taken, model);
    }

    public void Restore(Func<string, long[], Tensor?> saved, string? text)
    {
        if (text is not null) _choice = JsonSerializer.Deserialize<PrecisionChoice>(text);
    }
}
