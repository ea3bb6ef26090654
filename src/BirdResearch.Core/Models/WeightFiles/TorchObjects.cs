using System.Globalization;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// The names that a pickle of <c>torch.save</c> may hold, and what they stand for: tensors, their storages and element types, and plain
/// containers. Nothing else has a meaning here.
/// </summary>
sealed class TorchObjects(string path)
{
    const int Shortened = 80;

    static readonly PickledName
        TensorV1 = new("torch._utils", "_rebuild_tensor"),
        TensorV2 = new("torch._utils", "_rebuild_tensor_v2"),
        TensorV3 = new("torch._utils", "_rebuild_tensor_v3"),
        Parameter = new("torch._utils", "_rebuild_parameter"),
        OrderedDict = new("collections", "OrderedDict"),
        Size = new("torch", "Size");

    static readonly HashSet<PickledName> Makers = [TensorV1, TensorV2, TensorV3, Parameter, OrderedDict, Size];

    static readonly Dictionary<string, ScalarType?> Storages = new()
    {
        ["DoubleStorage"] = ScalarType.Float64,
        ["FloatStorage"] = ScalarType.Float32,
        ["HalfStorage"] = ScalarType.Float16,
        ["BFloat16Storage"] = ScalarType.BFloat16,
        ["LongStorage"] = ScalarType.Int64,
        ["IntStorage"] = ScalarType.Int32,
        ["ShortStorage"] = ScalarType.Int16,
        ["CharStorage"] = ScalarType.Int8,
        ["ByteStorage"] = ScalarType.Byte,
        ["BoolStorage"] = ScalarType.Bool,
        ["UntypedStorage"] = null,
        ["_UntypedStorage"] = null,
    };

    static readonly Dictionary<string, ScalarType> Types = new()
    {
        ["float64"] = ScalarType.Float64,
        ["float32"] = ScalarType.Float32,
        ["float16"] = ScalarType.Float16,
        ["bfloat16"] = ScalarType.BFloat16,
        ["int64"] = ScalarType.Int64,
        ["int32"] = ScalarType.Int32,
        ["int16"] = ScalarType.Int16,
        ["int8"] = ScalarType.Int8,
        ["uint8"] = ScalarType.Byte,
        ["bool"] = ScalarType.Bool,
    };

    readonly Dictionary<string, PickledStorage> _stored = [];

    /// <summary>Every storage that was referred to, by its key.</summary>
    public IReadOnlyDictionary<string, PickledStorage> Storage => _stored;

    /// <summary>Bytes of one element.</summary>
    public static int SizeOf(ScalarType? type) => type is { } known ? SafetensorsTypes.Size(SafetensorsTypes.Name(known))!.Value : 1;

    /// <summary>What a name stands for; a name that is not one of torch's own for tensors is refused.</summary>
    public object Named(string module, string name)
    {
        var given = new PickledName(module, name);
        if (Makers.Contains(given)) return given;
        if (module == "torch" && Types.TryGetValue(name, out var type)) return type;
        if (module is "torch" or "torch.storage" && Storages.ContainsKey(name)) return given;
        throw Refused($"asks for '{Shown(given.ToString())}'");
    }

    /// <summary>What calling a known name gives: a description of a tensor, or a plain container.</summary>
    public object? Made(object? callee, object? arguments)
    {
        if (callee is not PickledName maker || !Makers.Contains(maker)) throw Refused($"calls {KindOf(callee)} (REDUCE)");
        if (arguments is not object?[] given) throw Broken(path, $"it calls {maker} without a list of arguments");
        if (maker == OrderedDict && given is []) return new PickledDictionary(true);
        if (maker == Size && given is [object?[] lengths]) return lengths;
        if (maker == Parameter && given is [PickledTensor tensor, bool, _]) return tensor;
        if ((maker == TensorV1 && given is [PickledStorage, _, _, _]) || (maker == TensorV2 && given is [PickledStorage, _, _, _, bool, _] or [PickledStorage, _, _, _, bool, _, _]))
            return Tensor((PickledStorage)given[0]!, ((PickledStorage)given[0]!).Type, given);
        if (maker == TensorV3 && given is [PickledStorage storage, _, _, _, bool, _, ScalarType type, ..]) return Tensor(storage, type, given);
        throw Broken(path, $"it calls {maker} with arguments of other kinds than PyTorch's");
    }

