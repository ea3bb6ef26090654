using System.Globalization;
using BirdResearch.Data;

namespace BirdResearch.Experiments;

/// <summary>One setting of a trial and the values that it is tried with: a list, or a range of numbers.</summary>
public sealed record SweepAxis
{
    SweepAxis()
    {
    }

    /// <summary>Path of the setting, as <see cref="TrialSettings.Set(Trial, string)"/> takes it.</summary>
    public required string Path { get; init; }

    /// <summary>The values of a list; empty for a range.</summary>
    public IReadOnlyList<string> Values { get; private init; } = [];

    /// <summary>Low end of a range.</summary>
    public double Low { get; private init; }

    /// <summary>High end of a range.</summary>
    public double High { get; private init; }

    /// <summary>Whether a range is gone through by factors instead of by differences.</summary>
    public bool IsLogarithmic { get; private init; }

    /// <summary>Whether a range holds whole numbers only: both of its ends are written as such.</summary>
    public bool IsWhole { get; private init; }

    /// <summary>Steps of a range in a grid; 0 where none were given.</summary>
    public int Steps { get; private init; }

    /// <summary>
    /// Reads <c>path=a,b,c</c>, or <c>path=low..high</c>, which may be followed by <c>log</c> and by the number of steps in a grid:
    /// <c>training.learning_rate=1e-4..1e-2 log 5</c>.
    /// </summary>
    public static SweepAxis Parse(string text)
    {
        var equals = text.IndexOf('=');
        if (equals < 1 || equals == text.Length - 1)
            throw Wrong(text, "it has no path=values");
        var (path, values) = (text[..equals].Trim(), text[(equals + 1)..].Trim());
        var dots = values.IndexOf("..", StringComparison.Ordinal);
        if (dots < 0)
        {
            var list = values.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            return list.Distinct().Count() == list.Length && list.Length > 0 ? new SweepAxis { Path = path, Values = list } : throw Wrong(text, "a value comes twice, or there is none");
        }
        var words = values[(dots + 2)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var (from, to) = (values[..dots].Trim(), words.FirstOrDefault() ?? "");
        if (!Number(from, out var low) || !Number(to, out var high) || low >= high) throw Wrong(text, "a range goes from a number to a larger one");
        var (logarithmic, steps) = (false, 0);
        foreach (var word in words.Skip(1))
        {
            if (word == "log") logarithmic = true;
            else if (!int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out steps) || steps < 2) throw Wrong(text, $"'{word}' is neither log nor a number of steps of at least 2");
        }
        if (logarithmic && low <= 0) throw Wrong(text, "a logarithmic range begins above 0");
        return new SweepAxis { Path = path, Low = low, High = high, IsLogarithmic = logarithmic, IsWhole = IsInteger(from) && IsInteger(to), Steps = steps };
    }

    /// <summary>The values of a grid, as text.</summary>
    public IReadOnlyList<string> Grid()
    {
        if (Values.Count > 0) return Values;
        if (Steps == 0) throw new ArgumentException($"The range of '{Path}' has no number of steps, which a grid needs: {Path}={Text(Low)}..{Text(High)}{(IsLogarithmic ? " log" : "")} 5. Or search at random.");
        return [.. Enumerable.Range(0, Steps).Select(i => Text(At((double)i / (Steps - 1)))).Distinct()];
    }

    /// <summary>A value at random, uniform over the list, the range or its logarithm.</summary>
    public string Draw(CounterRandom random) => Values.Count > 0
        ? Values[random.NextInt(Values.Count)]
        : IsWhole && !IsLogarithmic ? Text(Low + random.NextLong((long)(High - Low) + 1)) : Text(At(random.NextDouble()));

    double At(double share) => IsLogarithmic ? Low * Math.Pow(High / Low, share) : Low + (share * (High - Low));

    // Four digits: a drawn number should be readable, and its run's settings are what is written.
    string Text(double value) => IsWhole
        ? Math.Round(value).ToString(CultureInfo.InvariantCulture)
        : double.Parse(value.ToString("G4", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture).ToString("R", CultureInfo.InvariantCulture);

    static bool Number(string text, out double value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);

    static bool IsInteger(string text) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _);

    static ArgumentException Wrong(string text, string why) => new(
        $"'{text}' is not a sweep: {why}. Write path=a,b,c or path=low..high, such as 'features.expansion.k=8,16,32' or 'training.learning_rate=1e-4..1e-2 log 5'.");
}
