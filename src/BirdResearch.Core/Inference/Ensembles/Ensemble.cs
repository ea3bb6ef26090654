using System.Text.Json;
using System.Text.Json.Serialization;

namespace BirdResearch.Inference;

/// <summary>
/// How the scores of several members become one: what is averaged, with which weights, and what is done to the result. A plain record that
/// is written as JSON and holds no model; <see cref="Combine"/> does the arithmetic on arrays.
/// </summary>
public sealed record Ensemble
{
    static readonly JsonSerializerOptions Layout = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
    };

    /// <summary>What is averaged.</summary>
    public EnsembleRule Rule { get; init; } = EnsembleRule.Probabilities;

    /// <summary>Names of the members.</summary>
    public required IReadOnlyList<string> Members { get; init; }

    /// <summary>A weight for each member, not negative; their sum need not be 1. Empty counts all alike.</summary>
    public IReadOnlyList<double> Weights { get; init; } = [];

    /// <summary>For each class a weight for each member, in place of <see cref="Weights"/>; null uses those for every class.</summary>
    public IReadOnlyList<IReadOnlyList<double>>? ClassWeights { get; init; }

    /// <summary>What is done to the averaged scores.</summary>
    public PostProcessing PostProcessing { get; init; } = new();

    /// <summary>All members alike.</summary>
    public static Ensemble Of(IReadOnlyList<string> members, EnsembleRule rule = EnsembleRule.Probabilities) => new() { Members = members, Rule = rule };

    /// <summary>
    /// The ensemble without the members that are not named, their weights left to the others: what a run that is short of time goes on with.
    /// </summary>
    public Ensemble Only(IReadOnlyCollection<string> members)
    {
        var kept = Enumerable.Range(0, Members.Count).Where(i => members.Contains(Members[i])).ToList();
        if (kept.Count == 0) throw new ArgumentException($"None of {string.Join(", ", members)} is a member; there are {string.Join(", ", Members)}.");
        double[] Part(IReadOnlyList<double> weights) => weights.Count == 0 ? [] : OrAlike([.. kept.Select(i => weights[i])]);
        return this with
        {
            Members = [.. kept.Select(i => Members[i])],
            Weights = Part(Weights),
            ClassWeights = ClassWeights is { } byClass ? [.. byClass.Select(Part)] : null,
        };

        // Members that all weighed nothing still say more than nobody.
        static double[] OrAlike(double[] weights) => weights.Sum() > 0 ? weights : [.. weights.Select(_ => 1.0)];
    }

    /// <summary>The combined scores in [0, 1], N x C, row-major.</summary>
    /// <param name="members">What each member says about the same rows, in the order of <see cref="Members"/>.</param>
    /// <param name="recordings">Which rows are one recording, in the order of time; null where the post-processing does not ask.</param>
    /// <param name="prior">For each class the score of rows of which no member with a weight says anything; null gives them 0.</param>
    public float[] Combine(IReadOnlyList<MemberScores> members, IReadOnlyList<RecordingRows>? recordings = null, IReadOnlyList<float>? prior = null)
    {
        Check();
        if (!members.Select(m => m.Name).SequenceEqual(Members))
            throw new ArgumentException($"The ensemble is of {string.Join(", ", Members)}, but was given {string.Join(", ", members.Select(m => m.Name))}.");
        var (rows, classes) = (members[0].Rows, members[0].Classes);
        if (members.FirstOrDefault(m => m.Rows != rows || m.Classes != classes) is { } other)
            throw new ArgumentException($"{other.Name} has {other.Rows} rows x {other.Classes} classes, {members[0].Name} has {rows} x {classes}: they must be of the same rows.");
        if (ClassWeights is { } given && given.Count != classes)
            throw new ArgumentException($"The ensemble has weights for {given.Count} classes, but its members score {classes}.");

        if (prior is not null && prior.Count != classes) throw new ArgumentException($"The prior is for {prior.Count} classes, but the members score {classes}.");

        var scores = new float[rows * classes];
        Parallel.For(0, classes, c =>
        {
            var weights = WeightsOf(c);
            var (mixed, spoken, column) = (new double[rows], new double[rows], new double[rows]);
            for (var m = 0; m < members.Count; m++)
            {
                if (weights[m] == 0) continue;
                EnsembleColumns.Fill(members[m], c, Rule, column);
                for (var r = 0; r < rows; r++)
                {
                    if (double.IsNaN(column[r])) continue;
                    mixed[r] += weights[m] * column[r];
                    spoken[r] += weights[m];
                }
            }
            for (var r = 0; r < rows; r++)
            {
                var mean = spoken[r] > 0 ? mixed[r] / spoken[r] : 0;
                var score = spoken[r] == 0 ? prior?[c] ?? 0 : Rule == EnsembleRule.Logits ? MemberScores.Probability(mean) : mean;
                scores[(r * classes) + c] = (float)Math.Clamp(score, 0, 1);
            }
        });
        return PostProcessing.Apply(scores, classes, recordings);
    }

    /// <summary>The weights of the members in one class, their sum 1.</summary>
    public double[] WeightsOf(int column)
    {
        var given = ClassWeights?[column] ?? (Weights.Count > 0 ? Weights : [.. Members.Select(_ => 1.0)]);
        var sum = given.Sum();
        return [.. given.Select(w => w / sum)];
    }

    /// <summary>Throws an error that names the first part that makes no ensemble.</summary>
    public void Check()
    {
        if (Members.Count == 0) throw new ArgumentException("The ensemble has no members.");
        if (Members.Distinct().Count() != Members.Count) throw new ArgumentException($"The ensemble names a member twice: {string.Join(", ", Members)}.");
        if (Weights.Count > 0) CheckWeights(Weights, "weights");
        for (var c = 0; c < (ClassWeights?.Count ?? 0); c++) CheckWeights(ClassWeights![c], $"weights of class {c}");
        PostProcessing.Check();
    }

    /// <summary>As JSON, keys in snake_case.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Layout);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <param name="json">The text.</param>
    /// <param name="source">Where it is from, for messages.</param>
    public static Ensemble FromJson(string json, string source)
    {
        try
        {
            var ensemble = JsonSerializer.Deserialize<Ensemble>(json, Layout) ?? throw new JsonException("it holds null");
            ensemble.Check();
            return ensemble;
        }
        catch (Exception e) when (e is JsonException or ArgumentException or NullReferenceException)
        {
            throw new InvalidDataException($"'{source}' describes no ensemble: {e.Message} Make it again with 'bird ensemble'.", e);
        }
    }

    void CheckWeights(IReadOnlyList<double> weights, string what)
    {
        if (weights.Count != Members.Count) throw new ArgumentException($"The ensemble has {Members.Count} members, but {weights.Count} {what}.");
        if (weights.Any(w => w is not (>= 0 and < double.PositiveInfinity)) || weights.Sum() is not > 0)
            throw new ArgumentException($"The ensemble's {what} are {string.Join(", ", weights)}; expected numbers of 0 or more with a sum above 0.");
    }
}
