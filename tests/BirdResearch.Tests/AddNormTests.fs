/// The fused step of a residual stream, and the stream itself, against torch's own operations.
module BirdResearch.Tests.AddNormTests

open System
open Expecto
open TorchSharp
open BirdResearch.Kernels
open BirdResearch.Models
open BirdResearch.Tests.Tensors

/// Which outputs a loss is taken of.
type private Asked =
    | Everything
    | SumAlone
    | FirstNormAlone

/// Outputs and the gradient of every input, by name; the same numbers whatever the precision and the form.
let private outcome fused (precision: torch.ScalarType) (width: int64) added norms doubled asked =
    torch.manual_seed 3L |> ignore
    let leaf (scale: float) (offset: float) =
        (torch.randn (3L, 47L, width) * scale.ToScalar() + offset.ToScalar()).``to``(precision).detach().requires_grad_ ()
    let residual = leaf 2.0 0.7
    let terms = [| for _ in 1..added -> leaf 1.0 -0.2 |]
    let layers =
        [| for _ in 1..norms do
               let norm = torch.nn.LayerNorm(width, 1e-5)
               torch.nn.init.normal_ norm.weight |> ignore
               torch.nn.init.normal_ (nonNull norm.bias) |> ignore
               norm.``to`` precision |> ignore
               norm |]
    let struct (sum, normed) =
        if fused then AddNorm.Apply(residual, terms, layers, doubled) else AddNorm.Reference(residual, terms, layers, doubled)
    let outputs =
        match asked with
        | Everything -> sum :: List.ofArray normed
        | SumAlone -> [ sum ]
        | FirstNormAlone -> [ normed[0] ]
    let loss = outputs |> List.map (fun y -> (y * torch.randn(3L, 47L, width).``to`` precision).sum ()) |> List.reduce (fun a b -> a + b)
    loss.backward ()
    let gradient name (t: torch.Tensor) = match t.grad with | null -> [] | g -> [ name, numbers g ]
    [ yield "sum", numbers sum
      for n in normed -> "normed", numbers n
      yield! gradient "residual" residual
      for t in terms do yield! gradient "added" t
      for n in layers do
          yield! gradient "weight" n.weight
          yield! gradient "bias" (nonNull n.bias) ]

let private fusedTests =
    [ for form in [ "vector256"; "vector512" ] do
          for width, added, norms, doubled, asked in
              [ 64L, 1, 1, false, Everything
                192L, 2, 2, true, Everything
                1L, 1, 1, true, Everything
                21L, 3, 2, false, Everything
                40L, 1, 2, true, FirstNormAlone
                16L, 2, 1, true, SumAlone
                7L, 1, 1, false, SumAlone ] do
              torchTest $"{form} is torch's own and so is every gradient: width {width}, {added} added, {norms} norms, doubled {doubled}, {asked}" (fun () ->
                  if form = "vector512" && not Runtime.Intrinsics.X86.Avx512DQ.IsSupported then
                      skiptest "this processor has no AVX-512"
                  let got = withForm form (fun () -> outcome true torch.float32 width added norms doubled asked)
                  let want = outcome false torch.float64 width added norms doubled asked
                  Expect.equal (List.map fst got) (List.map fst want) "what there is"
                  for (name, want), (_, got) in List.zip want got do
                      let largest = want |> Array.map abs |> Array.max
                      Expect.isLessThan (widest want got) (4e-6 * max 1.0 largest) name)
      torchTest "the same bits on one thread and on several" (fun () ->
          let on threads =
              let before = torch.get_num_threads ()
              torch.set_num_threads threads
              try
                  outcome true torch.float32 48L 1 1 false Everything
              finally
                  torch.set_num_threads before
          Expect.equal (on 1) (on 3) "bits")
      torchTest "double precision takes torch's own operations" (fun () ->
          Expect.equal (outcome true torch.float64 24L 2 2 true Everything) (outcome false torch.float64 24L 2 2 true Everything) "bits")
      torchTest "keeps no tensor alive once the outputs are gone" (fun () ->
          let norm = torch.nn.LayerNorm 24L
          let work () =
              use _ = torch.NewDisposeScope()
              let residual, added = torch.randn (3L, 47L, 24L, requires_grad = true), torch.randn (3L, 47L, 24L, requires_grad = true)
              let struct (sum, normed) = AddNorm.Apply(residual, [| added |], [| norm |], true)
              let last = AddNorm.Last(sum, [| normed[0] |], norm)
              (last * last).sum().backward ()
          work ()
          let before = settledTensors ()
          for _ in 1..5 do work ()
          Expect.isLessThanOrEqual (settledTensors ()) before "live tensors") ]

let private streamTests =
    [ torchTest "a residual stream that waits is the sum, once or twice the old one" (fun () ->
          let a, b, c = torch.randn (2L, 3L, 8L), torch.randn (2L, 3L, 8L), torch.randn (2L, 3L, 8L)
          let stream = ResidualStream(a, [| b |])
          Expect.isLessThan (widest (numbers (stream.Plus(c).Sum())) (numbers (a + b + c))) 1e-6 "sum"
          let doubled = ResidualStream(a, [| b |], Doubled = true)
          Expect.isLessThan (widest (numbers (doubled.Sum())) (numbers (a + a + b))) 1e-6 "doubled"
          use norm = torch.nn.LayerNorm 8L
          let struct (sum, normed) = doubled.Norm [| norm |]
          Expect.isLessThan (widest (numbers sum) (numbers (a + a + b))) 1e-6 "sum with a norm"
          Expect.isLessThan (widest (numbers normed[0]) (numbers (norm.call (a + a + b)))) 1e-5 "norm"
          Expect.equal (numbers (doubled.LastNorm norm)) (numbers normed[0]) "the norm alone")
      for name in [ "ssamba_test_tiny"; "sashimi_mamba_tiny" ] do
          torchTest $"{name} gives the same outputs and gradients block by block" (fun () ->
              let shape = ModelsTests.shapeOf name
              use model = Classifiers.Create(name, 3, shape, ModelOptions(Seed = Nullable 2))
              let x = torch.randn (2L, shape.Channels, shape.Rows, shape.Frames)
              let outcome stepwise =
                  for m in model.modules () do
                      match m with
                      | :? Sashimi as s -> s.IsStepwise <- stepwise
                      | :? VimEncoder as v -> v.IsStepwise <- stepwise
                      | _ -> ()
                  model.zero_grad ()
                  let y = model.call x
                  (y * y).sum().backward ()
                  ("logits", numbers y)
                  :: [ for struct (key, p) in model.named_parameters () do
                           match p.grad with
                           | null -> ()
                           | g -> key, numbers g ]
              for (name, want), (other, got) in List.zip (outcome true) (outcome false) do
                  Expect.equal other name "key"
                  Expect.isLessThan (widest want got) (1e-4 * (1e-3 + (want |> Array.map abs |> Array.max))) name) ]

let tests = testSequencedGroup "torch" (testList "residual streams" (fusedTests @ streamTests))
