using BirdResearch.Kernels;
using static TorchSharp.torch;

namespace BirdResearch.Training;

/// <summary>
/// Lin et al. 2017, Focal Loss for Dense Object Detection, eq. 5: FL = -alpha_t (1 - p_t)^gamma log p_t, averaged over cells. A target between
/// 0 and 1 mixes the losses of no and yes.
/// </summary>
sealed class FocalLoss : BinaryLoss
{
    readonly FocalSettings _settings;

    public FocalLoss(FocalSettings settings, double smoothing) : base(smoothing)
    {
        settings.Check();
        _settings = settings;
    }

    protected override Tensor Cells(Tensor logits, Tensor targets)
    {
        using var scope = NewDisposeScope();
        Tensor logYes = nn.functional.logsigmoid(logits), logNo = nn.functional.logsigmoid(-logits);
        var yes = targets * Focused(logYes, logNo);
        var no = (targets - targets.ones_like()) * Focused(logNo, logYes);
        var loss = _settings.Alpha is { } alpha ? no.Times(1 - alpha) - yes.Times(alpha) : no - yes;
        return loss.MoveToOuterDisposeScope();
    }

    /// <summary>(1 - q)^gamma log q, from log q and log(1 - q): a power of its exponential, whose gradient is finite everywhere.</summary>
    Tensor Focused(Tensor log, Tensor logOther) => _settings.Gamma == 0 ? log : logOther.Times(_settings.Gamma).exp() * log;
}
