/// Sound and numbers for the tests that use torch.
module BirdResearch.Tests.Tensors

open System
open Expecto
open TorchSharp
open BirdResearch.Kernels

let numbers (t: torch.Tensor) =
    use wide = t.detach().``to``(torch.float64).contiguous()
    wide.data<float>().ToArray()

let shaped (shape: int64 list) (values: Array) = torch.from_array(values).reshape(Array.ofList shape)

/// clips x samples of a tone that differs from clip to clip, over noise; float32 as decoded sound is.
let sound (clips: int) (samples: int) =
    let random = Random 7
    let values =
        Array.init (clips * samples) (fun i ->
            let clip, t = i / samples, float (i % samples)
            float32 (0.3 * sin (0.05 * float (clip + 1) * t) + 0.1 * (random.NextDouble() - 0.5)))
    shaped [ int64 clips; int64 samples ] values

let widest (a: float[]) (b: float[]) =
    Expect.equal a.Length b.Length "as many numbers"
    Array.fold2 (fun worst x y -> max worst (abs (x - y))) 0.0 a b

let messageOf (work: unit -> 'a) =
    try
        work () |> ignore
        failtest "gave no error"
    with :? ArgumentException as e -> e.Message

/// A test whose tensors are gone afterwards.
let torchTest name (body: unit -> unit) =
    testCase name (fun () ->
        use _ = torch.NewDisposeScope()
        body ())

/// Live tensors, once those that earlier tests left to the garbage collector are gone. TorchSharp never takes back its count of the tensor
/// that a new Parameter takes over, so that every model made adds its parameters for good: compare counts between which no model is made.
let settledTensors () =
    GC.Collect()
    GC.WaitForPendingFinalizers()
    torch.Tensor.TotalCount

/// Live tensors after each round of the same work, the first of which warms up. A late collection of earlier tests' garbage may lower a count; none may rise.
let neverRises (counts: int64 seq) =
    let counts = List.ofSeq counts
    for count in counts.Tail do
        Expect.isLessThanOrEqual count counts[1] $"live tensors after each round: {counts}"

/// The work's result with that form of the scan forced.
let withForm (form: string) (work: unit -> 'a) =
    let before = Environment.GetEnvironmentVariable ScanForms.Variable
    Environment.SetEnvironmentVariable(ScanForms.Variable, form)
    try
        work ()
    finally
        Environment.SetEnvironmentVariable(ScanForms.Variable, before)
