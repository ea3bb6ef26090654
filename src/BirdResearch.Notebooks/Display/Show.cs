using BirdResearch.Audio;
using BirdResearch.Notebooks.Cells;
using TorchSharp;

namespace BirdResearch.Notebooks.Display;

/// <summary>What a cell calls to show something; opened in both languages, hence the small letters.</summary>
public static class Show
{
    /// <summary>Shows a value below the cell.</summary>
    /// <param name="value">Anything.</param>
    /// <param name="id">A name by which it can be changed; null makes one.</param>
    public static DisplayHandle display(object? value, string? id = null)
    {
        var handle = new DisplayHandle(id ?? Guid.NewGuid().ToString("N"));
        Cell.Output.Display(Formatters.Of(value), handle.Id);
        return handle;
    }

    /// <summary>HTML, to be shown as such.</summary>
    public static HtmlText html(string text) => new(text);

    /// <summary>Markdown, to be shown as such.</summary>
    public static MarkdownText markdown(string text) => new(text);

    /// <summary>Removes what the cell has shown so far.</summary>
    /// <param name="wait">Whether to wait for the next output.</param>
    public static void clear(bool wait = false) => Cell.Output.Clear(wait);

    /// <summary>Brings plotly.js into the page again, for front-ends that draw charts from HTML and were opened anew.</summary>
    public static HtmlText plotly() => new(ChartScript.Script());

    /// <summary>A part of a recording.</summary>
    /// <param name="sound">The recording.</param>
    /// <param name="startSeconds">Where the part begins.</param>
    /// <param name="seconds">Its length; shorter where the recording ends.</param>
    public static Waveform part(Waveform sound, double startSeconds, double seconds)
    {
        var first = Math.Clamp((int)(startSeconds * sound.SampleRate), 0, sound.Samples.Length);
        var count = Math.Clamp((int)(seconds * sound.SampleRate), 0, sound.Samples.Length - first);
        return new Waveform(sound.Samples.AsSpan(first, count).ToArray(), sound.SampleRate);
    }

    /// <summary>A matrix as a picture: the first row below, dark for the lowest value and light for the highest.</summary>
    /// <param name="values">(rows, frames), or with leading axes of length 1 as front-ends give it.</param>
    /// <param name="title">What it is.</param>
    public static PngPicture picture(torch.Tensor values, string title = "") => Spectrogram.Of(values, title);

    /// <summary>A matrix as a picture: the first row below.</summary>
    public static PngPicture picture(float[,] values, string title = "") => Spectrogram.Of(values, title);
}
