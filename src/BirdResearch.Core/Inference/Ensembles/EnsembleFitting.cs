namespace BirdResearch.Inference;

/// <summary>Finds weights on validation rows.</summary>
public static class EnsembleFitting
{
    const int Steps = 200;
    const double Settled = 1e-7;

    /// <summary>All members alike.</summary>
    public static FittedWeights Alike(ValidatedMembers members, EnsembleRule rule, EnsembleMetric metric)
    {
        double[] weights = [.. members.Names.Select(_ => 1.0 / members.Names.Count)];
        return new FittedWeights(weights, new MixedColumns(members, rule).Score(weights, metric));
    }

    /// <summary>
    /// Forward selection with replacement (Caruana, Niculescu-Mizil, Crew and Ksikes 2004, Ensemble selection from libraries of models):
    /// again and again the member is added that makes the mixture's metric best; the best mixture on the way is taken. With bags, the mean of
    /// selections among random parts of the members, which holds back from chance.
    /// </summary>
    public static FittedWeights Greedy(ValidatedMembers members, EnsembleRule rule, EnsembleMetric metric, GreedySettings? settings = null)
    {
        settings ??= new GreedySettings();
        if (settings.Draws < 1 || settings.Bags < 0 || settings.BagShare is not (> 0 and <= 1))
            throw new ArgumentException($"Greedy selection takes at least one draw, 0 bags or more and a share in (0, 1], not {settings}.");
        var columns = new MixedColumns(members, rule);
        int[] all = [.. Enumerable.Range(0, columns.Members)];
        if (settings.Bags == 0) return Selection(columns, all, metric, settings.Draws);

        var random = new Random(settings.Seed);
        var weights = new double[columns.Members];
        for (var bag = 0; bag < settings.Bags; bag++)
        {
            var drawn = (int[])all.Clone();
            random.Shuffle(drawn);
            var part = drawn[..Math.Max(1, (int)Math.Round(settings.BagShare * drawn.Length))];
            var found = Selection(columns, [.. part.Order()], metric, settings.Draws);
            for (var m = 0; m < weights.Length; m++) weights[m] += found.Weights[m] / settings.Bags;
        }
        return new FittedWeights(weights, columns.Score(weights, metric));
    }

    /// <summary>
    /// Minimises the mixture's binary log-loss, a mean over the classes that have positives, on the simplex of weights by exponentiated
    /// gradient steps (Kivinen and Warmuth 1997) whose length is searched. The loss is convex in the weights, so the start does not matter.
    /// Ranks have no likelihood and are refused.
    /// </summary>
    public static FittedWeights Optimised(ValidatedMembers members, EnsembleRule rule, EnsembleMetric metric)
    {
        var columns = new MixedColumns(members, rule);
        var weights = Optimised(columns, [.. Enumerable.Range(0, columns.Columns.Count)], rule);
        return new FittedWeights(weights, columns.Score(weights, metric));
    }

    /// <summary>
    /// For each class weights of its own, shrunk towards the common ones: share n / (n + <paramref name="shrinkage"/>) of those that are best
    /// for the class alone (<see cref="Optimised(ValidatedMembers, EnsembleRule, EnsembleMetric)"/>), n its positives, the rest common.
    /// </summary>
    public static IReadOnlyList<IReadOnlyList<double>> ClassWeights(ValidatedMembers members, EnsembleRule rule, IReadOnlyList<double> common, double shrinkage = 30)
    {
        if (shrinkage < 0) throw new ArgumentException($"Shrinkage is {shrinkage}; expected 0 or more.");
        if (common.Count != members.Names.Count) throw new ArgumentException($"There are {common.Count} common weights for {members.Names.Count} members.");
        var columns = new MixedColumns(members, rule);
        var weights = new IReadOnlyList<double>[members.Classes];
        Array.Fill(weights, common);
        Parallel.For(0, columns.Columns.Count, i =>
        {
            var positives = columns.Truth(i).Count(t => t);
            var own = positives / (positives + shrinkage);
            var best = Optimised(columns, [i], rule);
            weights[columns.Columns[i]] = [.. best.Select((w, m) => (own * w) + ((1 - own) * common[m]))];
        });
        return weights;
    }

