using BirdResearch.Kernels;
using static TorchSharp.torch;

namespace BirdResearch.Training;

/// <summary>
/// Ridnik et al. 2021, Asymmetric Loss for Multi-Label Classification, eq. 7: L+ = (1 - p)^g+ log p and L- = p_m^g- log(1 - p_m) with
/// p_m = max(p - m, 0), averaged over cells (the paper sums). The gradient runs through the focusing factors too.
/// </summary>
sealed class AsymmetricLoss : BinaryLoss
{
    readonly AsymmetricSettings _settings;

    public AsymmetricLoss(AsymmetricSettings settings, double smoothing) : base(smoothing)
    {
        settings.Check();
        _settings = settings;
    }

    protected override Tensor Cells(Tensor logits, Tensor targets)
    {
        using var scope = NewDisposeScope();
        Tensor logYes = nn.functional.logsigmoid(logits), logNo = nn.functional.logsigmoid(-logits);
        var yes = _settings.GammaPositive == 0 ? logYes : logNo.Times(_settings.GammaPositive).exp() * logYes;
        var no = _settings.Margin == 0 ? WithoutMargin(logYes, logNo) : WithMargin(logits);
        return ((targets - targets.ones_like()) * no - targets * yes).MoveToOuterDisposeScope();
    }

    Tensor WithoutMargin(Tensor logYes, Tensor logNo) =>
        _settings.GammaNegative == 0 ? logNo : logYes.Times(_settings.GammaNegative).exp() * logNo;

    Tensor WithMargin(Tensor logits)
    {
        var shifted = sigmoid(logits).Plus(-_settings.Margin).clamp_min(KeptScalar.Of(0L));          // p_m, at most 1 - m
        var log = shifted.neg().log1p();
        return _settings.GammaNegative == 0 ? log : shifted.pow(KeptScalar.Of(_settings.GammaNegative)) * log;
    }
}
