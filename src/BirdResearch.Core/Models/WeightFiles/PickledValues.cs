using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>A name in a pickle that is known: a class or function, which is never called, only compared.</summary>
sealed record PickledName(string Module, string Name)
{
    public override string ToString() => Module.Length == 0 ? Name : $"{Module}.{Name}";
}

/// <summary>Numbers in a file that tensors are cut from.</summary>
/// <param name="Key">Its name in the file.</param>
/// <param name="Type">Element type; null where only bytes are counted.</param>
/// <param name="Count">Elements, or bytes.</param>
sealed record PickledStorage(string Key, ScalarType? Type, long Count);

/// <summary>A tensor as the pickle describes it: a strided view of a storage.</summary>
sealed record PickledTensor(PickledStorage Storage, ScalarType Type, long Offset, long[] Shape, long[] Strides);

/// <summary>A dictionary in the order in which it was filled.</summary>
/// <param name="isOrdered">Whether Python's <c>OrderedDict</c> made it, which carries a state.</param>
sealed class PickledDictionary(bool isOrdered)
{
    readonly HashSet<string> _keys = [];
    readonly List<(object? Key, object? Value)> _items = [];

    public bool IsOrdered { get; } = isOrdered;

    public IReadOnlyList<(object? Key, object? Value)> Items => _items;

    /// <summary>Adds a pair; false for a text that is there already.</summary>
    public bool TryAdd(object? key, object? value)
    {
        if (key is string text && !_keys.Add(text)) return false;
        _items.Add((key, value));
        return true;
    }

    public object? this[string key] => _keys.Contains(key) ? _items.First(i => key.Equals(i.Key)).Value : null;
}
