using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>Numbers that take the precision and device of the tensors they meet: kept in double, so exact in both.</summary>
sealed class FixedTensor(double[] values, params long[] shape) : IDisposable
{
    readonly Lock _gate = new();
    Tensor? _made;

    /// <summary>The numbers, as <paramref name="like"/> has its own; owned here, not to be changed or disposed.</summary>
    public Tensor For(Tensor like)
    {
        lock (_gate)
        {
            if (_made is { } made && made.dtype == like.dtype && made.device.ToString() == like.device.ToString()) return made;
            _made?.Dispose();
            using var scope = NewDisposeScope();
            _made = tensor(values, dtype: like.dtype, device: like.device).reshape(shape).DetachFromDisposeScope();
            return _made;
        }
    }

    public void Dispose() => _made?.Dispose();
}
