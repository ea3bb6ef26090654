using System.Collections;
using System.Collections.Concurrent;
using BirdResearch.Audio;
using BirdResearch.Experiments;
using BirdResearch.Notebooks.Cells;
using Plotly.NET;
using TorchSharp;

namespace BirdResearch.Notebooks.Display;

/// <summary>How values are shown.</summary>
public static class Formatters
{
    const int MostItems = 100;

    static readonly ConcurrentDictionary<Type, Func<object, object?>> Own = new();

    /// <summary>Shows values of a type, and of types that derive from it, as what a function makes of them: a string, HTML, a table, a chart ...</summary>
    public static void Register<T>(Func<T, object?> show)
        where T : notnull => Own[typeof(T)] = value => show((T)value);

    /// <summary>A value in every form that it has; plain text is always among them.</summary>
    public static MimeBundle Of(object? value)
    {
        try
        {
            return Formed(value, 0);
        }
        catch (Exception e) when (e is not (OperationCanceledException or ThreadInterruptedException))
        {
            return MimeBundle.Plain($"{value?.GetType()}, which could not be shown: {e.GetType().Name}: {e.Message}");
        }
    }

    static MimeBundle Formed(object? value, int depth) => value switch
    {
        null => MimeBundle.Plain("null"),
        MimeBundle bundle => bundle.Data.ContainsKey(MimeBundle.PlainType) ? bundle : bundle.With(MimeBundle.PlainType, string.Join(", ", bundle.Data.Keys)),
        _ when depth < 8 && OwnOf(value.GetType()) is { } show => Formed(show(value), depth + 1),
        string text => MimeBundle.Plain(text),
        HtmlText html => MimeBundle.Plain(html.Text).With(MimeBundle.HtmlType, html.Text),
        MarkdownText markdown => MimeBundle.Plain(markdown.Text).With(MimeBundle.MarkdownType, markdown.Text),
        PngPicture picture => PictureForm.Of(picture),
        GenericChart chart => ChartForm.Of(chart),
        Waveform sound => SoundForm.Of(sound),
        torch.Tensor tensor => TensorForm.Of(tensor),
        Exception error => ErrorForm.Of(error),
        IReadOnlyList<RunRecord> runs => RunForm.OfRuns(runs),
        RunRecord or Ablation or Trial or Data.Dataset => RunForm.Of(value),
        _ => Tables.Of(value)?.Bundle() ?? MimeBundle.Plain(Text(value)),
    };

    static Func<object, object?>? OwnOf(Type type)
    {
        for (var known = type; known is not null; known = known.BaseType)
            if (Own.TryGetValue(known, out var show)) return show;
        return type.GetInterfaces().Select(i => Own.GetValueOrDefault(i)).FirstOrDefault(show => show is not null);
    }

    static string Text(object value)
    {
        if (Analysis.Shown.isFSharps(value)) return Analysis.Shown.print(value);
        return value is IEnumerable several ? List(several) : Values.Whole(value);
    }

    static string List(IEnumerable several)
    {
        var items = several.Cast<object?>().Take(MostItems + 1).Select(Values.Cell).ToList();
        var count = several is ICollection { Count: var n } ? $"{n} items: " : "";
        return $"{count}[{string.Join(", ", items.Take(MostItems))}{(items.Count > MostItems ? ", …" : "")}]";
    }
}
