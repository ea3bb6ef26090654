namespace BirdResearch.Inference;

/// <summary>Applies a <see cref="ScoreRule"/>.</summary>
public static class ScoreRules
{
    /// <summary>Replaces the logits of one window by probabilities; a logit that is not a number is an error.</summary>
    public static void ToProbabilities(this ScoreRule rule, Span<float> logits)
    {
        var highest = float.NegativeInfinity;
        foreach (var logit in logits)
        {
            if (float.IsNaN(logit)) throw new InvalidDataException("A model gave NaN as a logit; its weights are broken. Export or train it again.");
            highest = Math.Max(highest, logit);
        }
        if (rule == ScoreRule.Sigmoid)
        {
            foreach (ref var x in logits) x = 1 / (1 + MathF.Exp(-x));
            return;
        }
        var sum = 0f;
        foreach (ref var x in logits) sum += x = MathF.Exp(x - highest);
        foreach (ref var x in logits) x /= sum;
    }
}
