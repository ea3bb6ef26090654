using System.Globalization;
using BirdResearch.Files;
using CsvHelper;

namespace BirdResearch.Data;

/// <summary>Comma-separated files with a header: columns are found by name, and every error names file, row and column.</summary>
public sealed class CsvTable
{
    // A record is a line or a few; a megabyte of it is an unclosed quote.
    static readonly CsvReaderOptions _strict = new()
    {
        Separator = ',',
        MalformedData = CsvMalformedDataHandling.Throw,
        MaxRecordSize = 1 << 20,
        PoolStrings = true,
    };

    readonly Dictionary<string, int> _columns;

    CsvTable(string name, string[] header, List<string[]> rows)
    {
        (Name, Header) = (name, header);
        _columns = [];
        for (var i = 0; i < header.Length; i++)
            if (!_columns.TryAdd(header[i], i) && header[i].Length > 0)
                throw new InvalidDataException($"{name} has the column '{header[i]}' twice.");
        Rows = [.. rows.Select((cells, i) => new CsvRow(this, i + 2, cells))];
    }

    /// <summary>The file's name, for messages.</summary>
    public string Name { get; }

    /// <summary>Column names in file order.</summary>
    public IReadOnlyList<string> Header { get; }

    /// <summary>The rows below the header.</summary>
    public IReadOnlyList<CsvRow> Rows { get; }

    /// <summary>Whether the file has that column.</summary>
    public bool Has(string column) => _columns.ContainsKey(column);

    /// <summary>Only the names of the columns.</summary>
    public static IReadOnlyList<string> Columns(string path)
    {
        using var reader = CsvReader.FromFile(path, _strict);
        return [.. reader.Headers.Select(column => column.Trim())];
    }

    /// <summary>
    /// Reads a whole file and checks that it has every column of <paramref name="needed"/>; others may stand between, in any order.
    /// </summary>
    public static CsvTable Read(string path, params string[] needed)
    {
        var name = Path.GetFileName(path);
        try
        {
            using var reader = CsvReader.FromFile(path, _strict);
            string[] header = [.. reader.Headers.Select(column => column.Trim())];
            foreach (var column in needed)
                if (!header.Contains(column))
                    throw new InvalidDataException(
                        $"{name} has no column '{column}'. Its columns are: {string.Join(", ", header.Take(30))}.");
            var rows = new List<string[]>();
            while (reader.Read())
            {
                if (reader.FieldCount != header.Length)
                    throw new InvalidDataException(
                        $"{name}, row {rows.Count + 2}: {reader.FieldCount} cells where the header has {header.Length} columns.");
                var cells = new string[header.Length];
                for (var i = 0; i < cells.Length; i++) cells[i] = reader.GetString(i);
                rows.Add(cells);
            }
            return new CsvTable(name, header, rows);
        }
        catch (CsvFormatException e)
        {
            throw new InvalidDataException($"{name}, row {e.RecordNumber}: {e.Message}", e);
        }
    }

    /// <summary>
    /// Writes a header and rows, whole or not at all; numbers in invariant form (shortest that reads back the same), cells quoted where they need it.
    /// </summary>
    public static void Write(string path, IReadOnlyList<string> header, IEnumerable<IReadOnlyList<object?>> rows) => WholeFile.Write(path, beside =>
    {
        using var csv = CsvWriter.ToFile(beside, new CsvWriterOptions { NewLine = "\n" });
        foreach (var column in header) csv.WriteField(column);
        csv.EndRecord();
        foreach (var row in rows)
        {
            if (row.Count != header.Count)
                throw new ArgumentException(
                    $"A row of {row.Count} cells does not fit the {header.Count} columns of {Path.GetFileName(path)}.");
            foreach (var cell in row)
                csv.WriteField(cell is IFormattable number ? number.ToString(null, CultureInfo.InvariantCulture) : cell?.ToString());
            csv.EndRecord();
        }
    });

    internal int IndexOf(string column) => _columns.TryGetValue(column, out var at) ? at : -1;
}
