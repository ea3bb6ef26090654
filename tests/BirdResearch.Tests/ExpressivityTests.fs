/// The points of Dasgupta and Tosh (2020, arXiv 2006.03741) in small: vectors on a curve, their code, and a linear readout of it.
module BirdResearch.Tests.ExpressivityTests

open System
open Expecto
open TorchSharp
open BirdResearch.Features
open BirdResearch.Tests.Tensors

/// Vectors of unit length on a closed curve or surface that fills a share of the sphere: a cap about one direction, or all of a subspace.
type private World(seed: int64, dimensions: int64, intrinsic: int64, radius: float) =
    let generator = torch.random.manual_seed seed
    let struct (basis, _) = torch.linalg.qr(torch.randn([| dimensions; 2L * intrinsic + 1L |], torch.float64))
    member _.Draw(count: int64) =
        let place = (torch.rand([| count; intrinsic |], torch.float64, generator = generator) - torch.tensor 0.5) * torch.tensor(2.0 * Math.PI)
        let circles = torch.cat([| place.cos(); place.sin() |], 1L) * torch.tensor(radius / sqrt (float intrinsic))
        let centre = torch.ones([| count; 1L |], torch.float64) * torch.tensor(sqrt (1.0 - radius * radius))
        torch.matmul(torch.cat([| circles; centre |], 1L), basis.t()), place

let private wave (place: torch.Tensor) = (place * torch.tensor 3.0).sin().prod 1L
let private board (place: torch.Tensor) = (place * torch.tensor 2.0).sin().prod(1L).sign()

/// Share of the variance of unseen values that the best linear function of the code explains (ridge, closed form).
let private explained (code: torch.Tensor) (values: torch.Tensor) (newCode: torch.Tensor) (newValues: torch.Tensor) =
    let affine (z: torch.Tensor) = torch.cat([| z; torch.ones([| z.shape[0]; 1L |], torch.float64) |], 1L)
    let z = affine code
    let gram = torch.matmul(z.t(), z) + torch.eye(z.shape[1], dtype = torch.float64) * torch.tensor(1e-2)
    let weights = torch.linalg.solve(gram, torch.matmul(z.t(), values))
    let error = (torch.matmul(affine newCode, weights) - newValues).square().mean()
    1.0 - (error / newValues.var(false)).item<float>()

let private share rule projection outputs k (seed: int) dimensions intrinsic radius (target: torch.Tensor -> torch.Tensor) =
    use _ = torch.NewDisposeScope()
    let world = World(int64 seed, dimensions, intrinsic, radius)
    let x, place = world.Draw 1500L
    let newX, newPlace = world.Draw 1500L
    let expansion = ExpansionSettings(Outputs = outputs, K = k, Window = 1, Stride = 1, Rule = rule, Projection = projection, Seed = seed)
    use frontEnd = new ExpandAndSparsify(FrontEndSettings(Kind = "expand-and-sparsify", Mel = MelSettings(Mels = int dimensions), Expansion = expansion))
    frontEnd.``to``(torch.float64) |> ignore
    let series (x: torch.Tensor) = x.unsqueeze 2L
    frontEnd.FitTo(Collections.Generic.List [ series x ])
    let code (x: torch.Tensor) = frontEnd.Sparsified(frontEnd.Activations(series x)).squeeze 2L
    explained (code x) (target place) (code newX) (target newPlace)

let private rawShare (seed: int) dimensions intrinsic radius (target: torch.Tensor -> torch.Tensor) =
    use _ = torch.NewDisposeScope()
    let world = World(int64 seed, dimensions, intrinsic, radius)
    let x, place = world.Draw 1500L
    let newX, newPlace = world.Draw 1500L
    explained x (target place) newX (target newPlace)

let tests : Test =
    testSequencedGroup "torch" (testList "Expressivity" [
        test "a linear readout of the code fits what one of the input cannot, better as n_output grows" {
            for seed in 1..3 do
                let input = rawShare seed 16L 2L 1.0 wave
                Expect.isLessThan input 0.02 "the input"
                let code = [ for outputs in [ 64; 256; 1024 ] -> share SparsityRule.PerStep Projection.Gaussian outputs 16 seed 16L 2L 1.0 wave ]
                for fewer, more in List.pairwise code do Expect.isGreaterThan (more - fewer) 0.08 $"{code}"
                Expect.isGreaterThan (List.last code) 0.6 $"{code}"
        }
        test "thresholds and attuned directions adapt to a curve within a small cap, winner-take-all over random ones does not" {
            // Of random directions those that lean towards the cap win wherever on the curve the input is.
            for seed in 1..3 do
                let fit rule projection radius = share rule projection 256 16 seed 64L 1L radius board
                let great = fit SparsityRule.PerStep Projection.Gaussian 1.0
                Expect.isGreaterThan great 0.88 "winner-take-all on a great circle"
                let random, thresholds, attuned =
                    fit SparsityRule.PerStep Projection.Gaussian 0.1, fit SparsityRule.Threshold Projection.Gaussian 0.1, fit SparsityRule.PerStep Projection.Attuned 0.1
                Expect.isLessThan random (great - 0.12) $"seed {seed}: winner-take-all on the cap"
                Expect.isGreaterThan thresholds 0.93 $"seed {seed}: thresholds on the cap"
                Expect.isGreaterThan attuned 0.93 $"seed {seed}: attuned on the cap"
        }
    ])
