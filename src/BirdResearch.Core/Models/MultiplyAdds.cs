using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// Multiply-adds of one clip, counted from the model as it runs: every convolution and linear layer's outputs times the weights that each
/// output reads. Norms, activations, pooling and elementwise products are not counted, as is usual.
/// </summary>
public static class MultiplyAdds
{
    /// <summary>Runs the model once on zeros of the shape, without changing it.</summary>
    public static long Count(Classifier model, InputShape shape)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var total = 0L;
        var removals = new List<Action>();
        var counters = model.modules().OfType<ICountsMultiplyAdds>().ToList();
        var counted = counters.Cast<nn.Module>().SelectMany(m => m.modules()).ToHashSet(ReferenceEqualityComparer.Instance);
        foreach (var module in model.modules().OfType<nn.Module<Tensor, Tensor>>())
        {
            if (module is ICountsMultiplyAdds counter)
            {
                removals.Add(module.register_forward_hook((_, _, output) =>
                {
                    total += counter.MultiplyAddsOf(output);
                    return output;
                }).remove);
                continue;
            }
            if (counted.Contains(module)) continue;
            var weight = module.named_parameters(recurse: false).FirstOrDefault(p => p.name == "weight").parameter;
            if (weight is null || weight.dim() < 2) continue;
            var perOutput = weight.numel() / weight.shape[0];
            removals.Add(module.register_forward_hook((_, _, output) =>
            {
                total += output.numel() * perOutput;
                return output;
            }).remove);
        }
        var modes = model.modules().Prepend(model).Select(m => (Module: m, m.training)).ToList(); // parents before their children
        model.eval();
        try
        {
            var any = model.parameters().First();
            model.call(zeros([1, shape.Channels, shape.Rows, shape.Frames], any.dtype, any.device));
        }
        finally
        {
            foreach (var (module, training) in modes) module.train(training);
            foreach (var remove in removals) remove();
        }
        return total;
    }
}
