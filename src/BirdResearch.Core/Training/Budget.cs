using System.Globalization;
using System.Text.Json.Serialization;

namespace BirdResearch.Training;

/// <summary>What a training may spend, in one currency. The learning rate falls, and training ends, as it is spent. Arms of a fair comparison have equal budgets.</summary>
/// <param name="Unit">The currency.</param>
/// <param name="Amount">How much of it, above 0.</param>
[JsonConverter(typeof(BudgetJson))]
public sealed record Budget(BudgetUnit Unit, double Amount)
{
    static readonly (BudgetUnit Unit, string One, string Many, string[] Also)[] Words =
    [
        (BudgetUnit.Epochs, "epoch", "epochs", []),
        (BudgetUnit.Clips, "clip", "clips", []),
        (BudgetUnit.Seconds, "second", "seconds", ["s", "sec", "m", "min", "minute", "minutes", "h", "hour", "hours"]),
        (BudgetUnit.MultiplyAdds, "multiply-add", "multiply-adds", ["mac", "macs"]),
    ];

    /// <summary>So many passes over the training recordings.</summary>
    public static Budget OfEpochs(int epochs) => new(BudgetUnit.Epochs, epochs);

    /// <summary>So many training clips, whatever an epoch holds.</summary>
    public static Budget OfClips(long clips) => new(BudgetUnit.Clips, clips);

    /// <summary>So many seconds of training on this machine; evaluation, pauses and reading back do not count.</summary>
    public static Budget OfSeconds(double seconds) => new(BudgetUnit.Seconds, seconds);

    /// <summary>So many multiply-adds of the model's forward pass over training clips, as the model itself counts them; the backward pass costs about twice as many more.</summary>
    public static Budget OfMultiplyAdds(double multiplyAdds) => new(BudgetUnit.MultiplyAdds, multiplyAdds);

    /// <summary>Reads <c>20 epochs</c>, <c>5000 clips</c>, <c>90 seconds</c> (or s, min, h) or <c>3e12 multiply-adds</c>.</summary>
    public static Budget Parse(string text)
    {
        var number = new string([.. text.Trim().TakeWhile(c => char.IsAsciiDigit(c) || c is '.' or '+' or 'e' or 'E' or '-')]);
        var rest = text.Trim()[number.Length..].Trim().ToLowerInvariant();
        // "5 epochs": the e of the unit is not the number's.
        if (number.EndsWith('e') || number.EndsWith('E')) (number, rest) = (number[..^1], "e" + rest);
        var word = Words.FirstOrDefault(w => w.One == rest || w.Many == rest || w.Also.Contains(rest));
        if (word.Many is null || !double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var amount))
            throw new ArgumentException($"'{text}' is not a budget; write such as 20 epochs, 5000 clips, 90 seconds or 3e12 multiply-adds.");
        var scale = word.Unit != BudgetUnit.Seconds ? 1 : rest[0] switch { 'm' => 60, 'h' => 3600, _ => 1 };
        var budget = new Budget(word.Unit, amount * scale);
        budget.Check();
        return budget;
    }

    /// <summary>Throws an error that says what is wrong with the amount.</summary>
    public void Check()
    {
        var whole = Unit is BudgetUnit.Epochs or BudgetUnit.Clips;
        if (!Enum.IsDefined(Unit) || !double.IsFinite(Amount) || Amount <= 0 || (whole && Amount != Math.Floor(Amount)) || (Unit == BudgetUnit.Clips && Amount < 2))
            throw new ArgumentException(
                $"training.budget is {this}; it must be {(Unit == BudgetUnit.Clips ? "a whole number of at least 2" : whole ? "a whole number of at least 1" : "above 0")}.");
    }

    /// <summary>As <see cref="Parse"/> reads it: <c>20 epochs</c>.</summary>
    public override string ToString()
    {
        var word = Words.First(w => w.Unit == Unit);
        var number = Amount >= 1e7 ? Amount.ToString("0.############e+0", CultureInfo.InvariantCulture) : Amount.ToString("R", CultureInfo.InvariantCulture);
        return $"{number} {(Amount == 1 ? word.One : word.Many)}";
    }
}

/// <summary>Currency of a <see cref="Budget"/>.</summary>
public enum BudgetUnit
{
    /// <summary>Passes over the training recordings.</summary>
    Epochs,

    /// <summary>Training clips.</summary>
    Clips,

    /// <summary>Seconds of training on this machine.</summary>
    Seconds,

    /// <summary>Multiply-adds of the forward pass over training clips.</summary>
    MultiplyAdds,
}
