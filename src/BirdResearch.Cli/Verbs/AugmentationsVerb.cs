using System.CommandLine;
using BirdResearch.Data;
using BirdResearch.Experiments;
using TorchSharp;

namespace BirdResearch.Cli.Verbs;

/// <summary><c>bird augmentations</c>: a page that shows what each augmentation does to one clip.</summary>
public static class AugmentationsVerb
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = "Data set, by name or folder", DefaultValueFactory = _ => Datasets.Synthetic };
        var clip = new Option<string?>("--clip") { Description = "Id of a recording (default: the first)" };
        return new Command("augmentations",
            """
            Writes results/augmentations/report.html: one clip as recorded and as every augmentation leaves it, to see and to hear.
            One file that needs no network, no run and no training.

            Examples:
              bird augmentations
              bird augmentations --data birds --clip XC123456
            """)
        { data, clip }.Does((p, cancellation) =>
        {
            var runner = new TrialRunner(RunStore.Open());
            var set = DataScreen.Open(runner, p.GetValue(data)!, cancellation);
            using var scope = torch.NewDisposeScope();
            var page = Analysis.AugmentationPage.write(Path.Combine(Folders.Results, "augmentations"), AugmentationExamples.Of(set, p.GetValue(clip)));
            Screen.Line($"Report: {page}");
            return 0;
        });
    }
}
