using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace BirdResearch.Models;

/// <summary>
/// Reads a pickle as data. It has the instructions that <c>torch.save</c> writes (protocols 2 to 5), knows no name but those of
/// <see cref="TorchObjects"/>, calls nothing, and refuses whatever would build another object by its name.
/// </summary>
sealed class PickleMachine
{
    const int MostMarks = 1000, TallestStack = 1 << 20, LongestName = 1024, LongestNumber = 64;
    const long MostSteps = 4_000_000;

    readonly Stream _stream;
    readonly long _end;
    readonly string _path;
    readonly TorchObjects _objects;
    readonly List<object?> _stack = [], _memo = [];
    readonly List<int> _marks = [];

    PickleMachine(Stream stream, long longest, string path, TorchObjects objects)
    {
        (_stream, _path, _objects) = (stream, path, objects);
        _end = Math.Min(stream.Length, stream.Position + longest);
    }

    /// <summary>Reads one pickle and leaves the stream behind it.</summary>
    /// <param name="stream">Seekable.</param>
    /// <param name="longest">Most bytes that it may have.</param>
    /// <param name="path">The file, for messages.</param>
    /// <param name="objects">What the names in it mean.</param>
    public static object? Read(Stream stream, long longest, string path, TorchObjects objects) => new PickleMachine(stream, longest, path, objects).Run();

    object? Run()
    {
        for (var step = 0L; step < MostSteps; step++)
        {
            var code = (PickleOpcode)Byte();
            if (code == PickleOpcode.Stop) return _stack is [var result] && _marks.Count == 0 ? result : throw Broken("its pickle ends with values left over");
            Do(code);
            if (_stack.Count > TallestStack) throw Broken($"its pickle piles up more than {TallestStack} values");
        }
        throw Broken($"its pickle has more than {MostSteps} steps");
    }

