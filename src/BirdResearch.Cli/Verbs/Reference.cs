using System.CommandLine;
using BirdResearch.Reference;

namespace BirdResearch.Cli.Verbs;

/// <summary><c>bird reference DIR</c>: our numbers against those of the original implementations.</summary>
public static class Reference
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var folder = new Argument<string>("DIR") { Description = "Folder of reference files (*.json), searched with its subfolders" };
        return new Command("reference",
            """
            Computes every reference file below a folder again, in float64 and float32, and prints the largest error beside its tolerance.
            A file of a kind that bird does not know is a failure. Exit code 1 if any file fails.

            Example:
              bird reference tests/BirdResearch.Tests/oracles
            """)
        { folder }.Does((p, cancellation) =>
        {
            var (passed, failed) = (0, 0);
            foreach (var result in ReferenceChecks.CheckFolder(p.GetRequiredValue(folder)))
            {
                Screen.Line(result.ToString());
                if (result.Passed) passed++;
                else failed++;
                cancellation.ThrowIfCancellationRequested();
            }
            Screen.Line($"{passed} passed, {failed} failed");
            return failed == 0 ? 0 : Verb.Failed;
        });
    }
}
