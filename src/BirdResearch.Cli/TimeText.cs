using System.Globalization;
using System.Text.RegularExpressions;
using BirdResearch.Inference.Prediction;

namespace BirdResearch.Cli;

/// <summary>Lengths of time as people write them.</summary>
static partial class TimeText
{
    /// <summary>Reads <c>120m</c>, <c>2h</c>, <c>1h30m</c>, <c>90s</c>.</summary>
    public static TimeSpan Parse(string text, string option)
    {
        var match = Form().Match(text.Trim());
        var seconds = match.Success
            ? (3600 * Part(match.Groups["h"])) + (60 * Part(match.Groups["m"])) + Part(match.Groups["s"])
            : 0;
        return seconds is > 0 and < 1e7
            ? TimeSpan.FromSeconds(seconds)
            : throw new ArgumentException($"{option} is '{text}'; write a length of time such as 120m, 2h, 1h30m or 90s.");
    }

    /// <summary>A length of time for a reader.</summary>
    public static string Of(double seconds) => seconds < 100
        ? string.Create(CultureInfo.InvariantCulture, $"{seconds:0} s")
        : string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:0.0} min");

    /// <summary>A predicted time with its interval, both in the unit that suits the time.</summary>
    public static string Of(TimeSpread spread) => spread.Seconds < 100
        ? string.Create(CultureInfo.InvariantCulture, $"{spread.Seconds:0} s ({spread.Low:0} to {spread.High:0})")
        : string.Create(CultureInfo.InvariantCulture, $"{spread.Seconds / 60:0.0} min ({spread.Low / 60:0.0} to {spread.High / 60:0.0})");

    /// <summary>A short time in milliseconds, without its unit.</summary>
    public static string Milliseconds(double seconds) => (1000 * seconds).ToString("0.0", CultureInfo.InvariantCulture);

    static double Part(Group group) => group.Success ? double.Parse(group.ValueSpan, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture) : 0;

    [GeneratedRegex(@"^(?=.)(?:(?<h>\d+(?:\.\d+)?)h)?(?:(?<m>\d+(?:\.\d+)?)m(?:in)?)?(?:(?<s>\d+(?:\.\d+)?)s)?$")]
    private static partial Regex Form();
}
