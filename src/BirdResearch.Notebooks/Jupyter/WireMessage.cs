using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace BirdResearch.Notebooks.Jupyter;

/// <summary>One message of the Jupyter protocol. Its four parts are UTF-8 JSON, kept as they came.</summary>
/// <param name="Identities">Who it is from or goes to; on the publishing socket its topic.</param>
/// <param name="Header">Its own header.</param>
/// <param name="Parent">Header of the message that it answers; <c>{}</c> for none.</param>
/// <param name="Metadata">What is said about it.</param>
/// <param name="Content">What it says.</param>
public sealed record WireMessage(IReadOnlyList<byte[]> Identities, byte[] Header, byte[] Parent, byte[] Metadata, byte[] Content)
{
    /// <summary>Version of the protocol.</summary>
    public const string Version = "5.3";

    /// <summary>How contents are written: snake_case, text as it is.</summary>
    public static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    static readonly byte[] Delimiter = "<IDS|MSG>"u8.ToArray();

    /// <summary>An empty JSON object.</summary>
    public static byte[] Empty => "{}"u8.ToArray();

    /// <summary>Makes a message.</summary>
    /// <param name="session">The sender's session.</param>
    /// <param name="type">Such as <c>execute_reply</c>.</param>
    /// <param name="content">An object whose properties are the content's.</param>
    /// <param name="parent">Header of the message that is answered, or null.</param>
    /// <param name="identities">Who it goes to.</param>
    public static WireMessage Create(string session, string type, object content, byte[]? parent = null, IReadOnlyList<byte[]>? identities = null)
    {
        var header = new { MsgId = $"{Guid.NewGuid():N}", Session = session, Username = "kernel", Date = DateTime.UtcNow, MsgType = type, Version };
        return new(identities ?? [Encoding.UTF8.GetBytes(type)], Bytes(header), parent ?? Empty, Empty, Bytes(content));
    }

    /// <summary>Reads a message; one that is malformed or not to be trusted is an <see cref="InvalidDataException"/>.</summary>
    public static WireMessage Read(IReadOnlyList<byte[]> frames, Signature signature)
    {
        var at = 0;
        while (at < frames.Count && !frames[at].AsSpan().SequenceEqual(Delimiter)) at++;
        if (frames.Count - at < 6) throw new InvalidDataException("it has fewer parts than a message of the protocol");
        if (signature.Refusal(frames[at + 1], frames[at + 2], frames[at + 3], frames[at + 4], frames[at + 5]) is { } refusal) throw new InvalidDataException(refusal);
        var message = new WireMessage([.. frames.Take(at)], frames[at + 2], frames[at + 3], frames[at + 4], frames[at + 5]);
        if (message.Field(message.Header, "msg_type") is not { ValueKind: JsonValueKind.String } type) throw new InvalidDataException("its header names no msg_type");
        if (Parse(message.Content) is not { ValueKind: JsonValueKind.Object }) throw new InvalidDataException("its content is no JSON object");
        return message with { Type = type.GetString()! };
    }

    /// <summary>Such as <c>execute_request</c>; only of messages that were read.</summary>
    public string Type { get; init; } = "";

    /// <summary>The frames that are sent.</summary>
    public IReadOnlyList<byte[]> Frames(Signature signature) =>
        [.. Identities, Delimiter, Encoding.ASCII.GetBytes(signature.Of(Header, Parent, Metadata, Content)), Header, Parent, Metadata, Content];

    /// <summary>A property of the content; null where it is missing or null.</summary>
    public JsonElement? this[string key] => Field(Content, key);

    /// <summary>A text of the content.</summary>
    public string Text(string key) => this[key] is { ValueKind: JsonValueKind.String } value ? value.GetString()! : "";

    /// <summary>A number of the content.</summary>
    public int? Number(string key) => this[key] is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out var number) ? number : null;

    /// <summary>A truth value of the content.</summary>
    public bool Flag(string key, bool otherwise) => this[key]?.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => otherwise,
    };

    /// <summary>A property of the metadata, along a path; null where it is missing.</summary>
    public JsonElement? Said(params IEnumerable<string> path)
    {
        var at = Parse(Metadata);
        foreach (var key in path) at = at is { } element ? Property(element, key) : null;
        return at;
    }

    JsonElement? Field(byte[] part, string key) => Parse(part) is { } element ? Property(element, key) : null;

    static JsonElement? Property(JsonElement element, string key) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    static JsonElement? Parse(byte[] part)
    {
        try
        {
            return JsonSerializer.Deserialize<JsonElement>(part);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static byte[] Bytes(object value) => JsonSerializer.SerializeToUtf8Bytes(value, Json);
}
