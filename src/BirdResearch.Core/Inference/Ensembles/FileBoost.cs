namespace BirdResearch.Inference;

/// <summary>
/// Multiplies each window's score of a class by the file's own level of it to a power: a species that is heard clearly somewhere in a file
/// is likelier to be what is heard faintly elsewhere in it. Scores fall, least where the file is sure.
/// </summary>
public sealed record FileBoost
{
    /// <summary>The power, 0 (no effect) or more.</summary>
    public double Power { get; init; } = 0.5;

    /// <summary>The file's level is the mean of this many highest windows; 1 is the highest alone.</summary>
    public int TopWindows { get; init; } = 1;

    /// <summary>Boosts the windows of one recording, W x C, row-major, in place.</summary>
    public void Apply(Span<float> windows, int classes)
    {
        var count = windows.Length / classes;
        var top = Math.Min(TopWindows, count);
        var column = new float[count];
        for (var c = 0; c < classes; c++)
        {
            for (var w = 0; w < count; w++) column[w] = windows[(w * classes) + c];
            Array.Sort(column);
            var level = 0.0;
            for (var i = count - top; i < count; i++) level += column[i] / top;
            var factor = Math.Pow(level, Power);
            for (var w = 0; w < count; w++) windows[(w * classes) + c] = (float)Math.Clamp(windows[(w * classes) + c] * factor, 0, 1);
        }
    }

    /// <summary>Throws an error that names the first setting out of its range.</summary>
    public void Check()
    {
        if (Power is not (>= 0 and <= 100)) throw new ArgumentException($"The file boost's power is {Power}; expected 0 to 100.");
        if (TopWindows < 1) throw new ArgumentException($"The file boost takes the mean of {TopWindows} windows; expected at least 1.");
    }
}
