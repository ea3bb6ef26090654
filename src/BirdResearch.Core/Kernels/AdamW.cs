using System.Numerics;
using System.Runtime.InteropServices;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>
/// AdamW (Loshchilov and Hutter 2019, as torch.optim.AdamW) over all parameters in one pass, with the clipping of the global
/// gradient norm folded in. Each parameter has its <see cref="ParameterRule"/>; without one, those of fewer than two dimensions
/// (biases, norms) are not decayed, as timm does by default. The result does not depend on the number of threads.
/// </summary>
public sealed class AdamW
{
    // Numbers that one thread updates at a time: a multiple of every vector's length, so that blocks change no rounding.
    const int BlockLength = 1 << 16;

    readonly Slot[] _slots;
    readonly (int Slot, int Start, int Length)[] _blocks;

    /// <param name="parameters">Trainable float32 parameters on the CPU, by name.</param>
    /// <param name="weightDecay">Decoupled weight decay, per unit of learning rate.</param>
    /// <param name="rules">The rule of a parameter, by its name; null decays those of two dimensions or more and sets no other rule.</param>
    public AdamW(
        IEnumerable<(string name, Parameter parameter)> parameters, double weightDecay = 0.01, Func<string, Tensor, ParameterRule>? rules = null)
    {
        WeightDecay = weightDecay;
        rules ??= (_, parameter) => new ParameterRule { IsDecayed = parameter.dim() > 1 };
        _slots = [.. parameters.Where(p => p.parameter.requires_grad).Select(p => new Slot(p.name, p.parameter, rules(p.name, p.parameter)))];
        if (_slots.FirstOrDefault(s => s.Parameter.dtype != ScalarType.Float32 || s.Parameter.device_type != DeviceType.CPU) is { } odd)
            throw new ArgumentException($"AdamW needs float32 parameters on the CPU; '{odd.Name}' is {odd.Parameter.dtype} on {odd.Parameter.device_type}.");
        _blocks =
        [
            .. _slots.SelectMany((slot, index) =>
                from start in Enumerable.Range(0, (slot.First.Length + BlockLength - 1) / BlockLength).Select(b => b * BlockLength)
                select (index, start, Math.Min(BlockLength, slot.First.Length - start))),
        ];
    }

    /// <summary>Decoupled weight decay, per unit of learning rate.</summary>
    public double WeightDecay { get; }

    /// <summary>Decay rate of the first moment.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay rate of the second moment.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the root of the second moment.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Steps taken so far.</summary>
    public long Steps { get; set; }

    /// <summary>First and second moment of every parameter, by name: the optimiser's state beside <see cref="Steps"/>.</summary>
    public IEnumerable<(string Name, float[] First, float[] Second)> Moments => _slots.Select(s => (s.Name, s.First, s.Second));

    /// <summary>Updates every parameter that has a gradient and clears the gradients.</summary>
    /// <param name="learningRate">Step size.</param>
    /// <param name="clipNorm">Largest global gradient norm; 0 for no clipping.</param>
    /// <param name="gradientScale">Factor on every gradient, before clipping: 1 over what a sum of losses is to be divided by.</param>
    /// <returns>The global gradient norm before clipping; not finite means that nothing was changed.</returns>
    public double Step(double learningRate, double clipNorm = 0, double gradientScale = 1)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var gradients = _slots.Select(s => s.Parameter.grad is { } g ? g.contiguous() : null).ToArray();
        var squares = new double[_slots.Length];
        OpenMpPool.For(_slots.Length, i => squares[i] = gradients[i] is { } g ? SumOfSquares(Floats(g)) : 0);
        var norm = Math.Sqrt(squares.Sum()) * gradientScale;
        if (double.IsFinite(norm))
        {
            Steps++;
            var scale = gradientScale * (clipNorm > 0 && norm > clipNorm ? clipNorm / norm : 1);
            OpenMpPool.For(_blocks.Length, i =>
            {
                var (slot, start, length) = _blocks[i];
                if (gradients[slot] is { } gradient)
                    Update(_slots[slot], start, length, Floats(gradient).Slice(start, length), (float)scale, learningRate);
            });
        }
        foreach (var slot in _slots) slot.Parameter.grad = null;
        return norm;
    }

    // m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,  p = p (1 - lr wd) - lr / (1 - b1^t) * m / (sqrt(v / (1 - b2^t)) + eps)
    void Update(Slot slot, int start, int length, ReadOnlySpan<float> gradient, float scale, double learningRate)
    {
        var parameter = Floats(slot.Parameter).Slice(start, length);
        Span<float> first = slot.First.AsSpan(start, length), second = slot.Second.AsSpan(start, length);
        float b1 = (float)Beta1, b2 = (float)Beta2, epsilon = (float)Epsilon;
        var rate = slot.Rule.RateOf(learningRate);
        var keep = (float)(1 - (slot.Rule.IsDecayed ? rate * WeightDecay : 0));
        var step = (float)(rate / (1 - Math.Pow(Beta1, Steps)));
        var correction = (float)(1 / Math.Sqrt(1 - Math.Pow(Beta2, Steps)));

        var ps = MemoryMarshal.Cast<float, Vector<float>>(parameter);
        var gs = MemoryMarshal.Cast<float, Vector<float>>(gradient);
        var ms = MemoryMarshal.Cast<float, Vector<float>>(first);
        var vs = MemoryMarshal.Cast<float, Vector<float>>(second);
        for (var i = 0; i < ps.Length; i++)
        {
            var g = gs[i] * scale;
            var m = ms[i] = (ms[i] * b1) + (g * (1 - b1));
            var v = vs[i] = (vs[i] * b2) + (g * g * (1 - b2));
            ps[i] = (ps[i] * keep) - (m * step / ((Vector.SquareRoot(v) * correction) + new Vector<float>(epsilon)));
        }
        for (var i = ps.Length * Vector<float>.Count; i < parameter.Length; i++)
        {
            var g = gradient[i] * scale;
            var m = first[i] = (first[i] * b1) + (g * (1 - b1));
            var v = second[i] = (second[i] * b2) + (g * g * (1 - b2));
            parameter[i] = (parameter[i] * keep) - (m * step / ((MathF.Sqrt(v) * correction) + epsilon));
        }
    }

    static double SumOfSquares(ReadOnlySpan<float> values)
    {
        var sum = 0.0;
        const int Block = 4096; // float sums stay short, so that the order of addition costs no precision
        for (var at = 0; at < values.Length; at += Block)
        {
            var part = values.Slice(at, Math.Min(Block, values.Length - at));
            var vectors = MemoryMarshal.Cast<float, Vector<float>>(part);
            var lanes = Vector<float>.Zero;
            foreach (var v in vectors) lanes += v * v;
            sum += Vector.Sum(lanes);
            foreach (var v in part[(vectors.Length * Vector<float>.Count)..]) sum += v * v;
        }
        return sum;
    }

    static Span<float> Floats(Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);

    sealed class Slot(string name, Parameter parameter, ParameterRule rule)
    {
        public string Name { get; } = name;
        public Parameter Parameter { get; } = parameter;
        public ParameterRule Rule { get; } = rule;
        public float[] First { get; } = new float[parameter.numel()];
        public float[] Second { get; } = new float[parameter.numel()];
    }
}
