module BirdResearch.Tests.PretrainedTests

open System
open System.IO
open Expecto
open BirdResearch.Experiments
open BirdResearch.Models
open BirdResearch.Training

let private inFolder (work: string -> 'a) =
    let folder = Directory.CreateTempSubdirectory "bird-pretrained-"
    try work folder.FullName
    finally folder.Delete true

let private model name classes seed =
    Classifiers.Create(name, classes, InputShape(1L, 64L, 100L), ModelOptions(Seed = Nullable seed))

let private startingFrom (path: string) =
    Trial(
        Data = ExperimentTests.trial.Value.Data, Model = "tsresnet_tiny", FrontEnd = "mel-64",
        Training = TrainingSettings(Budget = Budget.OfEpochs 1, BatchSize = 4, WindowSeconds = 2.0, EvaluationWindows = 1, Pretrained = path))

let tests =
    testSequencedGroup "torch"
    <| testList "Pretrained" [
        test "a run that starts from weights records the file, its digest and how it fitted, and its name follows the content alone" {
            inFolder (fun folder ->
                use weights = model "tsresnet_tiny" 9 1
                let first, copy, other = Path.Combine(folder, "first.safetensors"), Path.Combine(folder, "copy.bin"), Path.Combine(folder, "other.safetensors")
                Weights.Save(weights, first)
                File.Copy(first, copy)
                use changed = model "tsresnet_tiny" 9 2
                Weights.Save(changed, other)

                let store, notes = ExperimentTests.freshStore (), ResizeArray()
                let run = TrialRunner(store).Run("a", startingFrom first, ExperimentTests.phases notes)
                let facts = nonNull run.Pretrained
                Expect.equal (facts.File, facts.Format) ("first.safetensors", "safetensors") "file"
                Expect.equal facts.Sha256 (Convert.ToHexStringLower(Security.Cryptography.SHA256.HashData(File.ReadAllBytes first))) "digest"
                Expect.equal (List.ofSeq facts.Missing) [ "fc.weight"; "fc.bias" ] "the head starts afresh"
                Expect.isGreaterThan facts.Loaded 10 "loaded"
                Expect.isTrue (ExperimentTests.seen RunPhase.Loaded notes) "the report is told"
                let again = nonNull (store.Find("a", run.Name))
                Expect.equal (nonNull again.Pretrained).Sha256 facts.Sha256 "kept"

                notes.Clear()
                let fromCopy = TrialRunner(store).Run("a", startingFrom copy, ExperimentTests.phases notes)
                Expect.equal fromCopy.Name run.Name "the same content elsewhere is the same run"
                Expect.isTrue (ExperimentTests.seen RunPhase.ReadBack notes) "it is read back"
                Expect.notEqual (TrialRunner(store).Run("a", startingFrom other)).Name run.Name "other content is another run"
                File.Copy(other, first, overwrite = true)
                File.SetLastWriteTimeUtc(first, DateTime.UtcNow.AddMinutes 1.0)
                Expect.notEqual (TrialRunner(store).Run("a", startingFrom first)).Name run.Name "and so is changed content under the same name")
        }
        test "a missing file and one that does not fit are errors before anything trains" {
            inFolder (fun folder ->
                use weights = model "tf_efficientnet_tiny" 9 1
                let path = Path.Combine(folder, "b.safetensors")
                Weights.Save(weights, path)
                let runner = TrialRunner(ExperimentTests.freshStore ())
                Expect.throwsC (fun () -> runner.CheckPretrained(startingFrom path)) (fun e -> Expect.stringContains e.Message "does not fit tsresnet_tiny" "misfit")
                Expect.throwsC (fun () -> runner.CheckPretrained(startingFrom "gone.pth")) (fun e -> Expect.stringContains e.Message "no weight file 'gone.pth'" "missing")
                let code, output, error =
                    CliTests.bird [ "run"; "models"; "--data"; ExperimentTests.trial.Value.Data; "--models"; "tsresnet_tiny,tf_efficientnet_tiny"; "--pretrained"; path; "--epochs"; "1"; "--seeds"; "1" ]
                Expect.notEqual code 0 "exit code"
                Expect.stringContains error "does not fit tsresnet_tiny" "message"
                Expect.isFalse (output.Contains "epoch") "nothing was trained")
        }
        test "bird weights lists a file, says how it fits a model, and refuses a foreign one without a stack trace" {
            inFolder (fun folder ->
                use weights = model "tf_efficientnet_tiny" 9 1
                let path = Path.Combine(folder, "b.safetensors")
                Weights.Save(weights, path)
                let code, output, error = CliTests.bird [ "weights"; path; "--model"; "tf_efficientnet_tiny"; "--classes"; "4"; "--channels"; "2"; "--all" ]
                Expect.equal code 0 error
                for part in [ "safetensors"; "conv_stem.weight"; "(8, 1, 3, 3)"; "adapted: conv_stem.weight from 1 to 2 channels"; "missing, initial values kept: classifier.weight, classifier.bias" ] do
                    Expect.stringContains output part "output"
                let page = Path.Combine(folder, "page.pth")
                File.WriteAllText(page, "<html>not found</html>")
                let code, output, error = CliTests.bird [ "weights"; page ]
                Expect.notEqual code 0 "exit code"
                Expect.stringContains error "web page" "message"
                Expect.isFalse ((output + error).Contains "   at ") "no stack trace")
        } ]
