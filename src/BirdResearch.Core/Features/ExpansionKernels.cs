using BirdResearch.Data;

namespace BirdResearch.Features;

/// <summary>The random projections of expand-and-sparsify that need no training sound, the same on every machine.</summary>
static class ExpansionKernels
{
    /// <summary>Gaussian weights (n_output x cells) of variance 1 / cells: normalised input gives activations near unit variance.</summary>
    public static float[] Gaussian(ExpansionSettings expansion, int cells)
    {
        var random = new CounterRandom(expansion.Seed, CounterRandom.KeyOf("expand-and-sparsify"));
        var scale = 1 / Math.Sqrt(cells);
        var weights = new float[expansion.Outputs * cells];
        // A grid far coarser than the last bit of a system's own logarithm and cosine: the kernel is the same on every machine.
        for (var i = 0; i < weights.Length; i++) weights[i] = (float)(Math.Round(random.NextGaussian() * 4096) / 4096 * scale);
        return weights;
    }

    /// <summary>Cells that each unit of the sparse binary projection reads, (n_output x inputs), different within a unit and ascending.</summary>
    public static int[] Inputs(ExpansionSettings expansion, int cells)
    {
        var count = InputsPerUnit(expansion, cells);
        var all = Enumerable.Range(0, cells).ToArray();
        var inputs = new int[expansion.Outputs * count];
        for (var unit = 0; unit < expansion.Outputs; unit++)
        {
            var random = new CounterRandom(expansion.Seed, CounterRandom.KeyOf("expand-and-sparsify inputs"), unit);
            for (var i = 0; i < count; i++)
            {
                var other = random.NextInt(i, cells);
                (all[i], all[other]) = (all[other], all[i]);
            }
            all.AsSpan(0, count).CopyTo(inputs.AsSpan(unit * count));
            inputs.AsSpan(unit * count, count).Sort();
        }
        return inputs;
    }

    /// <summary>Cells that a unit of the sparse binary projection reads.</summary>
    public static int InputsPerUnit(ExpansionSettings expansion, int cells) =>
        Math.Min(cells, expansion.Inputs ?? Math.Max(1, (int)Math.Round(expansion.InputShare * cells)));

    /// <summary>The sparse binary projection written out: (n_output x cells), 1 / sqrt(inputs) where a unit reads and else 0.</summary>
    public static float[] WrittenOut(int[] inputs, int units, int cells)
    {
        var count = inputs.Length / units;
        var weights = new float[units * cells];
        for (var i = 0; i < inputs.Length; i++) weights[(i / count * cells) + inputs[i]] = WeightOf(count);
        return weights;
    }

    /// <summary>Weight of each cell that a unit reads: independent cells of unit variance give activations of unit variance.</summary>
    public static float WeightOf(int inputs) => (float)(1 / Math.Sqrt(inputs));
}
