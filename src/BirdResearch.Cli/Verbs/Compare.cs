using System.CommandLine;
using BirdResearch.Experiments;

namespace BirdResearch.Cli.Verbs;

/// <summary><c>bird compare A B</c>: two arms or runs beside each other, with a test.</summary>
public static class Compare
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var left = new Argument<string>("A") { Description = "A run (its folder, its name, or a part of its name that no other run has), or an arm as ABLATION:PART-OF-ITS-LABEL" };
        var right = new Argument<string>("B") { Description = "The other, likewise" };
        var anyBudget = new Option<bool>("--any-budget") { Description = "Compare although the trainings were given different budgets" };
        var classes = new Option<int>("--classes") { Description = "Classes with the largest differences to list", DefaultValueFactory = _ => 8 };
        return new Command("compare",
            """
            Says whether two arms differ: mean mAP of both, their difference with its 95 % interval, p of a paired permutation test over recordings
            that reckons with the chance of seeds, and the difference that the runs at hand could have found. They may be of different ablations;
            they must have been scored on the same recordings.

            Examples:
              bird compare front-ends:sparsify front-ends:mel
              bird compare budgets:tsresnet18 models:efficientnet --any-budget
              bird compare tsresnet18.mel.birds.f0.s1 tsresnet18.mel.birds.f0.s2
            """)
        { left, right, anyBudget, classes }.Does((p, _) =>
        {
            var store = RunStore.Open();
            var (a, b) = (Place(store, p.GetRequiredValue(left)), Place(store, p.GetRequiredValue(right)));
            var pair = Analysis.Pairs.ofNamed(Analysis.Pairs.named(a.Folder, a.Label), Analysis.Pairs.named(b.Folder, b.Label), p.GetValue(anyBudget));
            Screen.Line(pair.Heading);
            Screen.Line();
            Screen.Table(Analysis.Pairs.Heads, Analysis.Pairs.cells(pair).Select(r => (IReadOnlyList<string>)[.. r]), row => !pair.Comparisons[row].ToldApart);
            foreach (var sentence in Analysis.Pairs.sentences(pair)) Screen.Line(sentence);
            var largest = Analysis.Pairs.classes(p.GetValue(classes), pair);
            if (largest.Length == 0) return 0;
            Screen.Line();
            Screen.Line("Classes that differ most (average precision, mean over runs; not tested one by one):");
            Screen.Table(Analysis.Pairs.ClassHeads, largest.Select(r => (IReadOnlyList<string>)[.. r]));
            return 0;
        });
    }

    /// <summary>Where the runs that a text names are: one run's folder, or an ablation's and words of an arm's label.</summary>
    static (string Folder, string? Label) Place(RunStore store, string text)
    {
        var colon = text.IndexOf(':');
        return colon > 0 && !File.Exists(Path.Combine(text, "run.json")) && Directory.Exists(store.AblationFolder(text[..colon]))
            ? (store.AblationFolder(text[..colon]), text[(colon + 1)..])
            : (store.FolderNamed(text), null);
    }
}
