using static TorchSharp.torch;

namespace BirdResearch.Training;

/// <summary>Something beside weights and moments that a training must find again when it goes on from a checkpoint.</summary>
public interface ITrainingState
{
    /// <summary>Its name in the checkpoint.</summary>
    string StateName { get; }

    /// <summary>Tensors to be saved, by names of its own.</summary>
    IEnumerable<(string Name, Tensor Value)> StateTensors { get; }

    /// <summary>Text to be saved, or null.</summary>
    string? StateText { get; }

    /// <summary>Takes up what was saved.</summary>
    /// <param name="saved">The tensor of a name and a shape, or null where the checkpoint has none such; it ends with the call.</param>
    /// <param name="text">The text, or null.</param>
    void Restore(Func<string, long[], Tensor?> saved, string? text);
}
