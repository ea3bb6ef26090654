using System.Text.Encodings.Web;

namespace BirdResearch.Notebooks.Documents;

/// <summary>Escapes what JSON makes one escape and nothing else, as Jupyter writes it.</summary>
sealed unsafe class PlainEncoder : JavaScriptEncoder
{
    const string Hexadecimal = "0123456789abcdef";

    /// <inheritdoc/>
    public override int MaxOutputCharactersPerInputCharacter => 6;

    /// <inheritdoc/>
    public override bool WillEncode(int unicodeScalar) => unicodeScalar is < 0x20 or '"' or '\\';

    /// <inheritdoc/>
    public override int FindFirstCharacterToEncode(char* text, int textLength)
    {
        for (var i = 0; i < textLength; i++)
            if (WillEncode(text[i])) return i;
        return -1;
    }

    /// <inheritdoc/>
    public override bool TryEncodeUnicodeScalar(int unicodeScalar, char* buffer, int bufferLength, out int numberOfCharactersWritten)
    {
        var text = unicodeScalar switch
        {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\b' => "\\b",
            '\f' => "\\f",
            < 0x20 => $"\\u00{Hexadecimal[unicodeScalar >> 4]}{Hexadecimal[unicodeScalar & 15]}",
            _ => char.ConvertFromUtf32(unicodeScalar),
        };
        numberOfCharactersWritten = text.Length;
        return text.AsSpan().TryCopyTo(new Span<char>(buffer, bufferLength));
    }
}
