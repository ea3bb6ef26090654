using System.Globalization;
using System.Text;

namespace BirdResearch.Data;

/// <summary>Lists of strings as Python prints them and BirdCLEF's columns hold them: <c>['call', "male's song"]</c>.</summary>
public static class PythonList
{
    /// <summary>
    /// The strings of one list literal. Only a list of quoted strings is read, with Python's escapes and an optional last comma;
    /// anything else is a <see cref="FormatException"/> that says where. Time is linear in the length.
    /// </summary>
    public static IReadOnlyList<string> Parse(string text)
    {
        var at = 0;
        SkipSpace(text, ref at);
        Take(text, ref at, '[', "a list that begins with '['");
        var items = new List<string>();
        SkipSpace(text, ref at);
        while (Peek(text, at) != ']')
        {
            items.Add(Quoted(text, ref at));
            SkipSpace(text, ref at);
            if (Peek(text, at) == ']') break;
            Take(text, ref at, ',', "',' or ']' after a string");
            SkipSpace(text, ref at);
        }
        at++;
        SkipSpace(text, ref at);
        return at == text.Length ? items : throw Wrong(text, at, "nothing after the closing ']'");
    }

    static string Quoted(string text, ref int at)
    {
        var quote = Peek(text, at);
        if (quote is not ('\'' or '"')) throw Wrong(text, at, "a string in quotes");
        at++;
        var value = new StringBuilder();
        while (true)
        {
            var c = Peek(text, at);
            if (c is '\0' or '\n' or '\r') throw Wrong(text, at, $"the closing {quote} of a string");
            at++;
            if (c == quote) return value.ToString();
            if (c == '\\') Escape(text, ref at, value);
            else value.Append(c);
        }
    }

    static void Escape(string text, ref int at, StringBuilder value)
    {
        var letter = Peek(text, at);
        var plain = letter switch { '\\' => '\\', '\'' => '\'', '"' => '"', 'n' => '\n', 'r' => '\r', 't' => '\t', _ => '\0' };
        if (plain != '\0')
        {
            value.Append(plain);
            at++;
            return;
        }
        var digits = letter switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => throw Wrong(text, at, "a known escape after '\\'") };
        at++;
        if (at + digits > text.Length
            || !uint.TryParse(text.AsSpan(at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code)
            || !Rune.IsValid(code))
            throw Wrong(text, at, $"{digits} hexadecimal digits of a character");
        value.Append(new Rune(code).ToString());
        at += digits;
    }

    static char Peek(string text, int at) => at < text.Length ? text[at] : '\0';

    static void SkipSpace(string text, ref int at)
    {
        while (at < text.Length && char.IsWhiteSpace(text[at])) at++;
    }

    static void Take(string text, ref int at, char wanted, string expected)
    {
        if (Peek(text, at) != wanted) throw Wrong(text, at, expected);
        at++;
    }

    static FormatException Wrong(string text, int at, string expected)
    {
        var shown = text.Length <= 80 ? text : text[..80] + "...";
        return new FormatException($"expected {expected} at character {at + 1} of {shown}");
    }
}