    /// <summary>
    /// What a way of fitting is worth on rows that it has not seen: for each fold it is fitted on the other folds' rows and scores the fold's;
    /// all rows are then judged together.
    /// </summary>
    /// <param name="members">The validation rows.</param>
    /// <param name="folds">The fold of each row. Windows of one recording belong into one fold.</param>
    /// <param name="metric">What is measured.</param>
    /// <param name="fit">Makes an ensemble from rows.</param>
    public static double CrossFitted(ValidatedMembers members, IReadOnlyList<int> folds, EnsembleMetric metric, Func<ValidatedMembers, Ensemble> fit)
    {
        if (folds.Count != members.Rows) throw new ArgumentException($"There are {folds.Count} folds for {members.Rows} rows.");
        if (folds.Distinct().Count() < 2) throw new ArgumentException("Fitting across folds needs at least two folds.");
        var classes = members.Classes;
        var scores = new float[members.Rows * classes];
        foreach (var fold in folds.Distinct().Order())
        {
            int[] inside = [.. Enumerable.Range(0, folds.Count).Where(r => folds[r] == fold)], outside = [.. Enumerable.Range(0, folds.Count).Where(r => folds[r] != fold)];
            var part = fit(members.Take(outside)).Combine([.. members.Members.Select(m => m.Take(inside))]);
            for (var i = 0; i < inside.Length; i++) Array.Copy(part, i * classes, scores, inside[i] * classes, classes);
        }
        return members.Score(scores, metric);
    }

    static FittedWeights Selection(MixedColumns columns, int[] candidates, EnsembleMetric metric, int draws)
    {
        var counts = new double[columns.Members];
        var (best, bestScore) = (counts, double.NegativeInfinity);
        for (var draw = 0; draw < draws; draw++)
        {
            var (chosen, chosenScore) = (-1, double.NegativeInfinity);
            foreach (var candidate in candidates)
            {
                counts[candidate]++;
                var score = columns.Score(counts, metric);
                counts[candidate]--;
                if (score > chosenScore) (chosen, chosenScore) = (candidate, score);
            }
            if (chosen < 0) throw new ArgumentException("No class of the validation rows has what the metric needs: positives, and for ROC-AUC negatives too.");
            counts[chosen]++;
            if (chosenScore > bestScore) (best, bestScore) = ((double[])counts.Clone(), chosenScore);
        }
        var sum = best.Sum();
        return new FittedWeights([.. best.Select(c => c / sum)], bestScore);
    }

    internal static double[] Optimised(MixedColumns columns, int[] which, EnsembleRule rule)
    {
        if (rule == EnsembleRule.Ranks) throw new ArgumentException("Ranks have no likelihood to optimise; fit their weights greedily.");
        double[] weights = [.. Enumerable.Repeat(1.0 / columns.Members, columns.Members)];
        if (columns.Members == 1) return weights;
        var (loss, gradient) = Loss(columns, which, rule, weights);
        var length = 1.0;
        for (var step = 0; step < Steps && length > 1e-6; step++)
        {
            var scale = Math.Max(gradient.Max() - gradient.Min(), 1e-12);
            var raw = weights.Select((w, m) => w * Math.Exp(-length * (gradient[m] - gradient.Min()) / scale)).ToArray();
            var sum = raw.Sum();
            double[] next = [.. raw.Select(w => w / sum)];
            var (nextLoss, nextGradient) = Loss(columns, which, rule, next);
            if (nextLoss >= loss)
            {
                length /= 2;
                continue;
            }
            var gain = loss - nextLoss;
            (weights, loss, gradient) = (next, nextLoss, nextGradient);
            if (gain < Settled * Math.Abs(loss)) break;
            length = Math.Min(length * 1.5, 20);
        }
        return weights;
    }

    static (double Loss, double[] Gradient) Loss(MixedColumns columns, int[] which, EnsembleRule rule, double[] weights)
    {
        var parts = new (double Loss, double[] Gradient)[which.Length];
        Parallel.For(0, which.Length, k => parts[k] = Loss(columns, which[k], rule, weights));
        var gradient = new double[weights.Length];
        foreach (var part in parts)
            for (var m = 0; m < gradient.Length; m++) gradient[m] += part.Gradient[m] / which.Length;
        return (parts.Sum(p => p.Loss) / which.Length, gradient);
    }

    static (double Loss, double[] Gradient) Loss(MixedColumns columns, int i, EnsembleRule rule, double[] weights)
    {
        var truth = columns.Truth(i);
        var gradient = new double[weights.Length];
        var loss = 0.0;
        for (var r = 0; r < truth.Length; r++)
        {
            var mixed = 0.0;
            for (var m = 0; m < weights.Length; m++) mixed += weights[m] * columns.Values(i, m)[r];
            double error;   // d loss / d mixed
            if (rule == EnsembleRule.Logits)
            {
                loss += Math.Max(mixed, 0) - (truth[r] ? mixed : 0) + Math.Log(1 + Math.Exp(-Math.Abs(mixed)));
                error = MemberScores.Probability(mixed) - (truth[r] ? 1 : 0);
            }
            else
            {
                var p = Math.Clamp(mixed, MemberScores.Margin, 1 - MemberScores.Margin);
                loss -= Math.Log(truth[r] ? p : 1 - p);
                error = truth[r] ? -1 / p : 1 / (1 - p);
            }
            for (var m = 0; m < weights.Length; m++) gradient[m] += error * columns.Values(i, m)[r];
        }
        for (var m = 0; m < gradient.Length; m++) gradient[m] /= truth.Length;
        return (loss / truth.Length, gradient);
    }
}
