using BirdResearch.Models;
using static TorchSharp.torch;

namespace BirdResearch.Training;

/// <summary>A copy of the weights and buffers of the best epoch so far.</summary>
sealed class BestWeights(nn.Module model) : ITrainingState, IDisposable
{
    readonly IReadOnlyList<(string Key, Tensor Tensor)> _model = StateDictionary.Of(model);
    Tensor[]? _copy;

    public string StateName => "best";

    public string? StateText => null;

    public IEnumerable<(string Name, Tensor Value)> StateTensors => _copy is null ? [] : _model.Zip(_copy, (m, c) => (m.Key, c));

    /// <summary>Copies the model's present weights.</summary>
    public void Take()
    {
        var copy = Room();
        for (var i = 0; i < copy.Length; i++) _model[i].Tensor.bytes.CopyTo(copy[i].bytes);
    }

    /// <summary>Puts the copy into the model; without one the model stays as it is.</summary>
    public void CopyToModel()
    {
        if (_copy is null) return;
        for (var i = 0; i < _copy.Length; i++) _copy[i].bytes.CopyTo(_model[i].Tensor.bytes);
    }

    public void Restore(Func<string, long[], Tensor?> saved, string? text)
    {
        if (saved(_model[0].Key, _model[0].Tensor.shape) is null) return; // no epoch was evaluated yet
        var copy = Room();
        for (var i = 0; i < copy.Length; i++)
        {
            var value = saved(_model[i].Key, copy[i].shape)
                ?? throw new InvalidDataException($"The checkpoint's best epoch has no '{_model[i].Key}'. Delete it to train from the start.");
            value.bytes.CopyTo(copy[i].bytes);
        }
    }

    Tensor[] Room() => _copy ??= [.. _model.Select(e => e.Tensor.detach().clone().DetachFromDisposeScope())];

    public void Dispose()
    {
        foreach (var tensor in _copy ?? []) tensor.Dispose();
        _copy = null;
    }
}
