namespace BirdResearch.Data;

/// <summary>Which windows of which recordings make up an epoch, and with which labels. Evaluation knows nothing of it.</summary>
public sealed record SamplingSettings
{
    /// <summary>Default of <see cref="LowHz"/>.</summary>
    public const double DefaultLowHz = 500;

    /// <summary>Default of <see cref="HighHz"/>.</summary>
    public const double DefaultHighHz = 12_000;

    /// <summary>Which window of a recording is taken.</summary>
    public WindowChoice Window { get; init; } = WindowChoice.Random;

    /// <summary>Lower edge in Hz of what <c>loudest</c> and <c>detected</c> listen to: wind and traffic lie below.</summary>
    public double LowHz { get; init; } = DefaultLowHz;

    /// <summary>Upper edge in Hz of what <c>loudest</c> and <c>detected</c> listen to.</summary>
    public double HighHz { get; init; } = DefaultHighHz;

    /// <summary>What secondary labels count as.</summary>
    public SecondaryLabelRule SecondaryLabels { get; init; } = SecondaryLabelRule.Ignore;

    /// <summary>How often rare and common classes come. The number of samples in an epoch stays the same.</summary>
    public ClassBalance Balance { get; init; } = ClassBalance.None;

    /// <summary>Beta of <see cref="ClassBalance.EffectiveNumber"/>, in [0, 1): 0 balances nothing, near 1 it is the inverse frequency.</summary>
    public double BalanceBeta { get; init; } = 0.999;

    /// <summary>
    /// Most recordings of a class (the first of their labels) in one epoch; the others take their turn in later epochs, so that all come
    /// equally often. With <see cref="WindowChoice.All"/> the same ones come in every epoch, since its length must not change. 0 sets no limit.
    /// </summary>
    public int MostPerClass { get; init; }

    /// <summary>Least recordings of a class in one epoch: those of a smaller class come several times, with other windows. 0 asks for none.</summary>
    public int LeastPerClass { get; init; }

    /// <summary>Throws an error that names the first setting out of its range.</summary>
    public void Check()
    {
        Require(nameof(Window), Window, Enum.IsDefined(Window), $"one of {Names<WindowChoice>()}");
        Require(nameof(SecondaryLabels), SecondaryLabels, Enum.IsDefined(SecondaryLabels), $"one of {Names<SecondaryLabelRule>()}");
        Require(nameof(Balance), Balance, Enum.IsDefined(Balance), $"one of {Names<ClassBalance>()}");
        Require(nameof(LowHz), LowHz, LowHz is >= 0 and < 100_000, "at least 0 and below 100000");
        Require(nameof(HighHz), HighHz, HighHz > LowHz && HighHz <= 200_000, $"above low_hz ({LowHz}) and at most 200000");
        Require(nameof(BalanceBeta), BalanceBeta, BalanceBeta is >= 0 and < 1, "at least 0 and below 1");
        Require(nameof(MostPerClass), MostPerClass, MostPerClass >= 0, "at least 0");
        Require(nameof(LeastPerClass), LeastPerClass, LeastPerClass >= 0 && (MostPerClass == 0 || LeastPerClass <= MostPerClass),
            $"at least 0, and no more than most_per_class ({MostPerClass})");
    }

    static string Names<T>()
        where T : struct, Enum => string.Join(", ", Enum.GetNames<T>().Select(System.Text.Json.JsonNamingPolicy.KebabCaseLower.ConvertName));

    static void Require(string name, object value, bool holds, string range)
    {
        if (!holds)
            throw new ArgumentException(
                $"training.sampling.{System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(name)} is {value}; it must be {range}.");
    }
}
