module BirdResearch.Tests.CliTests

open System
open System.Diagnostics
open System.IO
open System.Text.Json
open System.Threading
open Expecto

let startInfo (results: string) (args: string list) =
    let info = ProcessStartInfo ("dotnet", RedirectStandardOutput = true, RedirectStandardError = true)
    info.ArgumentList.Add (Path.Combine (AppContext.BaseDirectory, "bird.dll"))
    for arg in args do info.ArgumentList.Add arg
    info.Environment["BIRD_RESULTS"] <- results
    info.Environment["NO_COLOR"] <- "1"
    info

let start results args = startInfo results args |> Process.Start |> nonNull

/// Exit code, output and errors of a process, which is ended and fails the test where it stands still.
let finish (p: Process) =
    let error, output = p.StandardError.ReadToEndAsync (), p.StandardOutput.ReadToEndAsync ()
    let limit = TimeSpan.FromMinutes 10.0
    if not (p.WaitForExit limit) then
        p.Kill true
        failtest $"'{String.Join (' ', p.StartInfo.ArgumentList)}' was not done after {limit.TotalMinutes} minutes. It wrote:\n{output.Result}\n{error.Result}"
    p.ExitCode, output.Result, error.Result

let bird args = start (Scratch.path "results") args |> finish

let tests =
    testSequencedGroup "torch"
    <| testList "Command line" [
        test "help teaches with examples and lists every verb" {
            let code, output, _ = bird [ "--help" ]
            Expect.equal code 0 "exit code"
            for word in [ "demo"; "run"; "scan"; "report"; "models"; "front-ends"; "data"; "ablations"; "bench"; "reference"; "bird run models --data esc10" ] do
                Expect.stringContains output word "the help"
        }

        test "an unknown verb, ablation, model or data set ends with a code other than zero and names what is near" {
            for args, near in
                [ [ "run"; "front-end" ], "front-ends"
                  [ "run"; "models"; "--models"; "tf_eficientnet_b0" ], "tf_efficientnet_b0"
                  [ "run"; "models"; "--data"; "synthetic-bird" ], "synthetic-birds"
                  [ "run"; "regularisation"; "--arms"; "none,mixupp" ], "mixup"
                  [ "bench"; "model" ], "models"
                  [ "report"; "nothing-of-the-kind" ], "finished ablation" ] do
                let code, output, error = bird args
                Expect.notEqual code 0 $"exit code of %A{args}"
                Expect.stringContains (output + error) near $"message of %A{args}"
                Expect.isFalse ((output + error).Contains "   at ") $"no stack trace for %A{args}"
            let code, _, _ = bird [ "traim" ]
            Expect.notEqual code 0 "an unknown verb"
        }

        test "the model catalogue prints a line per model with its parameters" {
            let code, output, _ = bird [ "models" ]
            Expect.equal code 0 "exit code"
            for model in BirdResearch.Models.Classifiers.All do Expect.stringContains output model.Name "the table"
            Expect.stringContains output "4,240,114" "tf_efficientnet_b0 with one channel and 182 classes"
        }

        test "bench ssm finds every figure that it was made for" {
            let code, output, _ = bird [ "bench"; "ssm"; "--rounds"; "1"; "--batch"; "1"; "--longest"; "256"; "--json" ]
            Expect.equal code 0 output
            use json = System.Text.Json.JsonDocument.Parse output
            let goals = [ for goal in json.RootElement.GetProperty("goals").EnumerateArray() -> goal.GetProperty("what").GetString(), goal.GetProperty("value").GetDouble() ]
            for part in [ "ssamba_tiny_s16"; "mamba_raw"; "sashimi_mamba"; "scan forward"; "scan backward"; "torch's graph"; "reference form"; "mel front-end"; "memory"; "256 tokens" ] do
                Expect.exists goals (fun (what, _) -> (nonNull what).Contains part) part
            for what, value in goals do Expect.isTrue (System.Double.IsFinite value) $"{what} is {value}"
        }
        test "bench precision sets bf16 against fp32, in both memory orders where there are two" {
            let code, output, _ = bird [ "bench"; "precision"; "--models"; "tf_efficientnet_tiny,tsresnet_tiny"; "--rounds"; "1"; "--batch"; "2"; "--json" ]
            Expect.equal code 0 "exit code"
            use json = System.Text.Json.JsonDocument.Parse output
            let rows = [ for row in json.RootElement.GetProperty("rows").EnumerateArray() -> string (row.GetProperty "subject"), string (row.GetProperty "variant") ]
            Expect.equal rows
                [ for variant in [ "fp32 contiguous"; "fp32 channels-last"; "bf16 channels-last" ] do "tf_efficientnet_tiny", variant
                  for variant in [ "fp32"; "bf16" ] do "tsresnet_tiny", variant ] "cases"
            let ratios = [ for goal in json.RootElement.GetProperty("goals").EnumerateArray() -> goal.GetProperty("value").GetDouble() ]
            Expect.equal ratios.Length 2 "a ratio for each model"
            Expect.all ratios (fun r -> r > 0.0) "measured"
        }
        test "bench --json prints one object and nothing else" {
            let code, output, _ = bird [ "bench"; "models"; "--models"; "tsresnet_tiny"; "--rounds"; "1"; "--batch"; "2"; "--json" ]
            Expect.equal code 0 "exit code"
            let root = JsonDocument.Parse(output).RootElement
            Expect.isTrue (root.GetProperty("machine").GetProperty("cores").GetInt32 () > 0) "machine"
            for row in root.GetProperty("rows").EnumerateArray () do
                Expect.isTrue (row.GetProperty("value").GetDouble () > 0.0) "value"
                Expect.isTrue (List.contains (row.GetProperty("phase").GetString ()) [ "train"; "infer"; "op" ]) "phase"
                for key in [ "subject"; "variant"; "unit"; "ratio"; "against" ] do row.GetProperty key |> ignore
        }

        test "reference fails for a kind it does not know and says how many files failed" {
            let folder = Scratch.folder "unknown"
            File.WriteAllText (Path.Combine (folder, "strange.json"), "{ \"case\": \"strange\" }")
            let code, output, _ = bird [ "reference"; folder ]
            Expect.notEqual code 0 "exit code"
            Expect.stringContains output "strange.json" "the file"
            Expect.stringContains output "0 passed, 1 failed" "the count"
        }

        test "a run that is killed three times and called again ends with the numbers of an undisturbed one" {
            let data = (TrainingTests.tinyData.Force ()).Root
            let results name = Scratch.path name
            let args =
                [ "run"; "front-ends"; "--data"; data; "--models"; "tsresnet_tiny"; "--front-ends"; "mel-64,expand-and-sparsify-64"; "--epochs"; "4"
                  "--set"; "batch_size=4"; "--set"; "window_seconds=2"; "--threads"; "2"; "--seeds"; "1" ]
            for patience in [ 1500; 3500; 5500 ] do
                use p = start (results "killed") args
                let output = p.StandardOutput.ReadToEndAsync ()
                p.StandardError.ReadToEndAsync () |> ignore
                if not (p.WaitForExit patience) then p.Kill ()
                p.WaitForExit ()
                output.Wait ()
            let code, _, error = start (results "killed") args |> finish
            Expect.equal code 0 error
            let code, _, error = start (results "whole") args |> finish
            Expect.equal code 0 error
            let scores root =
                [ for file in Directory.GetFiles (results root, "scores.*.csv", SearchOption.AllDirectories) |> Array.sort ->
                      Path.GetRelativePath (results root, file), File.ReadAllText file ]
            Expect.equal (List.length (scores "whole")) 6 "two runs with three domains each"
            Expect.equal (scores "killed") (scores "whole") "every score"
            let _, output, _ = start (results "whole") args |> finish
            Expect.stringContains output "is there" "read back"
            Expect.isTrue (File.Exists (Path.Combine (results "whole", "front-ends", "report.html"))) "the report"
        }
    ]
