using System.Globalization;
using System.Text;
using BirdResearch.Audio;
using BirdResearch.Notebooks.Cells;

namespace BirdResearch.Notebooks.Display;

/// <summary>Sound with its envelope and a player.</summary>
static class SoundForm
{
    /// <summary>Longer sounds are played so far: a minute at 32 kHz is 5 MB in the notebook's file.</summary>
    public const double MostSeconds = 60;

    const int Width = 640, Height = 96;

    public static MimeBundle Of(Waveform sound)
    {
        var peak = sound.Samples.Length == 0 ? 0 : sound.Samples.Max(Math.Abs);
        var level = sound.Samples.Length == 0 ? 0 : Math.Sqrt(sound.Samples.Average(s => (double)s * s));
        var text = string.Create(CultureInfo.InvariantCulture, $"Sound of {sound.Seconds:0.0#} s at {sound.SampleRate} Hz, peak {peak:0.000}, root mean square {level:0.0000}");
        if (sound.Samples.Length == 0) return MimeBundle.Plain(text);
        var heard = sound.Seconds <= MostSeconds ? sound : Show.part(sound, 0, MostSeconds);
        if (heard != sound) text += $"; the player has the first {MostSeconds} s";
        var wav = AudioFile.Encode(heard, AudioFormat.Wav16);
        var html = $"""
            <div>{Envelope(sound, peak)}<br><audio controls preload="metadata" style="width:{Width}px;max-width:100%" src="{Analysis.SoundCharts.dataUri("audio/wav", wav)}"></audio><br><small>{Table.Escaped(text)}</small></div>
            """;
        return MimeBundle.Plain(text).With(MimeBundle.HtmlType, html);
    }

    /// <summary>The highest and lowest sample of each column.</summary>
    static string Envelope(Waveform sound, float peak)
    {
        var scale = peak > 0 ? Height / 2 / peak : 0;
        var columns = Math.Min(Width, sound.Samples.Length);
        var path = new StringBuilder();
        for (var c = 0; c < columns; c++)
        {
            var from = (int)((long)sound.Samples.Length * c / columns);
            var part = sound.Samples.AsSpan(from, (int)((long)sound.Samples.Length * (c + 1) / columns) - from);
            var (low, high) = (float.MaxValue, float.MinValue);
            foreach (var sample in part) (low, high) = (Math.Min(low, sample), Math.Max(high, sample));
            path.Append(CultureInfo.InvariantCulture, $"M{c} {(Height / 2) - (high * scale):0}V{Math.Max((Height / 2) - (low * scale), (Height / 2) - (high * scale) + 1):0}");
        }
        return $"""<svg width="{Width}" height="{Height}" viewBox="0 0 {columns} {Height}" preserveAspectRatio="none" style="max-width:100%" role="img" aria-label="envelope"><path d="{path}" stroke="#0072b2" fill="none"/></svg>""";
    }
}
