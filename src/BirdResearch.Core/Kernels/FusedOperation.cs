using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>
/// An operation with a hand-written backward, as one node of torch's gradient graph. Backward must not throw: an exception on its way
/// through native code ends the process, so inputs are checked before.
/// </summary>
abstract class FusedOperation
{
    /// <summary>Computes outputs, and what backward needs beside the inputs.</summary>
    /// <param name="inputs">The tensors given to <see cref="Apply"/>; null where there was none.</param>
    /// <param name="keep">False when no gradient will be asked for, so that nothing need be saved.</param>
    protected abstract (Tensor[] Outputs, Tensor[] Saved) Forward(Tensor?[] inputs, bool keep);

    /// <summary>The gradient of every input, null for those that have none.</summary>
    /// <param name="inputs">The tensors given to <see cref="Apply"/>.</param>
    /// <param name="saved">What <see cref="Forward"/> saved.</param>
    /// <param name="gradients">Gradients of the outputs; null for those that nothing was taken from.</param>
    protected abstract Tensor?[] Backward(Tensor?[] inputs, Tensor[] saved, Tensor?[] gradients);

    /// <summary>Runs forward and, where an input needs a gradient, hangs backward into the graph.</summary>
    public Tensor[] Apply(params Tensor?[] inputs)
    {
        using var scope = NewDisposeScope();
        Tensor[] outputs;
        if (is_grad_enabled() && inputs.Any(i => i is { requires_grad: true }))
        {
            object?[] arguments = [this, .. inputs];
            outputs = [.. Bridge.apply(arguments!)];
        }
        else
        {
            using var off = no_grad();
            outputs = Forward(inputs, keep: false).Outputs;
        }
        foreach (var output in outputs) output.MoveToOuterDisposeScope();
        GC.KeepAlive(inputs); // torch was given their bare handles
        return outputs;
    }

    sealed class Bridge : autograd.MultiTensorFunction<Bridge>
    {
        public override string Name => nameof(FusedOperation);

        public override List<Tensor> forward(autograd.AutogradContext ctx, params object[] vars)
        {
            var operation = (FusedOperation)vars[0];
            var inputs = vars[1..].Cast<Tensor?>().ToArray();
            var (outputs, saved) = operation.Forward(inputs, keep: true);
            ctx.set_materialize_grads(false);
            ctx.save_data(nameof(FusedOperation), operation);
            ctx.save_data(nameof(inputs), inputs.Length);
            ctx.save_for_backward([.. inputs!, .. saved]);
            return [.. outputs];
        }

        public override List<Tensor> backward(autograd.AutogradContext ctx, List<Tensor> grad_outputs)
        {
            using var off = no_grad();
            using var scope = NewDisposeScope();
            var operation = (FusedOperation)ctx.get_data(nameof(FusedOperation));
            var all = ctx.get_saved_variables();
            var inputs = all[..(int)ctx.get_data("inputs")].Select(t => t is null || t.IsInvalid ? null : t).ToArray();
            var gradients = operation.Backward(inputs, [.. all[inputs.Length..]], [.. grad_outputs.Select(g => g is null || g.IsInvalid ? null : g)]);
            // Inputs may share one gradient; each move leads one scope further out.
            foreach (var gradient in gradients.OfType<Tensor>().Distinct(ReferenceEqualityComparer.Instance).Cast<Tensor>()) gradient.MoveToOuterDisposeScope();
            ctx.save_data("returned", gradients); // torch is given their bare handles
            GC.KeepAlive(all);
            List<Tensor?> returned = [null, .. gradients];
            return returned!;
        }
    }
}
