using System.Collections;
using System.Globalization;

namespace BirdResearch.Notebooks.Display;

/// <summary>Single values as text, as tables and lists hold them.</summary>
static class Values
{
    const int MostCharacters = 160;

    /// <summary>A number with up to five digits that count.</summary>
    public static string Number(double value) => double.IsFinite(value) && value != 0 && Math.Abs(value) is < 1e-4 or >= 1e9
        ? value.ToString("0.####e+0", CultureInfo.InvariantCulture)
        : Math.Abs(value) >= 10_000 ? value.ToString("0", CultureInfo.InvariantCulture) : value.ToString("G5", CultureInfo.InvariantCulture);

    /// <summary>Whether a value is a number, so that it stands to the right.</summary>
    public static bool IsNumber(object? value) =>
        value is byte or sbyte or short or ushort or int or uint or long or ulong or float or double or decimal or Half or TimeSpan;

    /// <summary>A value as the cell of a table: one line, not too long.</summary>
    public static string Cell(object? value) => Cut(value switch
    {
        null => "",
        double number => Number(number),
        float number => Number(number),
        bool yes => yes ? "true" : "false",
        DateTime { TimeOfDay.Ticks: 0 } day => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        DateTime time => time.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
        IFormattable formattable and not Enum => formattable.ToString(null, CultureInfo.InvariantCulture) ?? "",
        string text => text,
        IEnumerable several => List(several),
        _ when Analysis.Shown.isFSharps(value) => Analysis.Shown.print(value),
        _ => value.ToString() ?? "",
    });

    /// <summary>A whole value as text: numbers with all their digits.</summary>
    public static string Whole(object value) => value switch
    {
        bool yes => yes ? "true" : "false",
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture) ?? "",
        _ => value.ToString() ?? "",
    };

    static string List(IEnumerable several)
    {
        var texts = several.Cast<object?>().Take(9).Select(Cell).ToList();
        return string.Join(", ", texts.Take(8)) + (texts.Count > 8 ? ", …" : "");
    }

    static string Cut(string text)
    {
        var line = text.ReplaceLineEndings(" ");
        return line.Length <= MostCharacters ? line : line[..(MostCharacters - 1)] + "…";
    }
}
