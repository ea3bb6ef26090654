namespace BirdResearch.Notebooks.Languages;

/// <summary>Types as F# writes them. <c>System.Int32</c> is written <c>int</c>, so that a value shared from C# unifies with literals.</summary>
static class FSharpNames
{
    static readonly Dictionary<Type, string> Short = new()
    {
        [typeof(bool)] = "bool",
        [typeof(byte)] = "byte",
        [typeof(sbyte)] = "sbyte",
        [typeof(short)] = "int16",
        [typeof(ushort)] = "uint16",
        [typeof(int)] = "int",
        [typeof(uint)] = "uint32",
        [typeof(long)] = "int64",
        [typeof(ulong)] = "uint64",
        [typeof(nint)] = "nativeint",
        [typeof(float)] = "float32",
        [typeof(double)] = "float",
        [typeof(decimal)] = "decimal",
        [typeof(char)] = "char",
        [typeof(string)] = "string",
        [typeof(object)] = "obj",
        [typeof(Microsoft.FSharp.Core.Unit)] = "unit",
    };

    static readonly Dictionary<Type, string> Abbreviated = new()
    {
        [typeof(Microsoft.FSharp.Core.FSharpOption<>)] = "option",
        [typeof(Microsoft.FSharp.Core.FSharpValueOption<>)] = "voption",
        [typeof(Microsoft.FSharp.Collections.FSharpList<>)] = "list",
    };

    /// <summary>Full name of a type that <see cref="SharedTypes.Refusal"/> lets through.</summary>
    public static string Of(Type type)
    {
        if (Short.TryGetValue(type, out var known)) return known;
        if (type.IsArray) return $"{Of(type.GetElementType()!)}[{new string(',', type.GetArrayRank() - 1)}]";
        var given = type.GetGenericArguments();
        if (type.IsGenericType && Abbreviated.TryGetValue(type.GetGenericTypeDefinition(), out var suffix)) return $"({Of(given[0])}) {suffix}";
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Microsoft.FSharp.Core.FSharpFunc<,>)) return $"({Of(given[0])} -> {Of(given[1])})";
        if (typeof(System.Runtime.CompilerServices.ITuple).IsAssignableFrom(type) && type.IsGenericType && given.Length is > 1 and < 8)
        {
            var items = string.Join(" * ", given.Select(Of));
            return type.IsValueType ? $"(struct ({items}))" : $"({items})";
        }
        var waiting = new Queue<Type>(given);
        var parts = SharedTypes.Nesting(type).Select(level =>
        {
            var count = SharedTypes.OwnArguments(level);
            var arguments = string.Join(", ", Enumerable.Range(0, count).Select(_ => Of(waiting.Dequeue())));
            return $"``{level.Name.Split('`')[0]}``" + (count == 0 ? "" : $"<{arguments}>");
        });
        var space = string.IsNullOrEmpty(type.Namespace) ? "" : string.Concat(type.Namespace.Split('.').Select(n => $"``{n}``."));
        return $"global.{space}{string.Join('.', parts)}";
    }
}
