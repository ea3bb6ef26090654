using BirdResearch.Audio;
using BirdResearch.Data;
using BirdResearch.Features;
using BirdResearch.Kernels;
using BirdResearch.Models;
using BirdResearch.Naming;
using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Cli.Benchmarks;

/// <summary>What <c>bird bench</c> can time, by name.</summary>
public sealed class BenchGroups : IDisposable
{
    const double Seconds = 5;
    const int Classes = 182;

    readonly string _folder = Directory.CreateTempSubdirectory("bird-bench-").FullName;
    readonly DisposeScope _scope = NewDisposeScope();
    readonly List<IDisposable> _owned = [];

    /// <summary>The names, in the order in which all are run.</summary>
    public static IReadOnlyList<string> Names { get; } = ["decode", "front-ends", "loader", "models", "precision", "ssm", "sparse", "augmentation", "onnx", "kernel"];

    /// <summary>ONNX files that <c>onnx</c> times beside the models, from the same features.</summary>
    public IReadOnlyList<string> Against { get; init; } = [];

    /// <summary>The group of that name.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="batch">Clips in one call.</param>
    /// <param name="models">Models to time; empty for the group's own: in <c>models</c> every catalogue model that is no test variant.</param>
    /// <param name="longest">Most tokens of a sequence in the curve of <c>ssm</c>.</param>
    public BenchGroup Named(string name, int batch, IReadOnlyList<string> models, int longest) => name switch
    {
        "decode" => Decode(),
        "front-ends" => FrontEndGroup(batch),
        "loader" => LoaderBench.Create(batch, models is [var first, ..] ? first : "tf_efficientnet_b0", _folder),
        "models" => ModelGroup(batch, models),
        "precision" => PrecisionBench.Create(batch, models),
        "ssm" => SsmBench.Create(batch, longest),
        "sparse" => SparseBench.Create(batch),
        "augmentation" => AugmentationBench.Create(),
        "onnx" => OnnxBench.Create(batch, models, Against),
        "kernel" => KernelBench.Create(_owned.Add),
        _ => throw new ArgumentException(NearNames.Unknown("benchmark", name, Names)),
    };

    BenchGroup Decode()
    {
        const int Windows = 24;
        var song = new Waveform(Noise((int)(Seconds * Windows * 32_000), 32_000), 32_000);
        var cases = new List<BenchCase>();
        foreach (var (subject, format) in new[] { ("ogg vorbis", AudioFormat.OggVorbis), ("flac", AudioFormat.Flac), ("wav", AudioFormat.Wav16) })
        {
            var file = Path.Combine(_folder, $"noise.{format}");
            AudioFile.Write(file, song, format);
            cases.Add(new BenchCase(subject, "op", "32 kHz whole", Windows, "windows/s", () => AudioFile.Read(file)));
            cases.Add(new BenchCase(subject, "op", "32 kHz 5 s slices", Windows, "windows/s", () =>
            {
                for (var w = 0; w < Windows; w++) AudioFile.Read(file, w * Seconds, Seconds);
            }));
        }
        foreach (var (from, to) in new[] { (44_100, 32_000), (32_000, 16_000) })
        {
            var sound = new Waveform(Noise((int)(Seconds * Windows * from), from), from);
            cases.Add(new BenchCase("resample", "op", $"{from / 1000.0:0.#} to {to / 1000.0:0.#} kHz", Windows, "windows/s", () => Resampler.Resample(sound, to)));
        }
        return new BenchGroup("decode", "Decoding and resampling, one thread, 5 s windows", cases);
    }

    BenchGroup FrontEndGroup(int batch)
    {
        var mel = FrontEnds.Named("mel");
        var plain = new PlainMel(mel);
        var sound = Sound(mel);
        var cases = new List<BenchCase> { Case("mel", "torch stft", () => plain.Features(sound)) };
        foreach (var (name, settings) in FrontEnds.All)
        {
            var frontEnd = FrontEnds.Create(settings);
            var samples = Sound(settings);
            cases.Add(Case(name, "fp32", () => frontEnd.forward(samples)));
        }

        Tensor Sound(FrontEndSettings settings) =>
            tensor(Noise((int)(batch * Seconds * settings.SampleRate), settings.SampleRate)).reshape(batch, -1);   // (B, T)

        BenchCase Case(string name, string variant, Func<Tensor> features) => new(name, "op", variant, batch, "clips/s", () =>
        {
            using var scope = NewDisposeScope();
            using var noGradient = no_grad();
            features();
        });

        return new BenchGroup("front-ends", $"Front-ends, 5 s clips, batch {batch}", cases);
    }

    BenchGroup ModelGroup(int batch, IReadOnlyList<string> models)
    {
        var features = new Dictionary<string, Tensor>();                                          // (B, 1, M, F) by front-end
        var labels = (rand(batch, Classes) < 0.02).to(ScalarType.Float32);                        // (B, C)
        var names = models.Count > 0 ? models : [.. Classifiers.All.Where(m => !m.IsTest).Select(m => m.Name)];
        var train = new List<BenchCase>();
        var infer = new List<BenchCase>();
        foreach (var name in names)
        {
            var entry = Classifiers.Named(name);
            using var frontEnd = FrontEnds.Create(entry.FrontEnd);
            var shape = Experiments.TrialRunner.ShapeOf(frontEnd, Seconds);
            if (!features.TryGetValue(entry.FrontEnd, out var input))
                features[entry.FrontEnd] = input = randn(batch, shape.Channels, shape.Rows, shape.Frames);
            var model = Classifiers.Create(name, Classes, shape);
            var variant = entry.FrontEnd == "mel" ? "fp32" : $"fp32 {entry.FrontEnd}";
            var optimiser = new AdamW(model.named_parameters());
            train.Add(new BenchCase(name, "train", variant, batch, "clips/s", () =>
            {
                using var scope = NewDisposeScope();
                model.train();
                nn.functional.binary_cross_entropy_with_logits(model.forward(input), labels).backward();
                optimiser.Step(1e-4, 5);
            }));
            infer.Add(new BenchCase(name, "infer", variant, batch, "clips/s", () =>
            {
                using var scope = NewDisposeScope();
                using var noGradient = no_grad();
                model.eval();
                model.forward(input);
            }));
        }
        return new BenchGroup(
            "models", $"Training step (forward, backward, AdamW) and inference, 5 s clips through mel or the front-end named, batch {batch}", [.. train, .. infer]);
    }

    static float[] Noise(int count, int rate)
    {
        var random = new CounterRandom(1, count, rate);
        var noise = new float[count];
        for (var i = 0; i < count; i++) noise[i] = (float)((0.3 * Math.Sin(2 * Math.PI * 3000 * i / rate)) + (0.1 * (random.NextDouble() - 0.5)));
        return noise;
    }

    /// <summary>Frees the tensors, the kernels and the temporary files.</summary>
    public void Dispose()
    {
        foreach (var thing in _owned) thing.Dispose();
        _scope.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
