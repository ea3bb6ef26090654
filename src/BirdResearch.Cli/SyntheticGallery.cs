using System.Globalization;
using System.Text;
using BirdResearch.Audio;
using BirdResearch.Data;
using BirdResearch.Experiments;

namespace BirdResearch.Cli;

/// <summary>Six stretches of synthetic sound with their spectrograms, one for each thing that makes a soundscape hard.</summary>
public static class SyntheticGallery
{
    const double Seconds = 10;

    static readonly SyntheticBirdsSettings Small = new()
    {
        RecordingsPerSpecies = 1,
        ShortestFocalSeconds = 10,
        LongestFocalSeconds = 10,
        Soundscapes = 1,
        SoundscapeSeconds = 30,
        UnlabelledSoundscapes = 0,
        EmptyShare = 0,
        Noises = NoiseKinds.None,
        Reverberation = 0.3,
    };

    static readonly (string Name, string About, SyntheticBirdsSettings Settings)[] Examples =
    [
        ("focal", "A focal recording: one bird close by, a little of the place and of the recorder.", Small),
        ("near", "Soundscape, few birds 8 to 20 m away, 10 to 20 dB over the hush, no noise.",
            Small with { NearestMetres = 8, FarthestMetres = 20, LowestSnrDb = 10, HighestSnrDb = 20, Overlap = 0 }),
        ("far", "Birds 90 to 160 m away in a wood with long reverberation: highs are gone, notes run into each other.",
            Small with { NearestMetres = 90, FarthestMetres = 160, LowestSnrDb = 4, HighestSnrDb = 12, Reverberation = 1.5, ShortestReverbSeconds = 2, LongestReverbSeconds = 2.5 }),
        ("chorus", "A dawn chorus: 30 birds a minute that sing regardless of each other.",
            Small with { FewestBirdsPerMinute = 30, MostBirdsPerMinute = 30, Overlap = 1, LowestSnrDb = 2, HighestSnrDb = 15 }),
        ("rain", "Rain on leaves, birds at -6 to 3 dB.",
            Small with { Noises = NoiseKinds.Rain, FewestNoises = 1, LowestSnrDb = -6, HighestSnrDb = 3 }),
        ("insects", "Crickets and cicadas in the birds' own range, and wind, birds at -3 to 9 dB.",
            Small with { Noises = NoiseKinds.Insects | NoiseKinds.Wind, FewestNoises = 2, LowestSnrDb = -3, HighestSnrDb = 9 }),
    ];

    /// <summary>Writes a sound (ogg), a picture (png) and a line of <c>README.md</c> for each.</summary>
    public static void Write(string folder, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        var text = new StringBuilder("# What the synthetic birds sound like\n\n");
        text.Append("Made by `bird synthetic --gallery`; the spectrograms show 10 s, 50 Hz to 14 kHz on the mel scale.\n");
        foreach (var (name, about, settings) in Examples)
        {
            cancellation.ThrowIfCancellationRequested();
            var (sound, truth) = Example(name, settings);
            AudioFile.Write(Path.Combine(folder, $"{name}.ogg"), sound, AudioFormat.OggVorbis, quality: 0.3);
            var picture = RunExamples.SpectrogramOf(sound);
            File.WriteAllBytes(Path.Combine(folder, $"{name}.png"), Analysis.SoundCharts.picture(picture.Rows, picture.Frames, picture.Values));
            text.Append(CultureInfo.InvariantCulture, $"\n**[{name}]({name}.ogg)**: {about} {truth}\n\n<img src=\"{name}.png\" width=\"640\" height=\"256\">\n");
        }
        File.WriteAllText(Path.Combine(folder, "README.md"), text.ToString());
    }

    static (Waveform Sound, string Truth) Example(string name, SyntheticBirdsSettings settings)
    {
        var work = Directory.CreateTempSubdirectory("bird-gallery-").FullName;
        try
        {
            var world = Path.Combine(work, "world");
            SyntheticBirds.Write(world, settings);
            var data = Datasets.Open(world);
            if (name == "focal")
            {
                var focal = data.Focal[2];
                return (AudioFile.Read(data.PathOf(focal)), $"Truth: {data.CommonNames[focal.Labels[0]]}.");
            }
            var events = CsvTable.Read(Path.Combine(world, "soundscape_events.csv"), "soundscape", "start", "end", "primary_label").Rows
                .Select(r => (Start: r.Number64("start")!.Value, End: r.Number64("end")!.Value, Label: r["primary_label"])).ToList();
            var from = Enumerable.Range(0, (int)(settings.SoundscapeSeconds - Seconds) + 1).MaxBy(s => events.Sum(e => Heard(e, s)));
            var heard = events.Where(e => Heard(e, from) >= 0.4).GroupBy(e => data.CommonNames[e.Label]).OrderBy(g => g.Key, StringComparer.Ordinal)
                .Select(g => $"{g.Key} ({g.Count()} {(g.Count() == 1 ? "song" : "songs")})");
            return (AudioFile.Read(data.PathOf(data.Soundscapes[0]), from, Seconds), $"Truth: {string.Join(", ", heard)}.");
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }

        static double Heard((double Start, double End, string Label) song, double from) =>
            Math.Max(0, Math.Min(song.End, from + Seconds) - Math.Max(song.Start, from));
    }
}
