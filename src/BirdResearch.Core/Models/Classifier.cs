using BirdResearch.Kernels;
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

    /// <summary>Fewest frames that it can take.</summary>
    public virtual long MinimumFrames => 1;

    /// <summary>State-dictionary key of the convolution that reads the image, (out, channels, k, k), if weights for other channel counts can be adapted to it.</summary>
    public virtual string? StemKey => null;

    /// <summary>State-dictionary path of the last layer, whose size follows the number of classes.</summary>
    public virtual string? HeadKey => null;

    /// <summary>Whether a parameter belongs to the part that starts afresh for new classes: by default the layer of <see cref="HeadKey"/>.</summary>
    public virtual bool IsHead(string key) => HeadKey is { } head && key.StartsWith(head + ".", StringComparison.Ordinal);

    /// <summary>
    /// Makes a weight file's value of another shape fit an entry, where the model knows a way: the value and what was done, or null.
    /// </summary>
    /// <param name="key">The entry.</param>
    /// <param name="value">What the file holds under that key.</param>
    /// <param name="file">Any entry of the file by its key, or null where it has none.</param>
    public virtual (Tensor Value, string Change)? Adapt(string key, Tensor value, Func<string, Tensor?> file) => null;

    /// <summary>
    /// Number of steps that <see cref="DepthOf"/> distinguishes: for layer-wise learning-rate decay the embedding is depth 0 and the head
    /// <c>Depths - 1</c>. 1 for models that do not tell their layers apart.
    /// </summary>
    public virtual int Depths => 1;

    /// <summary>Depth of the layer that a parameter belongs to, from 0 to <see cref="Depths"/> - 1.</summary>
    public virtual int DepthOf(string key) => Depths - 1;

    /// <summary>Whether weight decay applies to a parameter: by default to those of two dimensions or more, as in timm.</summary>
    public virtual bool IsDecayed(string key, Tensor parameter) => parameter.dim() > 1;

    /// <summary>The highest learning rate that a parameter may have (S4 holds its state matrices at 0.001), or null for no limit.</summary>
    public virtual double? LearningRateLimitOf(string key) => null;

    /// <summary>Trainable numbers; running statistics are not counted.</summary>
    public long ParameterCount => parameters().Where(p => p.requires_grad).Sum(p => p.numel());

    /// <summary>Multiplies the last layer's weights, so that an untrained model begins nearer to saying the same of every class.</summary>
    public void ScaleHead(double factor)
    {
        using var off = no_grad();
        using var scope = NewDisposeScope();
        var weight = named_parameters().Single(p => p.name == $"{HeadKey}.weight").parameter;
        weight.mul_(KeptScalar.Of(factor));
    }

    /// <summary>Refuses features that the model was not built for, with their shape.</summary>
    protected void RequireFeatures(Tensor x)
    {
        var shape = x.shape;
        if (shape is [_, var channels, _, var frames] && channels == Input.Channels && frames >= MinimumFrames) return;
        throw new ArgumentException(
            $"{ModelName} takes features (batch, {Input.Channels}, rows, frames) with at least {MinimumFrames} frames, " +
            $"but got ({string.Join(", ", shape)}). Build the model for the front-end's shape.");
    }
}
