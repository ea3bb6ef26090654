module BirdResearch.Tests.ArmFileTests

open System
open System.IO
open Expecto
open BirdResearch.Analysis
open BirdResearch.Cli
open BirdResearch.Data
open BirdResearch.Experiments
open BirdResearch.Training

let private crackle = Path.Combine(Folders.Root, "notebooks", "arms", "crackle.cs")

let private fileOf (text: string) =
    let folder = Scratch.fresh ()
    let path = Path.Combine(folder, "mine.cs")
    File.WriteAllText(path, text)
    path

let private model =
    """
using BirdResearch.Experiments;
using BirdResearch.Models;
using TorchSharp;
using static TorchSharp.torch;

public sealed class Loudness : Classifier
{
    readonly TorchSharp.Modules.Linear fc;

    public Loudness(int classes, InputShape input) : base("my_loudness", classes, input)
    {
        fc = nn.Linear(input.Rows, classes);
        RegisterComponents();
    }

    public override string HeadKey => "fc";

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return fc.call(x.mean([1, 3])).MoveToOuterDisposeScope();
    }
}

public sealed class LoudnessArm : IArm
{
    public string Label => "loudness";
    public bool OnEveryModel => false;
    public void Register() => Classifiers.Add(new("my_loudness", "mine", "mean level of each band", false, (classes, input, _) => new Loudness(classes, input)));
    public Trial On(Trial baseline) => baseline with { Model = "my_loudness" };
}
"""

let private small (trial: Trial) =
    Trial(
        Data = (TrainingTests.tinyData.Force()).Root, Model = "linear_tiny", FrontEnd = "mel-64", Label = trial.Label, Code = trial.Code, Seed = trial.Seed,
        Training = TrainingSettings(Budget = Budget.OfEpochs 1, BatchSize = 4, WindowSeconds = 2.0, EvaluationWindows = 1))

let private failure (work: unit -> unit) = try work (); "" with :? InvalidDataException | :? IOException as e -> e.Message

let tests =
    testSequencedGroup "torch"
    <| testList "Arms of one's own" [
        test "an augmentation and a model, a file each, are arms that are trained and stand in the report" {
            let store = ExperimentTests.freshStore ()
            let runner = TrialRunner store
            let plain = Ablation("mine", "Does it pay?", [| small (Trial()) |])
            let ablation = (ArmFile.Load (fileOf model)).AddTo((ArmFile.Load crackle).AddTo plain)
            Expect.equal [ for t in ablation.Trials -> t.Label ] [ ""; "crackle"; "loudness" ] "cells"
            let records = [ for t in ablation.Trials -> runner.Run("mine", t) ]
            let added = records[1].Augmentations["crackle"]
            Expect.isTrue (added.Applied > 0L && added.Applied < added.Offered) $"crackled {added.Applied} of {added.Offered}"
            Expect.isFalse (records[0].Augmentations.ContainsKey "crackle") "not the baseline"
            Expect.equal records[2].Model.Name "my_loudness" "the model"
            Expect.stringStarts records[1].Trial.Code "crackle.cs " "the code is told"
            let html = File.ReadAllText(Report.write (store.AblationFolder "mine") "mine" "")
            for label in [ "crackle"; "loudness" ] do Expect.stringContains html label "in the report"
        }
        test "another text is another run" {
            let trial = Trial(Data = (TrainingTests.tinyData.Force()).Root, FrontEnd = "mel-64")
            let name (text: string) =
                let arm = (ArmFile.Load (fileOf text)).AddTo(Ablation("mine", "", [| trial |])).Trials[1]
                let runner = TrialRunner(ExperimentTests.freshStore ())
                RunStore.NameOf(runner.Complete arm, runner.Open trial.Data)
            let text = File.ReadAllText crackle
            Expect.equal (name text) (name text) "the same text"
            Expect.notEqual (name (text.Replace("ClicksPerSecond = 10", "ClicksPerSecond = 20"))) (name text) "a changed number"
        }
        test "an arm may ask for every model" {
            let text = (File.ReadAllText crackle).Replace("public string Label => \"crackle\";", "public string Label => \"crackle\"; public bool OnEveryModel => true;")
            let grid = Ablation("mine", "", [| Trial(Model = "linear_tiny"); Trial(Model = "linear_tiny", FrontEnd = "mel-64"); Trial(Model = "mlp_tiny") |])
            let added = (ArmFile.Load (fileOf text)).AddTo(grid).Trials |> Seq.skip 3 |> List.ofSeq
            Expect.equal [ for t in added -> t.Model ] [ "linear_tiny"; "mlp_tiny" ] "once each"
        }
        test "a file that does not compile, or holds no arm, or is not there, is one clear message" {
            Expect.stringContains (failure (fun () -> ArmFile.Load (fileOf "public class A {\n int x = \"text\";\n}") |> ignore)) "line 2" "its line"
            Expect.stringContains (failure (fun () -> ArmFile.Load (fileOf "public class A { }") |> ignore)) "IArm" "no arm"
            Expect.stringContains (failure (fun () -> ArmFile.Load "/nowhere/mine.cs" |> ignore)) "/nowhere/mine.cs" "no file"
            let needs = "using BirdResearch.Experiments; public class A(int n) : IArm { public string Label => n.ToString(); public Trial On(Trial t) => t; }"
            Expect.stringContains (failure (fun () -> ArmFile.Load (fileOf needs) |> ignore)) "A cannot be made" "no plain constructor"
        }
    ]
