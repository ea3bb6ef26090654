namespace BirdResearch.Features;

/// <summary>Window functions by name, in double.</summary>
public static class Windows
{
    /// <summary>The names that <see cref="Named"/> knows.</summary>
    public static IReadOnlyList<string> Names { get; } = ["hanning", "povey", "hamming", "rectangular", "blackman"];

    /// <summary>A window of <paramref name="length"/> samples.</summary>
    /// <param name="name">One of <see cref="Names"/>; <c>povey</c> is Kaldi's <c>hanning^0.85</c>.</param>
    /// <param name="length">Number of samples.</param>
    /// <param name="periodic">True for spectrograms (as of one sample more, without the last), false for Kaldi (symmetric).</param>
    /// <param name="blackman">The constant term of the Blackman window.</param>
    public static double[] Named(string name, int length, bool periodic, double blackman = 0.42)
    {
        var step = 2 * Math.PI / Math.Max(1, periodic ? length : length - 1);
        Func<int, double> value = name switch
        {
            "hanning" => i => 0.5 - 0.5 * Math.Cos(step * i),
            "povey" => i => Math.Pow(0.5 - 0.5 * Math.Cos(step * i), 0.85),
            "hamming" => i => 0.54 - 0.46 * Math.Cos(step * i),
            "rectangular" => _ => 1,
            "blackman" => i => blackman - 0.5 * Math.Cos(step * i) + (0.5 - blackman) * Math.Cos(2 * step * i),
            _ => throw new ArgumentException($"Window '{name}' is unknown: take {string.Join(", ", Names)}."),
        };
        return length == 1 ? [1] : [.. Enumerable.Range(0, length).Select(value)];
    }
}
