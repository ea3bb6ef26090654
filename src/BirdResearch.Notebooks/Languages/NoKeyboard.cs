using BirdResearch.Notebooks.Cells;

namespace BirdResearch.Notebooks.Languages;

/// <summary>Standard input while cells run: a cell that reads from it is told that nobody types there, instead of waiting for ever.</summary>
sealed class NoKeyboard(TextReader console) : TextReader
{
    /// <inheritdoc/>
    public override int Read() => Allowed().Read();

    /// <inheritdoc/>
    public override int Peek() => Allowed().Peek();

    TextReader Allowed() => Cell.IsRunning
        ? throw new NotSupportedException("A cell cannot read from the keyboard: nobody can type there. Write the value into a cell, or give it as a parameter of the notebook.")
        : console;
}
