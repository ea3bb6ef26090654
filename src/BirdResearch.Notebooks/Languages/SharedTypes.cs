using System.Runtime.CompilerServices;

namespace BirdResearch.Notebooks.Languages;

/// <summary>Which types both languages can name.</summary>
static class SharedTypes
{
    /// <summary>Why a type cannot be named in the other language; null where it can.</summary>
    public static string? Refusal(Type type)
    {
        if (type.IsPointer || type.IsByRefLike || type.IsByRef) return $"{type.Name} lives on the stack or is a pointer";
        if (type.IsArray) return Refusal(type.GetElementType()!);
        if (type.IsDefined(typeof(CompilerGeneratedAttribute), false) && type.Name.StartsWith('<')) return "its type is anonymous; use a record or a tuple of a type that has a name";
        if (type.Assembly.IsDynamic || type.Assembly.Location.Length == 0) return $"its type {type.Name.Split('`')[0]} is declared in a cell, which the other language cannot see; use a tuple, a list or a type of a library";
        if (!type.IsVisible) return $"its type {type.Name.Split('`')[0]} is not public";
        return type.GetGenericArguments().Select(Refusal).FirstOrDefault(r => r is not null);
    }

    /// <summary>The types that a nested type lies in, outermost first, and itself.</summary>
    public static IEnumerable<Type> Nesting(Type type)
    {
        var levels = new Stack<Type>();
        for (Type? level = type; level is not null; level = level.DeclaringType) levels.Push(level);
        return levels;
    }

    /// <summary>How many type arguments belong to this level of nesting and not to one outside of it.</summary>
    public static int OwnArguments(Type level) => level.GetGenericArguments().Length - (level.DeclaringType?.GetGenericArguments().Length ?? 0);
}
