using System.CommandLine;
using BirdResearch.Cli;
using BirdResearch.Cli.Verbs;

var root = new RootCommand(
    """
    BirdResearch: fair, repeatable ablations of bird-call classifiers.

    First steps:
      bird demo                                      everything once, small: data, 4 runs, a report
      bird run front-ends --data birds               mel against expand-and-sparsify on your recordings
      bird run models --data esc10 --fold 1          EfficientNet against the time-series ResNet
      bird pretrain ssamba_tiny --data birds         SSAMBA learns from sound without labels first
      bird export tf_efficientnet_b0.mel.birds.f0    a trained model as an ONNX file
      bird predict dawn.ogg --model a.onnx           what is heard in a recording, and when
      bird predict --test DIR --model a.onnx b.onnx  a submission for a folder of recordings
      bird report models                             the report of what has been run
      bird runs                                      every run as a table, with filters
      bird compare front-ends:mel front-ends:sparse  whether two arms differ, with a test
      bird kernel install                            C# and F# notebooks in VS Code and Jupyter
      bird models                                    the catalogue, with sizes and multiply-adds
    """)
{
    Demo.Create(),
    Run.Create(),
    WorkVerb.Create(),
    Pretrain.Create(),
    Report.Create(),
    Compare.Create(),
    RunList.Create(),
    Export.Create(),
    Predict.Create(),
    Rehearse.Create(),
    EnsembleVerb.Create(),
    ScoreVerb.Create(),
    AugmentationsVerb.Create(),
    Synthetic.Create(),
    RobustnessVerb.Create(),
    Scan.Create(),
    Catalogues.Models(),
    WeightsVerb.Create(),
    Catalogues.FrontEndList(),
    Catalogues.Data(),
    Catalogues.AblationList(),
    KernelVerb.Create(),
    NotebookVerb.Create(),
    Bench.Create(),
    Reference.Create(),
};
return await Verb.Invoke(root, args);
