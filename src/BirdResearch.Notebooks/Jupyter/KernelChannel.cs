namespace BirdResearch.Notebooks.Jupyter;

/// <summary>A socket that messages go through.</summary>
enum KernelChannel
{
    /// <summary>Requests, one after another.</summary>
    Shell,

    /// <summary>Requests that do not wait for a running cell.</summary>
    Control,

    /// <summary>What all front-ends see.</summary>
    Iopub,
}
