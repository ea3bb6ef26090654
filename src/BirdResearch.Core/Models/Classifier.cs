using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>Shape of one clip's features: channels x rows x frames.</summary>
public readonly record struct InputShape(long Channels, long Rows, long Frames);

/// <summary>Turns features (B, channels, rows, frames) into logits (B, C).</summary>
public abstract class Classifier(string name, int classes, InputShape input) : nn.Module<Tensor, Tensor>(name)
{
    /// <summary>Catalogue name, timm's where timm has the model.</summary>
    public string ModelName { get; } = name;

    /// <summary>Number of classes C.</summary>
    public int Classes { get; } = classes;

    /// <summary>The shape it was built for. Rows and frames are free for image models; the channels are not.</summary>
    public InputShape Input { get; } = input;
}
