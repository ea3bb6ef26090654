module BirdResearch.Tests.Program

open System
open System.IO
open Expecto
open Expecto.Impl

let all =
    testList "BirdResearch" [
        ArchitectureTests.tests
        WholeFileTests.tests
        AudioTests.tests
        SyntheticBirdsTests.tests
        DataTests.tests
        SplitTests.tests
        BatchTests.tests
        CacheTests.tests
        SamplingTests.tests
        RealDataTests.tests
        FingerprintTests.tests
        QuarantineTests.tests
        ModelsTests.tests
        ImageModelsTests.tests
        MambaTests.tests
        ScanTests.tests
        AddNormTests.tests
        BatchNormTests.tests
        SashimiTests.tests
        WeightsTests.tests
        WeightFileTests.tests
        ReferenceTests.tests
        MetricsTests.tests
        EnsembleTests.tests
        SpectrogramTests.tests
        FusedFeaturesTests.tests
        FeaturesTests.tests
        PcenTests.tests
        BandMatchingTests.tests
        NoCallTests.tests
        RobustnessTests.tests
        WaveformAugmentationTests.tests
        MixingTests.tests
        AugmentationTests.tests
        AugmentationPageTests.tests
        OptimiserTests.tests
        TrainingTests.tests
        LossTests.tests
        TrainingModesTests.tests
        BudgetTests.tests
        ResumeTests.tests
        SubmissionTests.tests
        PredictionTests.tests
        PrecisionTests.tests
        MemoryTests.tests
        ExperimentTests.tests
        DomainShiftTests.tests
        FlatMinimaTests.tests
        PseudoLabelTests.tests
        CliTests.tests
        ClaimTests.tests
        SharedStoreTests.tests
        SlurmTests.tests
        PretrainedTests.tests
        EnsembleRunsTests.tests
        AnalysisTests.tests
        FigureTests.tests
        DisplayTests.tests
        NotebookFileTests.tests
        ComparisonTests.tests
        SweepTests.tests
        ArmFileTests.tests
        LedgerTests.tests
        SsambaTests.tests
        PretrainingTests.tests
        SparseCodeTests.tests
        ReadoutTests.tests
        ExpressivityTests.tests
        ExportTests.tests
        QuantisationTests.tests
        FrontEndExportTests.tests
        SequenceExportTests.tests
        NotebookSessionTests.tests
        JupyterTests.tests
        KernelProcessTests.tests
        FiveNotebooksTests.tests
    ]

/// Prints what was skipped and why, then the count alone on the last line. Expecto's own writer pads lines, so this goes around it.
let closing (summary: TestRunSummary) =
    Console.Out.Flush ()
    use output = new StreamWriter (Console.OpenStandardOutput ())
    output.WriteLine () // Expecto leaves a colour code at the start of the line
    for test, result in summary.results do
        match result.result with
        | Ignored reason -> output.WriteLine $"""skipped: {String.Join ('.', test.name)} ({reason})"""
        | _ -> ()
    let list (test: FlatTest) = (String.Join ('.', test.name)).Split '.' |> Array.truncate 2 |> Array.last
    let seconds (tests: (FlatTest * TestSummary) seq) = tests |> Seq.sumBy (fun (_, result) -> result.duration.TotalSeconds)
    let slowest =
        summary.results
        |> Seq.groupBy (fst >> list)
        |> Seq.map (fun (list, tests) -> list, seconds tests)
        |> Seq.sortByDescending snd
        |> Seq.truncate 12
        |> Seq.map (fun (list, seconds) -> $"{list} {seconds:F0}")
    output.WriteLine $"""seconds of the slowest lists: {String.Join (", ", slowest)}"""
    output.WriteLine $"{summary.passed.Length} passed, {summary.failed.Length + summary.errored.Length} failed"

[<EntryPoint>]
let main args =
  match args with
  | [| "--read-through-cache"; root; cache |] -> CacheTests.readThrough root cache
  | _ ->
    let counts = ref None
    let printer =
        { TestPrinters.defaultPrinter with
            summary = fun config summary -> async {
                do! TestPrinters.defaultPrinter.summary config summary
                counts.Value <- Some summary } }
    let plain = if Console.IsOutputRedirected then [ Colours 0 ] else []
    let code = runTestsWithCLIArgs (Printer printer :: No_Spinner :: plain) args all
    counts.Value |> Option.iter closing
    code
