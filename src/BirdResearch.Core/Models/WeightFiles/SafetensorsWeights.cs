using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>A safetensors file as a weight file.</summary>
sealed class SafetensorsWeights(Safetensors file, string path) : WeightFile(path)
{
    public override string Format => "safetensors";

    public override IReadOnlyList<WeightEntry> Entries { get; } =
        [.. file.Entries.Select(e => new WeightEntry(e.Key, SafetensorsTypes.Type(e.Type), e.Shape))];

    public override Tensor Read(string key) => file.Read(key);

    protected override void Dispose(bool disposing) => file.Dispose();
}
