/// The fused batch norm against torch's own in float64.
module BirdResearch.Tests.BatchNormTests

open System
open Expecto
open TorchSharp
open BirdResearch.Kernels
open BirdResearch.Tests.Tensors

let private momentum, epsilon = 0.1, 1e-3

let private activations = [ NormActivation.None; NormActivation.Relu; NormActivation.Silu; NormActivation.Hardswish ]

/// Input, weight, bias, both running statistics, and the gradient of the result; input and gradient in channels-last order or not.
type private Case =
    { Input: torch.Tensor; Weight: torch.Tensor; Bias: torch.Tensor; Mean: torch.Tensor; Variance: torch.Tensor; Above: torch.Tensor }

let private channelsLast (x: torch.Tensor) = x.permute(0L, 2L, 3L, 1L).contiguous().permute (0L, 3L, 1L, 2L)

let private draw (shape: int64 list) (offset: float) gradientIsChannelsLast =
    torch.manual_seed 3L |> ignore
    let channels = shape[1]
    let spread = torch.rand(channels).add(torch.tensor 0.2f).reshape (1L, -1L, 1L, 1L)
    let above = torch.randn (Array.ofList shape)
    { Input = channelsLast (torch.randn(Array.ofList shape) * spread + torch.tensor (float32 offset))
      Weight = torch.randn channels
      Bias = torch.randn channels
      Mean = torch.randn channels
      Variance = torch.rand(channels).add (torch.tensor 0.5f)
      Above = if gradientIsChannelsLast then channelsLast above else above }

let private activate activation (z: torch.Tensor) =
    match activation with
    | NormActivation.Relu -> z.relu ()
    | NormActivation.Silu -> z.silu ()
    | NormActivation.Hardswish -> z.hardswish ()
    | _ -> z

/// Result, gradients of input, weight and bias, and the running statistics afterwards.
let private outcome (fused: bool) (dtype: torch.ScalarType) activation training (case: Case) =
    use _ = torch.NewDisposeScope()
    let cast (t: torch.Tensor) = t.``to``(dtype).detach().clone ()
    let leaf t = (cast t).requires_grad_ training
    let x, weight, bias = leaf case.Input, leaf case.Weight, leaf case.Bias
    let mean, variance = cast case.Mean, cast case.Variance
    let work () =
        if fused then
            match FusedBatchNorm.Apply(x, mean, variance, weight, bias, training, momentum, epsilon, activation) with
            | null -> failtest "there is no fused form for this case"
            | y -> y
        else
            activate activation (torch.nn.functional.batch_norm (x, mean, variance, weight, bias, training, momentum, epsilon))
    if training then
        let y = work ()
        (y * cast case.Above).sum().backward ()
        [ "y", numbers y; "dx", numbers (nonNull x.grad); "dw", numbers (nonNull weight.grad); "db", numbers (nonNull bias.grad)
          "mean", numbers mean; "variance", numbers variance ]
    else
        use _ = torch.no_grad ()
        [ "y", numbers (work ()); "mean", numbers mean; "variance", numbers variance ]

let private error (want: (string * float[]) list) got =
    [ for (name, want), (_, got) in List.zip want got -> name, widest want got / max 1e-3 (want |> Array.map abs |> Array.max) ]

let private shapes =
    [ [ 8L; 32L; 9L; 11L ]; [ 2L; 24L; 5L; 3L ]; [ 3L; 7L; 4L; 4L ]; [ 4L; 40L; 1L; 1L ]; [ 1L; 16L; 3L; 5L ]; [ 5L; 144L; 20L; 39L ]; [ 2L; 1632L; 4L; 10L ] ]

let private applyTo (x: torch.Tensor) training =
    let ones, zeros = torch.ones x.shape[1], torch.zeros x.shape[1]
    FusedBatchNorm.Apply(x, zeros, ones, ones, zeros, training, momentum, epsilon, NormActivation.Silu)

let tests =
    testSequencedGroup "torch"
    <| testList "Batch norm" [
        for form in [ "vector256"; "vector512" ] do
            for activation in activations do
                torchTest $"{form} with {activation} gives torch's result, gradients and running statistics" (fun () ->
                    if form = "vector512" && not Runtime.Intrinsics.X86.Avx512DQ.IsSupported then skiptest "this processor has no AVX-512"
                    for shape in shapes do
                        for offset in [ 0.0; 30.0 ] do
                            for gradientIsChannelsLast in [ true; false ] do
                                let case = draw shape offset gradientIsChannelsLast
                                for training in [ false; if activation <> NormActivation.None then true ] do
                                    let want = outcome false torch.float64 activation training case
                                    let plain = outcome false torch.float32 activation training case
                                    let got = withForm form (fun () -> outcome true torch.float32 activation training case)
                                    for (name, ours), (_, torchs) in List.zip (error want got) (error want plain) do
                                        // ReLU's edge and few values a channel make float32 itself stray: no further than torch's own does.
                                        Expect.isLessThan ours (max 2e-5 (4.0 * torchs)) $"{name} at {shape}, offset {offset}, training {training}"
                )
        torchTest "results do not depend on the number of threads" (fun () ->
            let case = draw [ 8L; 48L; 33L; 20L ] 1.0 true
            let threads = torch.get_num_threads ()
            let run count =
                torch.set_num_threads count
                try outcome true torch.float32 NormActivation.Silu true case finally torch.set_num_threads threads
            Expect.equal (run 1) (run 3) "bits")
        torchTest "what cannot be fused is left to torch" (fun () ->
            let image = torch.randn (2L, 16L, 5L, 5L)
            Expect.isNull (applyTo image true) "rows side by side"
            Expect.isNull (applyTo (torch.randn (2L, 16L, 9L)) true) "one dimension"
            Expect.isNull (applyTo ((channelsLast image).``to`` torch.float64) true) "float64"
            Expect.isNull (applyTo (channelsLast image) false) "evaluation with gradient"
            let ones, zeros = torch.ones 16L, torch.zeros 16L
            Expect.isNull (FusedBatchNorm.Apply(channelsLast image, zeros, ones, ones, zeros, true, momentum, epsilon, NormActivation.None)) "training without activation"
            Expect.isNull (withForm "reference" (fun () -> applyTo (channelsLast image) true)) "the reference form"
            Expect.isNotNull (applyTo (channelsLast image) true) "but this is fused")
        torchTest "what may be overwritten holds the result afterwards, what may not is left as it was" (fun () ->
            use _ = torch.no_grad ()
            let x = channelsLast (torch.randn (2L, 16L, 5L, 5L))
            let before, ones, zeros = numbers x, torch.ones 16L, torch.zeros 16L
            let apply overwrites = nonNull (FusedBatchNorm.Apply(x, zeros, ones, ones, zeros, false, momentum, epsilon, NormActivation.Hardswish, overwrites))
            let want = numbers (apply false)
            Expect.equal (numbers x) before "left"
            let y = apply true
            Expect.equal (numbers y) want "result"
            Expect.equal (numbers x) want "where it was")
        torchTest "a result may be added to in place, as residual blocks do" (fun () ->
            let x = (channelsLast (torch.randn (2L, 16L, 5L, 5L))).requires_grad_ ()
            let y = nonNull (applyTo x true)
            let one = 1.0.ToScalar()
            y.add_(x, one).sum().backward ()
            Expect.isTrue ((nonNull x.grad).isfinite().all().item<bool> ()) "gradient")
    ]
