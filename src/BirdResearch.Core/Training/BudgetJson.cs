using System.Text.Json;
using System.Text.Json.Serialization;

namespace BirdResearch.Training;

/// <summary>Writes a budget as text, such as <c>20 epochs</c>.</summary>
sealed class BudgetJson : JsonConverter<Budget>
{
    public override Budget Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options)
    {
        try
        {
            if (reader.TokenType == JsonTokenType.String) return Budget.Parse(reader.GetString()!);
        }
        catch (ArgumentException e)
        {
            throw new JsonException(e.Message, e);
        }
        throw new JsonException("a budget needs its unit; write such as 20 epochs, 5000 clips, 90 seconds or 3e12 multiply-adds.");
    }

    public override void Write(Utf8JsonWriter writer, Budget value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}
