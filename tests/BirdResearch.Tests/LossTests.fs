module BirdResearch.Tests.LossTests

open System
open Expecto
open TorchSharp
open BirdResearch.Data
open BirdResearch.Training
open BirdResearch.Tests.Tensors

let private rows, classes = 5, 7

let private random = Random 11

/// Logits from faint to extreme, labels of no, yes and mixed clips, weights with unknown cells.
let private logits = Array.init (rows * classes) (fun i -> (random.NextDouble() * 2.0 - 1.0) * (if i % 5 = 0 then 30.0 else 3.0))
let private labels = Array.init (rows * classes) (fun i -> if i % 6 = 0 then 1.0 elif i % 11 = 3 then 0.3 else 0.0)
let private weights = Array.init (rows * classes) (fun i -> if i % 4 = 1 then 0.0 elif i % 9 = 2 then 0.5 else 1.0)

let private table (values: float[]) = shaped [ int64 rows; int64 classes ] values

let private sigmoid z = 1.0 / (1.0 + exp -z)

/// log of sigmoid in double, without cancellation.
let private logSigmoid z = if z > 0.0 then -(log (1.0 + exp -z)) else z - log (1.0 + exp z)

let private smooth share y = y * (1.0 - share) + share / 2.0

let private bce z y = -(y * logSigmoid z) - (1.0 - y) * logSigmoid -z

let private focal gamma (alpha: float option) z y =
    let p = sigmoid z
    let yes, no = -((sigmoid -z) ** gamma) * logSigmoid z, -(p ** gamma) * logSigmoid -z
    match alpha with
    | Some a -> y * a * yes + (1.0 - y) * (1.0 - a) * no
    | None -> y * yes + (1.0 - y) * no

let private asymmetric positive negative margin z y =
    let shifted = max (sigmoid z - margin) 0.0
    let logNo = if margin = 0.0 then logSigmoid -z else log (1.0 - shifted)
    -(y * (sigmoid -z) ** positive * logSigmoid z) - (1.0 - y) * shifted ** negative * logNo

/// Weighted mean over cells.
let private meanOfCells cell share (weights: float[]) =
    Seq.zip3 logits labels weights |> Seq.sumBy (fun (z, y, w) -> w * cell z (smooth share y)) |> fun sum -> sum / Array.sum weights

/// Softmax cross-entropy over the known classes, averaged over clips.
let private crossEntropy share (weights: float[]) =
    Seq.average (seq {
        for row in 0 .. rows - 1 do
            let known = [ for c in 0 .. classes - 1 do if weights[row * classes + c] > 0.0 then row * classes + c ]
            let norm = log (Seq.sumBy (fun i -> exp logits[i]) known)
            let mass = known |> List.sumBy (fun i -> labels[i] * weights[i])
            known |> List.sumBy (fun i ->
                let target = (if mass > 0.0 then labels[i] * weights[i] / mass else 0.0) * (1.0 - share) + share / float known.Length
                -target * (logits[i] - norm)) })

let private even = Array.create (rows * classes) 1.0

let private focalSettings gamma (alpha: float option) = FocalSettings(Gamma = gamma, Alpha = Option.toNullable alpha)

let private asymmetricSettings positive negative margin =
    AsymmetricSettings(GammaPositive = positive, GammaNegative = negative, Margin = margin)

/// Name, the loss of a smoothing, and its value by formula.
let private losses: (string * (float -> Loss) * (float -> float[] -> float)) list =
    [ "bce", (fun s -> Loss.Named("bce", Labelling.MultiLabel, s)), meanOfCells bce
      "ce", (fun s -> Loss.Named("ce", Labelling.MultiLabel, s)), crossEntropy
      for gamma, alpha in [ 2.0, Some 0.25; 0.5, None; 0.0, Some 0.9 ] do
          $"focal with gamma {gamma} and alpha %A{alpha}",
          (fun s -> Loss.Named("focal", Labelling.MultiLabel, s, focalSettings gamma alpha)), meanOfCells (focal gamma alpha)
      for positive, negative, margin in [ 0.0, 4.0, 0.05; 1.0, 1.0, 0.0; 0.5, 2.0, 0.3; 0.0, 0.0, 0.1 ] do
          $"asymmetric with {positive}, {negative} and margin {margin}",
          (fun s -> Loss.Named("asymmetric", Labelling.MultiLabel, s, null, asymmetricSettings positive negative margin)),
          meanOfCells (asymmetric positive negative margin) ]

