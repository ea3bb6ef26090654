using BirdResearch.Kernels;
using static BirdResearch.Kernels.TensorMemory;
using static TorchSharp.torch;

namespace BirdResearch.Cli.Benchmarks;

/// <summary>One selective scan's kernel without torch around it, and the same scan through torch's gradient graph.</summary>
sealed unsafe class BareScan
{
    readonly ScanForm _form = ScanForms.Current == ScanForm.Reference ? ScanForm.Vector256 : ScanForms.Current;
    readonly ScanProblem _problem;
    readonly List<Tensor> _kept = [];
    readonly ScanInputs _inputs;
    readonly Tensor _gradient;

    public BareScan(long batch, long channels, long length, long states)
    {
        (Batch, Channels, Length, States) = (batch, channels, length, states);
        Tensor u = Random(batch, length, channels), delta = Random(batch, length, channels), z = Random(batch, length, channels);
        Tensor a = Keep(-exp(randn(channels, states))), b = Random(batch, length, 1, states), c = Random(batch, length, 1, states);
        Tensor d = Random(channels), bias = Random(channels);
        _gradient = Random(batch, length, channels);
        var width = ScanForms.Width(_form);
        _problem = new ScanProblem
        {
            Batch = (int)batch,
            Length = (int)length,
            Channels = (int)channels,
            States = (int)states,
            Groups = 1,
            Softplus = true,
            Scale = 1,
            U = RowsOf(u),
            Delta = RowsOf(delta),
            Z = RowsOf(z),
            A = First(a),
            B = RowsOf(b),
            C = RowsOf(c),
            D = First(d),
            DeltaBias = First(bias),
            Y = Room(batch, length, channels),
            GradY = RowsOf(_gradient),
            GradU = Room(batch, length, channels),
            GradDelta = Room(batch, length, channels),
            GradZ = Room(batch, length, channels),
        };
        _problem.Checkpoints = Numbers(_problem.CheckpointSize(width));
        _problem.GradB = Room(_problem.Blocks(width), batch, length, states);
        _problem.GradC = Room(_problem.Blocks(width), batch, length, states);
        _problem.GradA = Numbers(batch * channels * states);
        _problem.GradD = Numbers(batch * channels);
        _problem.GradDeltaBias = Numbers(batch * channels);

        Tensor Leaf(Tensor x) => x.detach().requires_grad_();
        _inputs = new ScanInputs(
            Leaf(u.transpose(1, 2)), Leaf(delta.transpose(1, 2)), Leaf(a), Leaf(b.squeeze(2).transpose(1, 2)), Leaf(c.squeeze(2).transpose(1, 2)))
        {
            D = Leaf(d),
            Z = Leaf(z.transpose(1, 2)),
            DeltaBias = Leaf(bias),
            Softplus = true,
        };
    }

    public long Batch { get; }

    public long Channels { get; }

    public long Length { get; }

    public long States { get; }

    /// <summary>Tokens x channels x states.</summary>
    public double Elements => (double)Batch * Channels * Length * States;

    public string Form => _form.ToString().ToLowerInvariant();

    public void Forward() => ScanForms.Forward(_form, _problem);

    public void Backward() => ScanForms.Backward(_form, _problem);

    /// <summary>Forward and backward through torch, in the form that is in use or in the reference form.</summary>
    public void ThroughTorch(bool reference)
    {
        using var scope = NewDisposeScope();
        var y = (reference ? SelectiveScan.Reference(_inputs) : SelectiveScan.Apply(_inputs)).Y;
        Tensor[] leaves = [_inputs.U, _inputs.Delta, _inputs.A, _inputs.B, _inputs.C, _inputs.D!, _inputs.Z!, _inputs.DeltaBias!];
        autograd.grad([y], leaves, [_gradient.transpose(1, 2)]); // not added to leaves: within a model these pass on to the layer before
    }

    Rows Room(params long[] shape) => RowsOf(Keep(empty(shape)));

    float* Numbers(long count) => First(Keep(empty(count)));

    Tensor Random(params long[] shape) => Keep(randn(shape));

    Tensor Keep(Tensor x)
    {
        _kept.Add(x);
        return x;
    }
}
