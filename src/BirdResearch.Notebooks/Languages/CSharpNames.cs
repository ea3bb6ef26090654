namespace BirdResearch.Notebooks.Languages;

/// <summary>Types as C# writes them.</summary>
static class CSharpNames
{
    /// <summary>Full name of a type that <see cref="SharedTypes.Refusal"/> lets through.</summary>
    public static string Of(Type type)
    {
        if (type.IsArray) return Array(type);
        if (Nullable.GetUnderlyingType(type) is { } inner) return Of(inner) + "?";
        if (type == typeof(object)) return "object";
        var given = new Queue<Type>(type.GetGenericArguments());
        var parts = SharedTypes.Nesting(type).Select((level, i) =>
        {
            var name = "@" + level.Name.Split('`')[0];
            var count = SharedTypes.OwnArguments(level);
            var arguments = string.Join(", ", Enumerable.Range(0, count).Select(_ => Of(given.Dequeue())));
            return count == 0 ? name : $"{name}<{arguments}>";
        });
        var space = string.IsNullOrEmpty(type.Namespace) ? "" : string.Concat(type.Namespace.Split('.').Select(n => $"@{n}."));
        return $"global::{space}{string.Join('.', parts)}";
    }

    // The outermost rank comes first in C#: int[][,] is an array of int[,].
    static string Array(Type type)
    {
        var ranks = "";
        while (type.IsArray)
        {
            ranks += $"[{new string(',', type.GetArrayRank() - 1)}]";
            type = type.GetElementType()!;
        }
        return Of(type) + ranks;
    }
}
