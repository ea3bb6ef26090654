namespace BirdResearch.Notebooks.Cells;

/// <summary>Whether a text can be run as it stands, which consoles ask at the end of each line.</summary>
public enum Completeness
{
    /// <summary>It can be run.</summary>
    Complete,

    /// <summary>It wants more lines.</summary>
    Incomplete,

    /// <summary>More lines cannot mend it.</summary>
    Invalid,
}
