using System.Runtime.InteropServices;
using BirdResearch.Kernels;
using BirdResearch.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Training;

/// <summary>The gradient of sharpness-aware minimisation: that of the loss at w + e, where e is the steepest way up from w within the radius.</summary>
sealed class SharpGradient
{
    const float Eta = 0.01f; // ASAM's own: weights near 0 may move too

    readonly SharpnessSettings _settings;
    readonly Parameter[] _parameters;
    readonly float[][] _weights;
    readonly NormStatistics _norms;

    /// <param name="model">Whose gradient it is; its trainable parameters are float32 on the CPU.</param>
    /// <param name="settings">The radius, above 0.</param>
    public SharpGradient(Classifier model, SharpnessSettings settings)
    {
        (_settings, _norms) = (settings, new NormStatistics(model));
        _parameters = [.. model.parameters().Where(p => p.requires_grad)];
        _weights = [.. _parameters.Select(p => new float[p.numel()])];
    }

    /// <summary>
    /// Adds the gradient at w + e to what the parameters hold and returns the loss at w, which e is made for. Both passes draw the same dropout;
    /// running statistics move in the first alone. The weights end as they began, to the bit.
    /// </summary>
    /// <param name="loss">A forward pass, to be made twice.</param>
    public (double Sum, double Count) Backward(Func<(Tensor Sum, double Count)> loss)
    {
        using var scope = NewDisposeScope();
        var held = _parameters.Select(p => p.grad).ToArray();
        foreach (var parameter in _parameters) parameter.grad = null;
        var random = get_rng_state();
        double value, count;
        using (NewDisposeScope())
        {
            (var sum, count) = loss();
            sum.backward();
            value = sum.item<float>();
        }
        for (var i = 0; i < _parameters.Length; i++) Floats(_parameters[i]).CopyTo(_weights[i]);
        try
        {
            Climb();
            for (var i = 0; i < held.Length; i++) _parameters[i].grad = held[i];
            set_rng_state(random);
            using (NewDisposeScope()) _norms.Held(loss).Sum.backward();
        }
        finally
        {
            for (var i = 0; i < _parameters.Length; i++) _weights[i].CopyTo(Floats(_parameters[i]));
        }
        return (value, count);
    }

    // SAM: e = rho g / |g|. ASAM, with T the weights' sizes plus eta: e = rho T^2 g / |T g|. (Kwon et al. 2021, eqs. 2 and 6)
    void Climb()
    {
        using var scope = NewDisposeScope();
        var gradients = _parameters.Select(p => p.grad is { } g ? g.contiguous() : null).ToArray();
        var squares = new double[_parameters.Length];
        OpenMpPool.For(_parameters.Length, i =>
        {
            if (gradients[i] is not { } gradient) return;
            var g = Floats(gradient);
            var w = _weights[i];
            var sum = 0.0;
            for (var j = 0; j < g.Length; j++)
            {
                var along = _settings.Adaptive ? (double)g[j] * (Math.Abs(w[j]) + Eta) : g[j];
                sum += along * along;
            }
            squares[i] = sum;
        });
        var norm = Math.Sqrt(squares.Sum());
        if (!(norm > 0 && double.IsFinite(norm))) return; // nowhere to climb, or a loss that the caller reports
        var radius = (float)(_settings.Rho / norm);
        OpenMpPool.For(_parameters.Length, i =>
        {
            if (gradients[i] is not { } gradient) return;
            var g = Floats(gradient);
            var moved = Floats(_parameters[i]);
            var w = _weights[i];
            for (var j = 0; j < g.Length; j++)
            {
                var size = _settings.Adaptive ? Math.Abs(w[j]) + Eta : 1;
                moved[j] = w[j] + (radius * size * size * g[j]);
            }
        });
    }

    static Span<float> Floats(Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);
}
