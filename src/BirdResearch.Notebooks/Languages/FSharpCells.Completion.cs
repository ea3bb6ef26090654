using BirdResearch.Notebooks.Cells;

namespace BirdResearch.Notebooks.Languages;

sealed partial class FSharpCells
{
    /// <inheritdoc/>
    public Task<Completions> Complete(string code, int cursor, CancellationToken cancellation) => Task.FromResult(new Completions(cursor, cursor, []));

    /// <inheritdoc/>
    public Task<MimeBundle?> Inspect(string code, int cursor, CancellationToken cancellation) => Task.FromResult<MimeBundle?>(null);
}
