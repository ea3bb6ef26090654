namespace BirdResearch.Data;

/// <summary>What a file is for; a copy in a later role is kept before one in an earlier.</summary>
public enum ScanRole
{
    /// <summary>In a folder without tables, or in no table of the data set.</summary>
    Unlisted,

    /// <summary>A soundscape without labels, or a recording known to hold no class.</summary>
    Unlabelled,

    /// <summary>A recording to train and validate on.</summary>
    Focal,

    /// <summary>A soundscape to test on.</summary>
    Soundscape,
}

/// <summary>A file to be scanned.</summary>
/// <param name="File">Path below the folder, with forward slashes.</param>
/// <param name="Role">What it is for.</param>
/// <param name="Clip">Its row, for a focal recording.</param>
public sealed record ScanFile(string File, ScanRole Role, Clip? Clip = null);