    /// <summary>The storage that a persistent id names: <c>('storage', type, key, device, count)</c>, in old files with a view after it.</summary>
    public PickledStorage Stored(object? id)
    {
        if (id is not (object?[] and ["storage", PickledName { Module: "torch" or "torch.storage" } type, string key, string, long count, ..] parts)
            || !Storages.TryGetValue(type.Name, out var element))
            throw Refused(id is object?[] and ["module", PickledName of, ..] ? $"holds the module '{Shown(of.ToString())}'" : "refers to something outside that is no storage (persistent id)");
        if (parts.Length > 6 || (parts.Length == 6 && parts[5] is not null)) throw Refused("refers to a view of a storage, as PyTorch before 1.0 wrote it");
        if (count < 0 || count > long.MaxValue / SizeOf(element)) throw Broken(path, $"its storage '{Shown(key)}' is said to have {count} elements");
        var storage = new PickledStorage(key, element, count);
        if (_stored.TryAdd(key, storage) || _stored[key] == storage) return storage;
        throw Broken(path, $"it describes storage '{Shown(key)}' in two ways");
    }

    /// <summary>A tensor, after a look at its numbers: it must lie within its storage.</summary>
    PickledTensor Tensor(PickledStorage storage, ScalarType? type, object?[] given)
    {
        if (type is not { } element) throw Broken(path, $"its tensor in storage '{Shown(storage.Key)}' has no element type");
        if (given[1] is not long offset || offset < 0) throw Broken(path, $"a tensor of it begins at element {TextOf(given[1])} of storage '{Shown(storage.Key)}'");
        var (shape, strides) = (Longs(given[2], "shape", storage), Longs(given[3], "strides", storage));
        if (shape.Length != strides.Length)
            throw Broken(path, $"a tensor of it in storage '{Shown(storage.Key)}' has {shape.Length} dimensions but {strides.Length} strides");

        var (last, count) = ((Int128)offset, (Int128)1);
        for (var i = 0; i < shape.Length; i++)
        {
            // Each product stays far below Int128's range: two factors below 2^63 and, for the count, a cap.
            last += (Int128)Math.Max(shape[i] - 1, 0) * strides[i];
            count = count > long.MaxValue && shape[i] > 0 ? count : count * shape[i];
        }
        var available = (Int128)storage.Count * SizeOf(storage.Type) / SizeOf(element);
        if (count > 0 && last >= available)
            throw Broken(path, $"a tensor of it reaches element {last} of storage '{Shown(storage.Key)}', which is said to have {available}");
        // A view may repeat elements (stride 0); memory for what is not in the file is given only in reason.
        if (count > available && count * SizeOf(element) > 1 << 26)
            throw Broken(path, $"a tensor of it in storage '{Shown(storage.Key)}' claims {(count > long.MaxValue ? "more elements than there can be" : $"{count} elements")} from {available}");
        return new PickledTensor(storage, element, offset, shape, strides);
    }

    long[] Longs(object? value, string what, PickledStorage storage)
    {
        if (value is not object?[] parts || parts.Any(p => p is not long) || parts.Length > 64)
            throw Broken(path, $"a tensor of it in storage '{Shown(storage.Key)}' has {what} that are no list of whole numbers");
        long[] numbers = [.. parts.Select(p => (long)p!)];
        if (numbers.Any(n => n < 0)) throw Broken(path, $"a tensor of it in storage '{Shown(storage.Key)}' has {numbers.First(n => n < 0)} among its {what}");
        return numbers;
    }

    static string TextOf(object? value) => value is IFormattable number ? number.ToString(null, CultureInfo.InvariantCulture) : KindOf(value);

    /// <summary>What a value is, for messages.</summary>
    public static string KindOf(object? value) => value switch
    {
        null => "nothing",
        PickledName name => $"'{Shown(name.ToString())}'",
        string => "a text",
        PickledTensor => "a tensor",
        PickledStorage => "a storage",
        PickledDictionary => "a dictionary",
        ScalarType => "an element type",
        object?[] => "a tuple",
        List<object?> => "a list",
        _ => "a number",
    };

    /// <summary>A text from the file, short and without control characters.</summary>
    public static string Shown(string text)
    {
        var plain = string.Concat(text.Take(Shortened).Select(c => char.IsControl(c) ? '?' : c));
        return text.Length > Shortened ? plain + "..." : plain;
    }

    /// <summary>The error for a file that would do more than hold tensors.</summary>
    public InvalidDataException Refused(string what) =>
        new($"'{path}' {what}, which is more than tensors. Nothing of it was executed, and the file is refused. Use its .safetensors version, or load it " +
            "where you trust it and write only its state dictionary: safetensors.torch.save_file(state_dict, 'weights.safetensors').");

    /// <summary>The error for a file that is not as PyTorch writes it.</summary>
    public static InvalidDataException Broken(string path, string why) =>
        new($"'{path}' is not a sound PyTorch weight file: {why}. Fetch or write it again.");
}
