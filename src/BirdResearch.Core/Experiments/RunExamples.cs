using System.Text.Json;
using BirdResearch.Audio;
using BirdResearch.Data;
using BirdResearch.Features;
using BirdResearch.Kernels;
using BirdResearch.Metrics;
using BirdResearch.Training;
using static TorchSharp.torch;

namespace BirdResearch.Experiments;

/// <summary>
/// A few clips with their sound, spectrogram, truth and predictions, for the report: some spread over each held-out domain, and those that the run
/// gets most wrong.
/// </summary>
public static class RunExamples
{
    const int Spread = 3, Hardest = 3;

    /// <summary>Writes <c>examples/</c>: wav files and <c>examples.json</c>; where the front-end gives a sparse code, its picture for a clip of each domain.</summary>
    public static void Write(
        string folder, Dataset data, Split split, WindowReader reader, FrontEnd frontEnd, IReadOnlyDictionary<string, Evaluation> evaluations)
    {
        folder = Directory.CreateDirectory(Path.Combine(folder, "examples")).FullName;
        var settings = MelAt(reader.SampleRate);
        using var mel = FrontEnds.Create(settings);
        var examples = new List<object>();
        foreach (var (domain, clips) in new[] { ("soundscape", data.Soundscapes), ("focal", split.Validation) })
        {
            if (!evaluations.TryGetValue(domain, out var evaluation)) continue;
            var picked = Pick(clips).ToList();
            foreach (var clip in picked.Union(Worst(evaluation.Scores, clips)))
            {
                var file = $"{domain}-{examples.Count + 1}.wav";
                var samples = reader.Read(clip);
                AudioFile.Write(Path.Combine(folder, file), new Waveform(samples, reader.SampleRate), AudioFormat.Wav16);
                examples.Add(new
                {
                    clip.Id,
                    Domain = domain,
                    File = file,
                    Truth = clip.Labels,
                    Predictions = Best(evaluation, clip.Id),
                    Spectrogram = Picture(mel, samples, settings),
                    Code = frontEnd is ExpandAndSparsify && clip == picked.FirstOrDefault() ? RunCodes.Picture(frontEnd, samples) : null,
                });
            }
        }
        File.WriteAllText(Path.Combine(folder, "examples.json"), JsonSerializer.Serialize(examples, RunStore.Json) + "\n");
    }

    /// <summary>Clips with at least one label, evenly spread over the list.</summary>
    static IEnumerable<Clip> Pick(IReadOnlyList<Clip> clips)
    {
        var labelled = clips.Where(c => c.Labels.Count > 0).ToList();
        var count = Math.Min(Spread, labelled.Count);
        return Enumerable.Range(0, count).Select(i => labelled[((2 * i) + 1) * labelled.Count / (2 * count)]);
    }

    /// <summary>The clips whose scores have the highest cross-entropy with what is heard.</summary>
    internal static IEnumerable<Clip> Worst(Scores scores, IReadOnlyList<Clip> clips)
    {
        var byId = clips.ToDictionary(clip => clip.Id);
        return Enumerable.Range(0, scores.Ids.Count)
            .Where(row => byId.ContainsKey(scores.Ids[row]))
            .OrderByDescending(row => Enumerable.Range(row * scores.Classes.Count, scores.Classes.Count)
                .Sum(cell => -Math.Log(Math.Clamp(scores.Truth[cell] ? scores.Values[cell] : 1 - scores.Values[cell], 1e-6, 1))))
            .ThenBy(row => scores.Ids[row], StringComparer.Ordinal)
            .Take(Hardest)
            .Select(row => byId[scores.Ids[row]]);
    }

    static object[] Best(Evaluation evaluation, string id)
    {
        var scores = evaluation.Scores;
        var row = scores.Ids.Select((name, index) => (name, index)).First(r => r.name == id).index;
        return [.. scores.Classes
            .Select((name, c) => (Class: name, Score: scores.Values[(row * scores.Classes.Count) + c]))
            .OrderByDescending(p => p.Score).Take(5)
            .Select(p => new { p.Class, Score = Math.Round(p.Score, 4) })];
    }

    /// <summary>Levels of a mel spectrogram of some sound: rows x frames bytes, the lowest band first, 0 the softest cell and 255 the loudest.</summary>
    public static (int Rows, int Frames, byte[] Values) SpectrogramOf(Waveform sound)
    {
        using var mel = FrontEnds.Create(MelAt(sound.SampleRate));
        return Levels(mel, sound.Samples);
    }

    static FrontEndSettings MelAt(int sampleRate)
    {
        var settings = FrontEnds.Named("mel") with { SampleRate = sampleRate };
        return settings with { Mel = settings.Mel with { MaxHz = Math.Min(settings.Mel.MaxHz, sampleRate / 2.0) } };
    }

    static (int Rows, int Frames, byte[] Values) Levels(FrontEnd mel, float[] samples)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var features = mel.forward(tensor(samples, [1, samples.Length]))[0, 0];                  // (M, F)
        var (low, high) = (features.min().item<float>(), features.max().item<float>());
        var bytes = features.Plus(-low).Times(255 / Math.Max(1e-6f, high - low)).to(ScalarType.Byte).contiguous().data<byte>().ToArray();
        return ((int)features.shape[0], (int)features.shape[1], bytes);
    }

    static object Picture(FrontEnd mel, float[] samples, FrontEndSettings settings)
    {
        var (rows, frames, values) = Levels(mel, samples);
        return new
        {
            Rows = rows,
            Frames = frames,
            Values = Convert.ToBase64String(values),
            settings.Mel.MinHz,
            settings.Mel.MaxHz,
            Seconds = (double)samples.Length / settings.SampleRate,
        };
    }
}
