using BirdResearch.Audio;
using BirdResearch.Data;
using BirdResearch.Features;
using BirdResearch.Kernels;
using BirdResearch.Naming;
using static TorchSharp.torch;

namespace BirdResearch.Experiments;

/// <summary>One clip as an augmentation leaves it.</summary>
/// <param name="Name">Id of the clip, or the augmentation's settings in words.</param>
/// <param name="Labels">Its classes with their labels, those above 0.</param>
/// <param name="Sound">A FLAC file; null where only the features change.</param>
/// <param name="LevelDb">Mean power in dB of full scale; null where only the features change.</param>
/// <param name="Picture">Mel spectrogram, rows x frames levels from 0 to 255, on one scale of 80 dB for all.</param>
public sealed record AugmentedClip(string Name, IReadOnlyList<(string Class, double Label)> Labels, byte[]? Sound, double? LevelDb, byte[] Picture);

/// <summary>What each augmentation does to one clip of a data set, to see and to hear.</summary>
/// <param name="Data">The data set.</param>
/// <param name="Originals">The clip, and the others of its batch.</param>
/// <param name="Augmented">Every augmentation with its examples.</param>
/// <param name="Rows">Rows of every picture.</param>
/// <param name="Frames">Frames of every picture.</param>
/// <param name="MinHz">Lower edge of the pictures.</param>
/// <param name="MaxHz">Upper edge of the pictures.</param>
/// <param name="Seconds">Length of every clip.</param>
public sealed record AugmentationExamples(
    string Data, IReadOnlyList<AugmentedClip> Originals, IReadOnlyList<(AugmentationEntry Entry, IReadOnlyList<AugmentedClip> Clips)> Augmented,
    int Rows, int Frames, double MinHz, double MaxHz, double Seconds)
{
    const int Rate = 32_000, Others = 2, Places = 12;
    const double WindowSeconds = 5, Range = 80, Headroom = 6;

    /// <summary>Makes them through the same <see cref="Augmenter"/> that training uses.</summary>
    /// <param name="data">The data set.</param>
    /// <param name="clip">Id of a recording of it; null takes the first.</param>
    public static AugmentationExamples Of(Dataset data, string? clip = null)
    {
        using var scope = NewDisposeScope();
        using var withoutGradient = no_grad();
        var chosen = Chosen(data, clip);
        var reader = new WindowReader(data, Rate, WindowSeconds);
        var windows = chosen.Select(c => Loudest(reader, c)).ToArray();
        var settings = FrontEnds.Named("mel") with { Normalisation = Normalisation.None };
        using var mel = FrontEnds.Create(settings);
        var labels = zeros(chosen.Count, data.Classes.Count);
        for (var row = 0; row < chosen.Count; row++)
            foreach (var label in chosen[row].Labels) labels[row, data.Classes.ToList().IndexOf(label)] = 1;
        var original = mel.forward(Batch(windows));                                               // (B, 1, M, F)
        var top = original[0].max().item<float>() + Headroom;

        var split = Splits.Of(data, null);
        var source = data.Unlabelled.Count > 0 ? BackgroundSource.Unlabelled : BackgroundSource.Training;
        var backgrounds = BackgroundSounds.Of(new() { Probability = 1, Source = source }, data, split, reader);
        AugmentedClip Clip(string name, Tensor label, float[]? sound, Tensor features) => new(
            name, Named(data.Classes, label), sound is null ? null : Flac(sound), sound is null ? null : Level(sound), Picture(features, top));

        var augmented = Augmentations.All.Select(entry => (entry, (IReadOnlyList<AugmentedClip>)[.. entry.Shown.Select((shown, epoch) =>
        {
            SampleKey[] keys = [.. chosen.Select(c => new SampleKey(1, epoch + 1, c.Id))];
            using var augmenter = new Augmenter(shown.Settings, Rate, original[0].mean().item<float>(), backgrounds);
            var sounds = windows.Select(w => w.ToArray()).ToArray();
            for (var row = 0; row < sounds.Length; row++) augmenter.OnWindow(keys[row], sounds[row]);
            var mixed = augmenter.OnBatch(new LabelledSound(Batch(sounds), labels, keys));
            var features = augmenter.OnFeatures(mel.forward(mixed.Samples), keys);
            var heard = entry.Stage == AugmentationStage.Features ? null : mixed.Samples[0].contiguous().data<float>().ToArray();
            return Clip(shown.Label, mixed.Labels[0], heard, features[0, 0]);
        })])).ToList();
        return new AugmentationExamples(
            data.Name, [.. chosen.Select((c, row) => Clip(c.Id, labels[row], windows[row], original[row, 0]))], augmented,
            mel.Rows, (int)original.shape[3], settings.Mel.MinHz, settings.Mel.MaxHz, WindowSeconds);
    }

    /// <summary>The clip, and the first recordings of other classes.</summary>
    static List<Clip> Chosen(Dataset data, string? id)
    {
        var first = id is null ? data.Focal[0] : data.Focal.FirstOrDefault(c => c.Id == id)
            ?? throw new ArgumentException(NearNames.Unknown($"recording of '{data.Name}'", id, data.Focal.Select(c => c.Id)));
        return [first, .. data.Focal.Where(c => c.Labels.Count > 0 && !c.Labels.Intersect(first.Labels).Any()).DistinctBy(c => c.Labels[0]).Take(Others)];
    }

    /// <summary>The loudest of some windows that are spread over a recording.</summary>
    static float[] Loudest(WindowReader reader, Clip clip)
    {
        var room = Math.Max(0, reader.LengthOf(clip) - reader.WindowSamples);
        return Enumerable.Range(0, Places).Select(i => i * room / (Places - 1)).Distinct().Select(offset =>
        {
            var window = new float[reader.WindowSamples];
            reader.Read(clip, offset, window);
            return window;
        }).MaxBy(window => Loudness.Power(window))!;
    }

    static Tensor Batch(float[][] windows) => tensor(windows.SelectMany(w => w).ToArray(), [windows.Length, windows[0].Length]);   // (B, T)

    static IReadOnlyList<(string, double)> Named(IReadOnlyList<string> classes, Tensor labels) =>
        [.. classes.Zip(labels.to(ScalarType.Float64).data<double>().ToArray()).Where(l => l.Second > 0).OrderByDescending(l => l.Second)];

    static double Level(float[] sound) => 10 * Math.Log10(Math.Max(1e-12, Loudness.Power(sound)));

    static byte[] Picture(Tensor decibels, double top) =>
        decibels.Plus(Range - top).Times(255 / Range).clamp(KeptScalar.Of(0L), KeptScalar.Of(255L)).to(ScalarType.Byte).contiguous().data<byte>().ToArray();

    static byte[] Flac(float[] sound)
    {
        var file = Path.Combine(Path.GetTempPath(), $"bird-{Guid.NewGuid():N}.flac");
        try
        {
            AudioFile.Write(file, new Waveform(sound, Rate), AudioFormat.Flac);
            return File.ReadAllBytes(file);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
