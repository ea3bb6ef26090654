using BirdResearch.Notebooks.Cells;

namespace BirdResearch.Notebooks.Display;

/// <summary>Something that is shown, and can be changed in place.</summary>
public sealed class DisplayHandle
{
    readonly ICellOutput _output = Cell.Output;

    /// <summary>Its name among the notebook's displays.</summary>
    public string Id { get; }

    internal DisplayHandle(string id) => Id = id;

    /// <summary>Shows another value in its place.</summary>
    public void Update(object? value) => _output.Update(Id, Formatters.Of(value));
}