    void Do(PickleOpcode code)
    {
        switch (code)
        {
            case PickleOpcode.Proto:
                if (Byte() is var version and (< 2 or > 5)) throw Broken($"its pickle is of protocol {version}; read are 2 to 5");
                break;
            case PickleOpcode.Frame: Bytes(8); break;
            case PickleOpcode.Mark:
                if (_marks.Count == MostMarks) throw Broken($"its pickle nests deeper than {MostMarks} levels");
                _marks.Add(_stack.Count);
                break;
            case PickleOpcode.Pop:
                if (_marks.Count > 0 && _marks[^1] == _stack.Count) _marks.RemoveAt(_marks.Count - 1);
                else Pop();
                break;
            case PickleOpcode.PopMark: Marked(); break;
            case PickleOpcode.Dup: _stack.Add(Top()); break;
            case PickleOpcode.None: _stack.Add(null); break;
            case PickleOpcode.NewTrue: _stack.Add(true); break;
            case PickleOpcode.NewFalse: _stack.Add(false); break;
            case PickleOpcode.BinInt: _stack.Add((long)BinaryPrimitives.ReadInt32LittleEndian(Bytes(4))); break;
            case PickleOpcode.BinInt1: _stack.Add((long)Byte()); break;
            case PickleOpcode.BinInt2: _stack.Add((long)BinaryPrimitives.ReadUInt16LittleEndian(Bytes(2))); break;
            case PickleOpcode.Long1: _stack.Add(Number(Byte())); break;
            case PickleOpcode.Long4: _stack.Add(Number(Length32())); break;
            case PickleOpcode.BinFloat: _stack.Add(BinaryPrimitives.ReadDoubleBigEndian(Bytes(8))); break;
            case PickleOpcode.BinUnicode: _stack.Add(Text(Length32())); break;
            case PickleOpcode.ShortBinUnicode: _stack.Add(Text(Byte())); break;
            case PickleOpcode.BinUnicode8: _stack.Add(Text(Length64())); break;
            case PickleOpcode.BinString: _stack.Add(Encoding.Latin1.GetString(Bytes(Length32()))); break;
            case PickleOpcode.ShortBinString: _stack.Add(Encoding.Latin1.GetString(Bytes(Byte()))); break;
            case PickleOpcode.BinBytes: _stack.Add(Bytes(Length32())); break;
            case PickleOpcode.ShortBinBytes: _stack.Add(Bytes(Byte())); break;
            case PickleOpcode.BinBytes8: _stack.Add(Bytes(Length64())); break;
            case PickleOpcode.EmptyList or PickleOpcode.EmptySet: _stack.Add(new List<object?>()); break;
            case PickleOpcode.EmptyTuple: _stack.Add(Array.Empty<object?>()); break;
            case PickleOpcode.EmptyDict: _stack.Add(new PickledDictionary(false)); break;
            case PickleOpcode.Tuple: _stack.Add(Marked()); break;
            case PickleOpcode.Tuple1: _stack.Add(Last(1)); break;
            case PickleOpcode.Tuple2: _stack.Add(Last(2)); break;
            case PickleOpcode.Tuple3: _stack.Add(Last(3)); break;
            case PickleOpcode.List or PickleOpcode.FrozenSet: _stack.Add(new List<object?>(Marked())); break;
            case PickleOpcode.Dict:
                var pairs = Marked();
                _stack.Add(new PickledDictionary(false));
                AddPairs(pairs);
                break;
            case PickleOpcode.Append: AddItems([Pop()]); break;
            case PickleOpcode.Appends or PickleOpcode.AddItems: AddItems(Marked()); break;
            case PickleOpcode.SetItem: AddPairs(Last(2)); break;
            case PickleOpcode.SetItems: AddPairs(Marked()); break;
            case PickleOpcode.BinGet: _stack.Add(Remembered(Byte())); break;
            case PickleOpcode.LongBinGet: _stack.Add(Remembered(BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4)))); break;
            case PickleOpcode.BinPut: Remember(Byte()); break;
            case PickleOpcode.LongBinPut: Remember(BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4))); break;
            case PickleOpcode.Memoize: Remember(_memo.Count); break;
            case PickleOpcode.Global: _stack.Add(_objects.Named(Line(), Line())); break;
            case PickleOpcode.StackGlobal:
                _stack.Add(Last(2) is [string module, string name] ? _objects.Named(module, name) : throw Broken("it asks for something by a name that is no text"));
                break;
            case PickleOpcode.Reduce:
                var (arguments, callee) = (Pop(), Pop());
                _stack.Add(_objects.Made(callee, arguments));
                break;
            case PickleOpcode.BinPersId: _stack.Add(_objects.Stored(Pop())); break;
            case PickleOpcode.Build:
                // An OrderedDict carries the versions of its modules as an attribute, which loading has no use for.
                if (Pop() is not (PickledDictionary or null) || Top() is not PickledDictionary { IsOrdered: true }) throw _objects.Refused($"sets the state of {TorchObjects.KindOf(Top())} (BUILD)");
                break;
            case PickleOpcode.Inst: throw _objects.Refused($"builds '{TorchObjects.Shown($"{Line()}.{Line()}")}' (INST)");
            case PickleOpcode.Obj: throw _objects.Refused($"builds {TorchObjects.KindOf(Marked().FirstOrDefault())} (OBJ)");
            case PickleOpcode.NewObj: throw _objects.Refused($"builds {TorchObjects.KindOf(Last(2)[0])} (NEWOBJ)");
            case PickleOpcode.NewObjEx: throw _objects.Refused($"builds {TorchObjects.KindOf(Last(3)[0])} (NEWOBJ_EX)");
            case PickleOpcode.Ext1 or PickleOpcode.Ext2 or PickleOpcode.Ext4: throw _objects.Refused("builds an object by a registered number (EXT)");
            case PickleOpcode.ByteArray8 or PickleOpcode.NextBuffer or PickleOpcode.ReadonlyBuffer: throw _objects.Refused("holds a buffer of bytes (protocol 5)");
            default:
                throw Enum.IsDefined(code)
                    ? Broken($"its pickle uses the instruction {code} of protocol 0, which torch.save does not write")
                    : Broken($"its pickle has the unknown instruction 0x{(byte)code:x2}");
        }
    }

    int Floor => _marks.Count > 0 ? _marks[^1] : 0;

    object? Top() => _stack.Count > Floor ? _stack[^1] : throw Broken("its pickle takes a value where there is none");

    object? Pop()
    {
        var value = Top();
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    object?[] Last(int count)
    {
        if (_stack.Count - Floor < count) throw Broken("its pickle takes values where there are none");
        return Cut(_stack.Count - count);
    }

    object?[] Marked()
    {
        if (_marks.Count == 0) throw Broken("its pickle closes what it did not open");
        var start = _marks[^1];
        _marks.RemoveAt(_marks.Count - 1);
        return Cut(start);
    }

    object?[] Cut(int start)
    {
        object?[] values = [.. _stack[start..]];
        _stack.RemoveRange(start, values.Length);
        return values;
    }

    void AddItems(object?[] items)
    {
        if (Top() is not List<object?> list) throw Broken($"its pickle appends to {TorchObjects.KindOf(Top())}");
        list.AddRange(items);
    }

    void AddPairs(object?[] pairs)
    {
        if (Top() is not PickledDictionary dictionary) throw Broken($"its pickle sets an item of {TorchObjects.KindOf(Top())}");
        if (pairs.Length % 2 != 0) throw Broken("its pickle has a key without a value");
        for (var i = 0; i < pairs.Length; i += 2)
            if (!dictionary.TryAdd(pairs[i], pairs[i + 1])) throw Broken($"'{TorchObjects.Shown((string)pairs[i]!)}' is in one dictionary twice");
    }

    void Remember(long index)
    {
        if (index > _memo.Count) throw Broken($"its pickle remembers a value as number {index} where {_memo.Count} are remembered");
        if (index == _memo.Count) _memo.Add(Top());
        else _memo[(int)index] = Top();
    }

    object? Remembered(long index) =>
        index < _memo.Count ? _memo[(int)index] : throw Broken($"its pickle recalls value number {index} of only {_memo.Count}");

    byte Byte()
    {
        if (_stream.Position >= _end) throw TooShort();
        return (byte)_stream.ReadByte();
    }

    byte[] Bytes(long count)
    {
        if (count < 0 || count > _end - _stream.Position) throw TooShort();
        var bytes = new byte[count];
        _stream.ReadExactly(bytes);
        return bytes;
    }

    long Length32() => BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4));

    long Length64() => BinaryPrimitives.ReadInt64LittleEndian(Bytes(8));

    object Number(long bytes)
    {
        if (bytes > LongestNumber) throw Broken($"its pickle has a whole number of {bytes} bytes");
        var number = new BigInteger(Bytes(bytes));
        return number >= long.MinValue && number <= long.MaxValue ? (object)(long)number : number;
    }

    string Text(long bytes)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Bytes(bytes));
        }
        catch (DecoderFallbackException)
        {
            throw Broken("its pickle has a text that is not UTF-8");
        }
    }

    string Line()
    {
        var bytes = new List<byte>();
        for (var b = Byte(); b != '\n'; b = Byte())
        {
            if (bytes.Count == LongestName) throw Broken($"its pickle has a name longer than {LongestName} bytes");
            bytes.Add(b);
        }
        return Encoding.UTF8.GetString([.. bytes]);
    }

    InvalidDataException TooShort() => Broken("its pickle ends too early or is longer than the limit");

    InvalidDataException Broken(string why) => TorchObjects.Broken(_path, why);
}
