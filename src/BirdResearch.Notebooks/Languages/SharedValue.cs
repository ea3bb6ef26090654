using System.Collections.Concurrent;

namespace BirdResearch.Notebooks.Languages;

/// <summary>A value on its way from one language to the other. Public only because cells call it.</summary>
public static class SharedValue
{
    static readonly ConcurrentDictionary<int, object?> Handed = [];
    static int _last;

    /// <summary>Keeps a value for <see cref="Take"/> and returns its number.</summary>
    internal static int Hand(object? value)
    {
        var number = Interlocked.Increment(ref _last);
        Handed[number] = value;
        return number;
    }

    /// <summary>The value that was handed in, once.</summary>
    public static T Take<T>(int number) =>
        Handed.TryRemove(number, out var value)
            ? (T)value!
            : throw new InvalidOperationException($"There is no shared value {number}. Use #!share to bring a variable over.");
}
