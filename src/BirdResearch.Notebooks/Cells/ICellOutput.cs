namespace BirdResearch.Notebooks.Cells;

/// <summary>Where a running cell's output goes: a Jupyter front-end, or the copy of a notebook that is run without one. Any thread may call it.</summary>
public interface ICellOutput
{
    /// <summary>Text for one of the two streams.</summary>
    /// <param name="name"><c>stdout</c> or <c>stderr</c>.</param>
    /// <param name="text">The text, with its line ends.</param>
    void Stream(string name, string text);

    /// <summary>Shows something below the cell.</summary>
    /// <param name="bundle">What is shown.</param>
    /// <param name="displayId">A name by which it can be changed later; null where it stays.</param>
    void Display(MimeBundle bundle, string? displayId = null);

    /// <summary>Changes what was shown under a name, in place.</summary>
    void Update(string displayId, MimeBundle bundle);

    /// <summary>Removes what the cell has shown so far.</summary>
    /// <param name="wait">Whether to wait for the next output, so that nothing flickers.</param>
    void Clear(bool wait);
}
