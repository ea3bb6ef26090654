using System.Text.Json;
using System.Text.Json.Serialization;

namespace BirdResearch.Data;

/// <summary>How measurements are written: one object a line, snake_case, nothing for null.</summary>
static class ScanJson
{
    public static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        IgnoreReadOnlyProperties = true,
    };
}
