namespace BirdResearch.Inference;

/// <summary>A weighted mean of each window and its neighbours in time: a bird that sings on is heard in several windows.</summary>
public sealed record Smoothing
{
    /// <summary>Weights of the windows around, the middle one the window's own; at the ends of a recording those that are left are scaled to sum 1.</summary>
    public IReadOnlyList<double> Kernel { get; init; } = [0.1, 0.2, 0.4, 0.2, 0.1];

    /// <summary>Smooths the windows of one recording, W x C, row-major, in place.</summary>
    public void Apply(Span<float> windows, int classes)
    {
        var given = windows.ToArray();
        var (count, reach) = (windows.Length / classes, Kernel.Count / 2);
        var sums = new double[classes];
        for (var w = 0; w < count; w++)
        {
            Array.Clear(sums);
            var total = 0.0;
            for (var k = 0; k < Kernel.Count; k++)
            {
                var neighbour = w + k - reach;
                if (neighbour < 0 || neighbour >= count) continue;
                total += Kernel[k];
                for (var c = 0; c < classes; c++) sums[c] += Kernel[k] * given[(neighbour * classes) + c];
            }
            for (var c = 0; c < classes; c++) windows[(w * classes) + c] = (float)Math.Clamp(sums[c] / total, 0, 1);
        }
    }

    /// <summary>Throws where the kernel is none.</summary>
    public void Check()
    {
        if (Kernel.Count % 2 == 0 || Kernel.Any(k => k is not (>= 0 and <= 1e6)) || Kernel[Kernel.Count / 2] == 0)
            throw new ArgumentException($"The smoothing kernel is {string.Join(", ", Kernel)}; expected an odd count of weights of 0 or more, the middle one above 0.");
    }
}
