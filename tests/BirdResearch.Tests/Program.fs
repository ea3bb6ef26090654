module BirdResearch.Tests.Program
open Expecto
[<EntryPoint>]
let main args = runTestsWithCLIArgs [] args (test "torch computes" { Expect.equal (TorchSharp.torch.ones(2L).sum().item<float32>()) 2.0f "" })
