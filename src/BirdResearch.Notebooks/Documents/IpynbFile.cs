using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace BirdResearch.Notebooks.Documents;

/// <summary>Jupyter's notebook format, 4.0 and later; what is written is 4.5, keys and lines as Jupyter writes them, so that differences are small.</summary>
public static class IpynbFile
{
    static readonly JsonWriterOptions Layout = new()
    {
        Indented = true,
        IndentSize = 1,
        NewLine = "\n",
        Encoder = new PlainEncoder(),
    };

    /// <summary>Reads a file's text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="path">Where it is from, for messages.</param>
    public static Notebook Read(string text, string path)
    {
        try
        {
            return NotebookOf(JsonNode.Parse(text) as JsonObject ?? throw new JsonException("it holds no object"), path);
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw Bad(path, $"is not a notebook: {e.Message}");
        }
    }

    static Notebook NotebookOf(JsonObject root, string path)
    {
        if (root["nbformat"] is not JsonValue format || !format.TryGetValue<int>(out var major)) throw Bad(path, "has no 'nbformat'; it is JSON of another kind.");
        if (major != 4) throw Bad(path, $"has the notebook format {major}; 4 was expected. Open and save it in Jupyter, which converts it.");
        if (root["cells"] is not JsonArray cells) throw Bad(path, "has no list 'cells'.");
        return new Notebook(cells.Select((cell, i) => CellOf(cell, i + 1, path))) { Metadata = Taken(root, "metadata") };
    }

    /// <summary>A notebook as the text of a file.</summary>
    public static string Written(Notebook notebook)
    {
        using var target = new MemoryStream();
        using (var writer = new Utf8JsonWriter(target, Layout))
        {
            var used = notebook.Cells.Select(c => c.Id).Where(id => id != "").ToHashSet();
            new JsonObject
            {
                ["cells"] = new JsonArray([.. notebook.Cells.Select((cell, i) => NodeOf(cell, IdOf(cell, i, used)))]),
                ["metadata"] = Sorted(notebook.Metadata),
                ["nbformat"] = 4,
                ["nbformat_minor"] = 5,
            }.WriteTo(writer);
        }
        return Encoding.UTF8.GetString(target.ToArray()) + "\n";
    }

    static NotebookCell CellOf(JsonNode? node, int number, string path)
    {
        var cell = node as JsonObject ?? throw Bad(path, $"has a cell {number} that is no object.");
        if (cell["cell_type"] is not JsonValue type || type.ToString() is not ("code" or "markdown" or "raw")) throw Bad(path, $"has a cell {number} of the type '{cell["cell_type"]}'; code, markdown or raw was expected.");
        string[] known = ["cell_type", "id", "metadata", "source", "outputs", "execution_count"];
        return new NotebookCell(type.ToString(), TextOf(cell["source"]) ?? throw Bad(path, $"has a cell {number} without text ('source')."))
        {
            Id = cell["id"]?.ToString() ?? "",
            Count = cell["execution_count"] is JsonValue count && count.TryGetValue<int>(out var n) ? n : null,
            Outputs = cell["outputs"]?.DeepClone() as JsonArray ?? [],
            Metadata = Taken(cell, "metadata"),
            Others = new JsonObject(cell.Where(p => !known.Contains(p.Key)).Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone()))),
        };
    }

    /// <summary>Text that a file holds whole or by lines; null where it is neither.</summary>
    public static string? TextOf(JsonNode? node) => node switch
    {
        JsonArray lines when lines.All(l => l is JsonValue v && v.GetValueKind() == JsonValueKind.String) => string.Concat(lines.Select(l => l!.GetValue<string>())),
        JsonValue whole when whole.GetValueKind() == JsonValueKind.String => whole.GetValue<string>(),
        _ => null,
    };

    /// <summary>Text by lines, each with its end, as files hold it.</summary>
    public static JsonArray Lines(string text)
    {
        var lines = new JsonArray();
        for (var start = 0; start < text.Length;)
        {
            var end = text.IndexOf('\n', start);
            var next = end < 0 ? text.Length : end + 1;
            lines.Add(text[start..next]);
            start = next;
        }
        return lines;
    }

    static JsonObject NodeOf(NotebookCell cell, string id)
    {
        var node = new JsonObject(cell.Others.Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone())))
        {
            ["cell_type"] = cell.Kind,
            ["id"] = id,
            ["metadata"] = Sorted(cell.Metadata),
            ["source"] = Lines(cell.Source),
        };
        if (cell.IsCode)
        {
            node["execution_count"] = cell.Count;
            node["outputs"] = Sorted(cell.Outputs);
        }
        return Ordered(node);
    }

    // Jupyter sorts the keys of all objects.
    static JsonObject Ordered(JsonObject node) => new(node.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone())));

    static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject pairs => new JsonObject(pairs.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => KeyValuePair.Create(p.Key, Sorted(p.Value)))),
        JsonArray items => new JsonArray([.. items.Select(Sorted)]),
        _ => node?.DeepClone(),
    };

    /// <summary>A cell's name: its own, else one made of its text and place, so that it is the same every time.</summary>
    static string IdOf(NotebookCell cell, int place, HashSet<string> used)
    {
        if (cell.Id != "") return cell.Id;
        for (var tries = 0; ; tries++)
        {
            var id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{place} {tries} {cell.Kind} {cell.Source}")))[..8];
            if (used.Add(id)) return id;
        }
    }

    static JsonObject Taken(JsonObject holder, string name) => holder[name]?.DeepClone() as JsonObject ?? [];

    static InvalidDataException Bad(string path, string what) => new($"'{path}' {what}");
}
