module BirdResearch.Tests.Program

open System
open System.IO
open Expecto
open Expecto.Impl

let all =
    testList "BirdResearch" [
        TrainingTests.tests
        ExperimentTests.tests
        CliTests.tests
    ]

/// Prints what was skipped and why, and the count alone on the last line.
let closing (summary: TestRunSummary) =
    for test, result in summary.results do
        match result.result with
        | Ignored reason -> printfn $"skipped: {String.Join ('.', test.name)} ({reason})"
        | _ -> ()
    let failed = summary.failed.Length + summary.errored.Length
    printfn $"{summary.passed.Length} passed, {failed} failed"

[<EntryPoint>]
let main args =
    let printer =
        { TestPrinters.defaultPrinter with
            summary = fun config summary -> async {
                do! TestPrinters.defaultPrinter.summary config summary
                Logging.Global.verboseIfDef |> ignore
                closing summary } }
    let code = runTestsWithCLIArgs [ Printer printer; Colours 0 ] args all
    let temporary = Path.Combine (Path.GetTempPath (), $"bird-tests-{Environment.ProcessId}")
    if Directory.Exists temporary then Directory.Delete (temporary, true)
    code
