module BirdResearch.Tests.Program

open System
open System.IO
open Expecto
open Expecto.Impl

let all =
    testList "BirdResearch" [
        ArchitectureTests.tests
        AudioTests.tests
        SyntheticBirdsTests.tests
        DataTests.tests
        BatchTests.tests
        RealDataTests.tests
        ModelsTests.tests
        WeightsTests.tests
        ReferenceTests.tests
        MetricsTests.tests
        SpectrogramTests.tests
        FeaturesTests.tests
        AugmentationTests.tests
        TrainingTests.tests
        ExperimentTests.tests
        CliTests.tests
        AnalysisTests.tests
    ]

/// Prints what was skipped and why, then the count alone on the last line.
let closing (summary: TestRunSummary) =
    for test, result in summary.results do
        match result.result with
        | Ignored reason -> printfn $"""skipped: {String.Join ('.', test.name)} ({reason})"""
        | _ -> ()
    printfn $"{summary.passed.Length} passed, {summary.failed.Length + summary.errored.Length} failed"

[<EntryPoint>]
let main args =
    let counts = ref None
    let printer =
        { TestPrinters.defaultPrinter with
            summary = fun config summary -> async {
                do! TestPrinters.defaultPrinter.summary config summary
                counts.Value <- Some summary } }
    let code = runTestsWithCLIArgs [ Printer printer; if Console.IsOutputRedirected then Colours 0 ] args all
    counts.Value |> Option.iter closing
    let temporary = Path.Combine (Path.GetTempPath (), $"bird-tests-{Environment.ProcessId}")
    if Directory.Exists temporary then Directory.Delete (temporary, true)
    code