let private value (loss: Loss) (logits: float[]) (weights: float[] option) =
    use _ = torch.NewDisposeScope()
    loss.Of(table logits, table labels, (match weights with Some w -> table w | None -> null)).``to``(torch.float64).item<float>()

/// The gradient by torch, at logits in the given precision.
let private gradient (loss: Loss) dtype (logits: float[]) (weights: float[] option) =
    use _ = torch.NewDisposeScope()
    let cast (t: torch.Tensor) = t.``to``(dtype: torch.ScalarType)
    let z = (cast (table logits)).requires_grad_()
    loss.Of(z, cast (table labels), (match weights with Some w -> cast (table w) | None -> null)).backward()
    match z.grad with null -> failtest "no gradient" | g -> numbers g

let tests =
    testSequencedGroup "torch"
    <| testList "Losses" [
        for name, make, formula in losses do
            for share in [ 0.0; 0.2 ] do
                test $"{name} follows its formula with smoothing {share}, also where labels are not known" {
                    Expect.isLessThan (abs (value (make share) logits None / formula share even - 1.0)) 1e-6 "all known"
                    Expect.isLessThan (abs (value (make share) logits (Some weights) / formula share weights - 1.0)) 1e-6 "weighted"
                }
                test $"{name} has the gradient that differences of its value give, with smoothing {share}" {
                    for weights in [ None; Some weights ] do
                        let got = gradient (make share) torch.float64 logits weights
                        let exact z = // in double throughout, as differences need
                            use _ = torch.NewDisposeScope()
                            let struct (sum, count) =
                                (make share).Sum(table z, table labels, (match weights with Some w -> table w | None -> null))
                            sum.item<float>() / count
                        let step = 1e-5
                        let numeric =
                            Array.init logits.Length (fun i ->
                                let at by = exact (Array.mapi (fun j z -> if i = j then z + by else z) logits)
                                (at step - at -step) / (2.0 * step))
                        Expect.isLessThan (widest got numeric) 1e-8 "largest difference"
                }
            test $"{name} gives cells of unknown labels a gradient of exactly 0, and takes nothing from them" {
                let got = gradient (make 0.1) torch.float32 logits (Some weights)
                let hidden = [ for i in 0 .. weights.Length - 1 do if weights[i] = 0.0 then i ]
                for i in hidden do Expect.equal got[i] 0.0 $"cell {i}"
                Expect.exists got (fun g -> g <> 0.0) "the others have one"
                let others = logits |> Array.mapi (fun i z -> if weights[i] = 0.0 then -5.0 * z + 3.0 else z)
                Expect.equal (gradient (make 0.1) torch.float32 others (Some weights)) got "with other logits there"
            }
            test $"{name} stays finite at extreme logits and where nothing is known" {
                let extremes = Array.init (rows * classes) (fun i -> if i % 2 = 0 then 200.0 else -200.0)
                for weights in [ None; Some weights; Some(Array.zeroCreate weights.Length) ] do
                    Expect.isTrue (Double.IsFinite(value (make 0.0) extremes weights)) "value"
                    Expect.all (gradient (make 0.0) torch.float32 extremes weights) Double.IsFinite "gradient"
            }
        test "focal loss without focus and weighing is binary cross-entropy, and so is the asymmetric loss without gammas and margin" {
            let want = value (Loss.Named("bce", Labelling.MultiLabel)) logits None
            let plain = [ Loss.Named("focal", Labelling.MultiLabel, 0.0, focalSettings 0.0 None)
                          Loss.Named("asymmetric", Labelling.MultiLabel, 0.0, null, asymmetricSettings 0.0 0.0 0.0) ]
            for loss in plain do Expect.isLessThan (abs (value loss logits None - want)) 1e-6 "value"
        }
        test "settings that would silence a loss are refused by name" {
            for settings, name in
                [ TrainingSettings(Focal = FocalSettings(Alpha = Nullable 0.0)), "training.focal.alpha"
                  TrainingSettings(Focal = FocalSettings(Gamma = nan)), "training.focal.gamma"
                  TrainingSettings(Asymmetric = AsymmetricSettings(GammaNegative = 0.5)), "training.asymmetric.gamma_negative"
                  TrainingSettings(Asymmetric = AsymmetricSettings(Margin = 1.0)), "training.asymmetric.margin"
                  TrainingSettings(Loss = "hinge"), "training.loss" ] do
                Expect.stringContains (messageOf (fun () -> settings.Check())) name "the setting's name"
        }
    ]
