using System.Text;
using BirdResearch.Notebooks.Cells;

namespace BirdResearch.Notebooks.Languages;

/// <summary>Sends what code writes to the console to the cell that it belongs to, on whatever thread it runs; outside of cells to the console as before.</summary>
sealed class ConsoleRouting : TextWriter
{
    static readonly Lock Installing = new();
    static TextWriter? _output;
    static TextWriter? _error;
    static TextReader? _input;

    readonly string _name;
    readonly TextWriter _console;

    ConsoleRouting(string name, TextWriter console) => (_name, _console) = (name, console);

    /// <summary>Takes over the process's console where that has not happened or somebody else has taken it since.</summary>
    public static void Install()
    {
        lock (Installing)
        {
            if (!ReferenceEquals(Console.Out, _output))
            {
                Console.SetOut(new ConsoleRouting("stdout", Console.Out));
                _output = Console.Out;
            }
            if (!ReferenceEquals(Console.Error, _error))
            {
                Console.SetError(new ConsoleRouting("stderr", Console.Error));
                _error = Console.Error;
            }
            if (!ReferenceEquals(Console.In, _input))
            {
                Console.SetIn(new NoKeyboard(Console.In));
                _input = Console.In;
            }
        }
    }

    /// <inheritdoc/>
    public override Encoding Encoding => _console.Encoding;

    /// <inheritdoc/>
    public override void Write(char value)
    {
        if (Cell.IsRunning) Cell.Output.Stream(_name, value.ToString());
        else _console.Write(value);
    }

    /// <inheritdoc/>
    public override void Write(string? value)
    {
        if (string.IsNullOrEmpty(value)) return;
        if (Cell.IsRunning) Cell.Output.Stream(_name, value);
        else _console.Write(value);
    }

    /// <inheritdoc/>
    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<char> buffer) => Write(new string(buffer));

    /// <inheritdoc/>
    public override void WriteLine(string? value) => Write(value + CoreNewLine[^1]);

    /// <inheritdoc/>
    public override void WriteLine() => Write("\n");

    /// <inheritdoc/>
    public override void Flush()
    {
        if (!Cell.IsRunning) _console.Flush();
    }
}
