module BirdResearch.Tests.Program

open Expecto

[<EntryPoint>]
let main args =
    testList "BirdResearch" [
        AudioTests.tests
        SyntheticBirdsTests.tests
        DataTests.tests
        BatchTests.tests
        RealDataTests.tests
    ]
    |> runTestsWithCLIArgs [] args
