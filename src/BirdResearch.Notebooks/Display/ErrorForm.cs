using BirdResearch.Notebooks.Cells;

namespace BirdResearch.Notebooks.Display;

/// <summary>Exceptions that a cell shows, not those that end it.</summary>
static class ErrorForm
{
    public static MimeBundle Of(Exception error)
    {
        var lines = Chain(error).Select(e => $"{e.GetType().Name}: {e.Message}");
        return MimeBundle.Plain(string.Join("\n  because of ", lines) + (error.StackTrace is { } trace ? "\n" + trace : ""));
    }

    static IEnumerable<Exception> Chain(Exception error)
    {
        for (var e = error; e is not null; e = e.InnerException) yield return e;
    }
}
