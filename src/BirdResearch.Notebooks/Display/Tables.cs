using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace BirdResearch.Notebooks.Display;

/// <summary>Values that are tables: Deedle's frames and series, dictionaries, and sequences of things with properties.</summary>
static class Tables
{
    // A sequence may have no end.
    const int MostTaken = 1000;

    /// <summary>The table of a value; null where it is none.</summary>
    public static Table? Of(object value)
    {
        var rows = Analysis.Shown.rows(Table.FirstRows, Table.LastRows, value);
        if (rows is not null) return new Table(rows.Heads, rows.First, rows.Last, rows.Count, rows.Keys);
        return value switch
        {
            string => null,
            Hashtable untyped => OfPairs(untyped.Count, untyped.Cast<DictionaryEntry>().Select(e => new[] { e.Key, e.Value })),
            IEnumerable several => OfSequence(several),
            _ => null,
        };
    }

    static Table OfPairs(int? count, IEnumerable<object?[]> pairs)
    {
        var taken = pairs.Take(MostTaken).ToList();
        return Shortened(["key", "value"], taken, count ?? Counted(taken.Count)) with { Keys = 1 };
    }

    static Table? OfSequence(IEnumerable several)
    {
        if (ElementOf(several.GetType()) is not { } element) return null;
        var count = several is ICollection collection ? collection.Count : (int?)null;
        if (IsPair(element))
        {
            var (key, item) = (element.GetProperty("Key")!, element.GetProperty("Value")!);
            return OfPairs(count, several.Cast<object>().Select(p => new[] { key.GetValue(p), item.GetValue(p) }));
        }
        if (!HasColumns(element)) return null;
        var columns = element.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanRead && p.GetIndexParameters().Length == 0).ToList();
        if (columns.Count == 0) return null;
        var rows = several.Cast<object?>().Take(MostTaken).Select(item => columns.Select(c => item is null ? null : c.GetValue(item)).ToArray()).ToList();
        return Shortened([.. columns.Select(c => c.Name)], rows, count ?? Counted(rows.Count));
    }

    static int? Counted(int taken) => taken < MostTaken ? taken : null;

    static Table Shortened(IReadOnlyList<string> heads, IReadOnlyList<object?[]> rows, int? count) => count is null
        ? new Table(heads, [.. rows.Take(Table.MostRows)], [], null)
        : rows.Count <= Table.MostRows && rows.Count == count
            ? new Table(heads, rows, [], count)
            : new Table(heads, [.. rows.Take(Table.FirstRows)], rows.Count == count ? [.. rows.TakeLast(Table.LastRows)] : [], count);

    static Type? ElementOf(Type type) => type.GetInterfaces().Append(type)
        .Where(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IEnumerable<>))
        .Select(i => i.GetGenericArguments()[0]).FirstOrDefault();

    static bool IsPair(Type type) => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(KeyValuePair<,>);

    /// <summary>Whether a type's properties are its content: records of both languages and anonymous types.</summary>
    static bool HasColumns(Type type) =>
        type.GetMethod("<Clone>$") is not null || Analysis.Shown.isRecord(type)
        || (type.IsDefined(typeof(CompilerGeneratedAttribute)) && type.Name.Contains("AnonymousType", StringComparison.Ordinal))
        || (type.IsValueType && type.GetMethod("PrintMembers", BindingFlags.NonPublic | BindingFlags.Instance) is not null);
}
