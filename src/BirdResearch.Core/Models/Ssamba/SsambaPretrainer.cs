using BirdResearch.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// SSAMBA while it learns from sound without labels: some patches are hidden behind one learned token, and the others must tell which of
/// the hidden patches belongs where (<see cref="Discriminate"/>) and what it holds (<see cref="Reconstruct"/>). Keys are the published ones,
/// and its weights are what an <see cref="Ssamba"/> of the same size starts from.
/// </summary>
public sealed class SsambaPretrainer : nn.Module
{
    /// <summary>Keys of the size of the features that positions were learned on.</summary>
    internal const string RowsKey = "p_input_fdim", FramesKey = "p_input_tdim";

    readonly Parameter p_input_fdim;        // () int64: rows
    readonly Parameter p_input_tdim;        // () int64: frames
    readonly Parameter mask_embed;          // (1, 1, width)
    readonly VimEncoder v;
    readonly MaskedPatchHead cpredlayer;
    readonly MaskedPatchHead gpredlayer;
    readonly SsambaSettings _settings;

    internal SsambaPretrainer(string name, SsambaSettings settings, InputShape input, double dropPathRate) : base(name)
    {
        (ModelName, Input, _settings) = (name, input, settings.WithoutOverlap);
        if (input.Channels != 1) throw new ArgumentException($"{name} is pretrained on one channel, but was asked for {input.Channels}.");
        p_input_fdim = new Parameter(tensor(input.Rows), requires_grad: false);
        p_input_tdim = new Parameter(tensor(input.Frames), requires_grad: false);
        mask_embed = nn.Parameter(zeros(1, 1, settings.Width));
        nn.init.xavier_normal_(mask_embed);
        v = new VimEncoder(_settings, input, dropPathRate);
        var values = settings.PatchRows * settings.PatchFrames;
        cpredlayer = new MaskedPatchHead(settings.Width, values);
        gpredlayer = new MaskedPatchHead(settings.Width, values);
        RegisterComponents();
    }

    /// <summary>Catalogue name of the model that its weights are for.</summary>
    public string ModelName { get; }

    /// <summary>The shape of the features.</summary>
    public InputShape Input { get; }

    /// <summary>Patches of the features.</summary>
    public PatchGrid Grid => v.Grid;

    /// <summary>Trainable numbers.</summary>
    public long ParameterCount => parameters().Where(p => p.requires_grad).Sum(p => p.numel());

    internal VimEncoder VimEncoder => v;

    /// <summary>Builds the pretraining of a catalogue model, freshly initialised from torch's seed, in training mode.</summary>
    /// <param name="name">A name of <see cref="SsambaCatalogue"/>; patches do not overlap here whatever its stride.</param>
    /// <param name="input">Shape of the features: one channel.</param>
    /// <param name="dropPathRate">Probability that a sample's last branch is dropped, in [0, 1).</param>
    public static SsambaPretrainer Create(string name, InputShape input, double dropPathRate = 0)
    {
        if (dropPathRate is not (>= 0 and < 1)) throw new ArgumentException($"dropPathRate must be at least 0 and below 1, but is {dropPathRate}.");
        var model = new SsambaPretrainer(name, SsambaCatalogue.Named(name), input, dropPathRate);
        foreach (var tensor in model.parameters().Concat(model.buffers())) tensor.DetachFromDisposeScope(); // a model outlives any scope
        return model;
    }

    /// <summary>Whether weight decay applies to one of its parameters.</summary>
    public static bool IsDecayed(string key, Tensor parameter) => Ssamba.IsDecayedIn(key, parameter);

    /// <summary>
    /// InfoNCE within each clip: the scores S = targets x predictions of its hidden patches (k x k), and the mean of -log softmax(S_i)_i. The
    /// accuracy, as published, asks for every prediction which target gives it the largest share of its softmax.
    /// </summary>
    /// <param name="image">Features (B, 1, rows, frames).</param>
    /// <param name="masked">Indices of the hidden patches, (B, k) int64.</param>
    /// <returns>The loss with its gradient, and the accuracy in [0, 1] without.</returns>
    public (Tensor Nce, Tensor Accuracy) Discriminate(Tensor image, Tensor masked)
    {
        using var scope = NewDisposeScope();
        var predictions = cpredlayer.call(Hidden(image, masked));               // (B, k, values)
        var scores = bmm(Targets(image, masked), predictions.transpose(1, 2));  // (B, k, k): target i, prediction j
        var chances = nn.functional.log_softmax(scores, 2);
        var nce = -chances.diagonal(dim1: 1, dim2: 2).mean();
        var own = KeptScalar.Counting(masked.shape[1], ScalarType.Int64);
        var accuracy = chances.detach().argmax(1).eq(own).to(image.dtype).mean();
        return (nce.MoveToOuterDisposeScope(), accuracy.MoveToOuterDisposeScope());
    }

    /// <summary>Mean squared error of the hidden patches' values.</summary>
    /// <param name="image">Features (B, 1, rows, frames).</param>
    /// <param name="masked">Indices of the hidden patches, (B, k) int64.</param>
    public Tensor Reconstruct(Tensor image, Tensor masked)
    {
        using var scope = NewDisposeScope();
        var predictions = gpredlayer.call(Hidden(image, masked));               // (B, k, values)
        return nn.functional.mse_loss(predictions, Targets(image, masked)).MoveToOuterDisposeScope();
    }

    /// <summary>The encoder's tokens at the hidden patches, (B, k, width).</summary>
    Tensor Hidden(Tensor image, Tensor masked)
    {
        using var scope = NewDisposeScope();
        RequireFeatures(image);
        var patches = v.Patches(image);                                                                 // (B, N, width)
        var hide = zeros(patches.shape[0], Grid.Count, dtype: ScalarType.Bool)
            .scatter_(1, masked, ones_like(masked, dtype: ScalarType.Bool)).unsqueeze(2);               // (B, N, 1)
        var tokens = v.Encode(where(hide, mask_embed, patches), Grid);                                  // (B, 1 + N, width)
        return At(tokens.narrow(1, 1, Grid.Count), masked).MoveToOuterDisposeScope();
    }

    /// <summary>The hidden patches themselves, (B, k, values), row by row of the patch.</summary>
    Tensor Targets(Tensor image, Tensor masked)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var size = (_settings.PatchRows, _settings.PatchFrames);
        var patches = nn.functional.unfold(image, size, null, null, size).transpose(1, 2);              // (B, N, values)
        return At(patches, masked).MoveToOuterDisposeScope();
    }

    static Tensor At(Tensor tokens, Tensor places) => tokens.gather(1, places.unsqueeze(2).expand(-1, -1, tokens.shape[2]));

    void RequireFeatures(Tensor image)
    {
        if (image.shape is [_, 1, var rows, var frames] && rows == Input.Rows && frames == Input.Frames) return;
        throw new ArgumentException(
            $"The pretraining of {ModelName} was built for features (batch, 1, {Input.Rows}, {Input.Frames}), but got ({string.Join(", ", image.shape)}).");
    }
}
