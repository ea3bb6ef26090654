using System.Globalization;
using System.Text.Json;

namespace BirdResearch.Reference;

/// <summary>The arguments of the library call that made a reference file. What nobody reads is reported, not ignored.</summary>
sealed class CallArguments(JsonElement call)
{
    readonly HashSet<string> _read = [];

    /// <summary>Keys that were given and not read, with their values.</summary>
    public IEnumerable<string> Unread => call.EnumerateObject().Where(p => !_read.Contains(p.Name)).Select(p => $"{p.Name} = {p.Value}");

    public double Number(string key, double absent) => Given(key) is { } value ? value.GetDouble() : absent;

    public int Count(string key, int absent) => Given(key) is { } value ? (int)value.GetDouble() : absent;

    public bool Flag(string key, bool absent) => Given(key) is { } value ? value.GetBoolean() : absent;

    public string Word(string key, string absent) => Given(key) is { } value ? value.ToString() : absent;

    /// <summary>Reads the key as understood only when its value is the one that we compute with; left unread otherwise.</summary>
    public void Only(string key, params ReadOnlySpan<object> understood)
    {
        if (!call.TryGetProperty(key, out var value)) return;
        foreach (var one in understood)
            if (value.ToString() == Convert.ToString(one, CultureInfo.InvariantCulture) ||
                (one is double number && value.ValueKind == JsonValueKind.Number && value.GetDouble() == number))
                _read.Add(key);
    }

    JsonElement? Given(string key)
    {
        _read.Add(key);
        return call.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }
}
