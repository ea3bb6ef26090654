module BirdResearch.Tests.SsambaTests

open System
open System.Collections.Generic
open System.IO
open Expecto
open TorchSharp
open BirdResearch.Data
open BirdResearch.Models
open BirdResearch.Training
open Tensors

let private small = SsambaSettings(Width = 16L, Depth = 4)

let private classifier (settings: SsambaSettings) (input: InputShape) (options: ModelOptions) seed =
    torch.manual_seed (int64 seed) |> ignore
    new Ssamba("ssamba", settings, 3, input, options)

let private pretrainer (settings: SsambaSettings) (input: InputShape) seed =
    torch.manual_seed (int64 seed) |> ignore
    new SsambaPretrainer("ssamba", settings, input, 0.0)

let private entry (model: torch.nn.Module) (key: string) =
    StateDictionary.Of model |> Seq.pick (fun struct (name, value) -> if name = key then Some value else None)

let bitsOf (model: torch.nn.Module) = [ for struct (key, value) in StateDictionary.Of model -> key, value.cpu().contiguous().bytes.ToArray() ]

let private modules (model: torch.nn.Module) = dict [ for struct (name, m) in model.named_modules () -> name, m ]

/// The encoder as it was published: the second layer of each pair gets hidden and residual turned around, and what it gives is turned back.
/// Returns the tokens and the unturned mixers that stand for the model's turned ones, by layer.
let private publishedEncoder (model: Ssamba) (image: torch.Tensor) =
    let inside = modules model
    let unturned = Dictionary<int, VimMixer>()
    let layer i (stream: torch.Tensor) =
        let own = inside[$"v.layers.{i}.mixer"] :?> VimMixer
        if own.Flipped then
            let plain = new VimMixer(own.Settings)
            plain.``to`` torch.float64 |> ignore
            use _ = torch.no_grad ()
            for struct (key, value) in StateDictionary.Of plain do value.copy_ (entry own key) |> ignore
            unturned[i] <- plain
        let mixer = if own.Flipped then unturned[i] else own
        let norm = inside[$"v.layers.{i}.norm"] :?> Modules.LayerNorm
        mixer.call (norm.call stream)
    let patches = model.VimEncoder.Patches image
    let start = torch.cat ([| (entry model "v.cls_token").expand (patches.shape[0], -1L, -1L); patches |], 1L) + entry model "v.pos_embed"
    let add (residual: torch.Tensor option) (hidden: torch.Tensor) = match residual with None -> hidden | Some r -> r + hidden
    let turn (x: torch.Tensor) = x.flip 1L
    let mutable hidden, residual = start, None
    for pair in 0 .. (Seq.length (Seq.filter (fun (name: string) -> name.EndsWith ".mixer") inside.Keys)) / 2 - 1 do
        let straight = add residual hidden
        let turned = add (Option.map turn residual) (turn hidden)
        hidden <- layer (2 * pair) straight + turn (layer (2 * pair + 1) turned)
        residual <- Some (straight + turn turned)
    let norm = inside["v.norm_f"] :?> Modules.LayerNorm
    norm.call (norm.call (add residual hidden)), unturned

let private encoder =
    testList "encoder" [
        torchTest "pairs that turn nothing give the values and gradients of the published stack that turns" (fun () ->
            use model = classifier small (InputShape(1L, 32L, 56L)) (ModelOptions()) 1
            model.``to`` torch.float64 |> ignore
            let image () = torch.randn([| 2L; 1L; 32L; 56L |], dtype = torch.float64, generator = new torch.Generator(5UL)).requires_grad_()
            let weight = torch.randn([| 2L; 11L; 16L |], dtype = torch.float64, generator = new torch.Generator(6UL))
            let ours, published = image (), image ()
            let tokens = model.VimEncoder.call ours
            (tokens * weight).sum().backward()
            let gradients = dict [ for struct (key, p) in model.named_parameters () do if not (isNull p.grad) then key, (nonNull p.grad).clone () ]
            model.zero_grad ()
            let wanted, unturned = publishedEncoder model published
            (wanted * weight).sum().backward()
            Expect.isLessThan (widest (numbers tokens) (numbers wanted)) 1e-11 "tokens"
            Expect.isLessThan (widest (numbers (nonNull ours.grad)) (numbers (nonNull published.grad))) 1e-11 "gradient of the image"
            Expect.equal unturned.Count 2 "turned layers"
            for struct (key, p) in model.named_parameters () do
                let parts = key.Split '.'
                let theirs =
                    if key.StartsWith "v.layers." && parts[3] = "mixer" && unturned.ContainsKey (int parts[2]) then
                        (nonNull (unturned[int parts[2]].get_parameter (String.Join ('.', parts[4..])))).grad
                    else p.grad
                match theirs with
                | null -> Expect.isTrue (key.StartsWith "mlp_head.") $"{key} has a gradient"
                | g ->
                    let largest = numbers g |> Array.map abs |> Array.max
                    Expect.isLessThan (widest (numbers gradients[key]) (numbers g)) (1e-12 * largest + 1e-15) $"{key} (largest {largest})")
        torchTest "drop path acts on what comes into layer i > 0 at (i - 1) / 23 of its rate, and whole at the end" (fun () ->
            use model = classifier (SsambaSettings(Width = 8L)) (InputShape(1L, 16L, 16L)) (ModelOptions(DropPathRate = 0.1)) 1
            let wanted = 0.0 :: [ for i in 1..23 -> float (i - 1) * 0.1 / 23.0 ] @ [ 0.1 ]
            Expect.equal (Seq.length model.VimEncoder.DropPathRates) 25 "count"
            Expect.isLessThan (widest (List.toArray wanted) (Seq.toArray model.VimEncoder.DropPathRates)) 1e-15 "rates")
        torchTest "in training without drop path it gives what it gives in evaluation, and with drop path something else" (fun () ->
            let x = torch.randn (3L, 1L, 32L, 56L)
            let both rate =
                use model = classifier small (InputShape(1L, 32L, 56L)) (ModelOptions(DropPathRate = rate)) 1
                model.train ()
                let training = numbers (model.call x)
                model.eval ()
                training, numbers (model.call x)
            Expect.equal (fst (both 0.0)) (snd (both 0.0)) "rate 0"
            Expect.notEqual (fst (both 0.9)) (snd (both 0.9)) "rate 0.9")
        for rows, frames, stride, wanted in [ 128L, 1024L, 16L, (8L, 64L); 128L, 512L, 10L, (12L, 50L); 128L, 1024L, 10L, (12L, 101L); 128L, 128L, 10L, (12L, 12L); 128L, 512L, 16L, (8L, 32L) ] do
            test $"{rows} x {frames} at stride {stride} are {fst wanted} x {snd wanted} patches" {
                let grid = SsambaSettings(Width = 8L, RowStride = stride, FrameStride = stride).GridOf(rows, frames)
                Expect.equal (grid.Rows, grid.Frames) wanted "grid"
                Expect.equal grid.Count (fst wanted * snd wanted) "tokens"
            }
        test "features smaller than a patch and odd depths are refused with the numbers" {
            Expect.stringContains (messageOf (fun () -> small.GridOf (15L, 100L))) "15 rows x 100 frames" "rows"
            Expect.stringContains (messageOf (fun () -> classifier (SsambaSettings(Width = 8L, Depth = 3)) (InputShape(1L, 16L, 16L)) (ModelOptions()) 1)) "even number" "depth"
        }
        // Counts that the published code gives.
        for name, pretraining, pretrainingUsed, esc, escUsed in
            [ "ssamba_tiny", 7288298L, 7095298L, 7142106L, 6949106L
              "ssamba_small", 26224106L, 25839106L, 25784730L, 25399730L
              "ssamba_base", 99042794L, 98273794L, 97574682L, 96805682L ] do
            test $"{name} has the published number of parameters" {
                use _ = torch.NewDisposeScope()
                let counts (model: torch.nn.Module) =
                    let sizes = [ for struct (key, value) in StateDictionary.Of model -> key, value.numel () ]
                    List.sumBy snd sizes, List.sumBy (fun (key: string, n) -> if key.StartsWith "v.head." then 0L else n) sizes
                do
                    use model = Classifiers.Create(name, 50, InputShape(1L, 128L, 512L))
                    Expect.equal (counts model) (esc, escUsed) "ESC-50"
                    Expect.equal model.ParameterCount escUsed "what is trained"
                use model = SsambaPretrainer.Create(name, InputShape(1L, 128L, 1024L))
                Expect.equal (counts model) (pretraining, pretrainingUsed) "pretraining"
                Expect.equal model.ParameterCount (pretrainingUsed - 2L) "what is trained: all but the size of the features"
            }
        torchTest "layer depths run from the embeddings over the pairs to the head, and states, tokens and norms are not decayed" (fun () ->
            use model = Classifiers.Create("ssamba_test_tiny", 4, InputShape(1L, 32L, 64L))
            Expect.equal model.Depths 4 "embeddings, two pairs, head"
            let depths =
                [ "v.cls_token", 0; "v.pos_embed", 0; "v.patch_embed.proj.weight", 0; "v.layers.0.mixer.D", 1; "v.layers.1.norm.weight", 1
                  "v.layers.2.mixer.in_proj.weight", 2; "v.layers.3.mixer.A_b_log", 2; "v.norm_f.bias", 3; "mlp_head.0.weight", 3; "mlp_head.1.weight", 3 ]
            for key, depth in depths do Expect.equal (model.DepthOf key) depth key
            Expect.equal (SsambaCatalogue.Named("ssamba_tiny").Depth / 2 + 2) 14 "of the tiny one"
            let decayed = [ for struct (key, p) in model.named_parameters () do if model.IsDecayed(key, p) then key.Split('.') |> Array.last ] |> List.distinct
            Expect.equal decayed [ "weight" ] "leaves that are decayed"
            for key in [ "v.layers.0.norm.weight"; "v.layers.0.mixer.A_log"; "v.pos_embed"; "v.cls_token"; "v.layers.0.mixer.conv1d.bias" ] do
                Expect.isFalse (model.IsDecayed(key, entry model key)) key)
        torchTest "class token and positions start as noise of deviation 0.02, no two alike" (fun () ->
            use model = classifier small (InputShape(1L, 32L, 64L)) (ModelOptions()) 5
            for key in [ "v.cls_token"; "v.pos_embed" ] do
                let values = (entry model key).data<float32>().ToArray()
                Expect.isGreaterThan (Array.distinct values).Length (values.Length * 9 / 10) $"{key}: different values"
                let mean = Array.averageBy float values
                let deviation = sqrt (Array.averageBy (fun x -> (float x - mean) ** 2.0) values)
                Expect.isTrue (deviation > 0.01 && deviation < 0.03) $"{key}: deviation {deviation}")

        torchTest "the class token and the mean over the others are pooled" (fun () ->
            let x = torch.randn (2L, 1L, 32L, 56L)
            for pooling in [ TokenPooling.Mean; TokenPooling.ClassToken ] do
                use model = classifier (SsambaSettings(Width = 16L, Depth = 2, Pooling = pooling)) (InputShape(1L, 32L, 56L)) (ModelOptions()) 1
                model.eval ()
                let tokens = model.VimEncoder.call x
                let pooled = if pooling = TokenPooling.Mean then tokens.narrow(1L, 1L, 10L).mean [| 1L |] else tokens.select (1L, 0L)
                let head = (modules model)["mlp_head"] :?> torch.nn.Module<torch.Tensor, torch.Tensor>
                Expect.equal (numbers (model.call x)) (numbers (head.call pooled)) (string pooling))
        torchTest "longer clips are taken with positions fitted to them" (fun () ->
            let input = InputShape(1L, 32L, 56L)
            use model = classifier small input (ModelOptions()) 1
            use longer = classifier small (InputShape(1L, 32L, 96L)) (ModelOptions()) 2
            do
                use _ = torch.no_grad ()
                for struct (key, value) in StateDictionary.Of longer do
                    let from = entry model key
                    let fitted = if key = "v.pos_embed" then PositionEmbedding.Fitted(from, model.Grid, longer.Grid) else from
                    value.copy_ fitted |> ignore
            model.eval ()
            longer.eval ()
            let x = torch.randn (2L, 1L, 32L, 96L)
            Expect.isLessThan (widest (numbers (model.call x)) (numbers (longer.call x))) 1e-6 "logits")
    ]

let private positions =
    testList "positions" [
        torchTest "a shorter axis keeps its middle and the class token stays" (fun () ->
            let from, into = PatchGrid(3L, 7L), PatchGrid(3L, 4L)
            let learned = torch.arange(22L).to_type(torch.float32).reshape(1L, 22L, 1L)
            let fitted = numbers (PositionEmbedding.Fitted(learned, from, into))
            // int(7 / 2) - int(4 / 2) = 1: columns 1 to 4 of each row of 7, counted from token 1.
            let wanted = Array.append [| 0.0 |] [| for row in 0..2 do for column in 1..4 -> float (1 + row * 7 + column) |]
            Expect.equal fitted wanted "tokens"
            let rows = numbers (PositionEmbedding.Fitted(learned, from, PatchGrid(1L, 7L)))
            Expect.equal rows (Array.append [| 0.0 |] [| for column in 0..6 -> float (1 + 7 + column) |]) "the middle row")
        torchTest "a longer axis is interpolated linearly between the middles of patches" (fun () ->
            let learned = torch.tensor([| 9.0f; 1.0f; 5.0f |]).reshape(1L, 3L, 1L)
            let fitted = numbers (PositionEmbedding.Fitted(learned, PatchGrid(1L, 2L), PatchGrid(2L, 4L)))
            Expect.equal fitted [| 9.0; 1.0; 2.0; 4.0; 5.0; 1.0; 2.0; 4.0; 5.0 |] "tokens")
        torchTest "a grid of the same size is left as it is" (fun () ->
            let learned = torch.randn (1L, 1L + 12L * 5L, 6L)
            Expect.equal (numbers (PositionEmbedding.Fitted(learned, PatchGrid(12L, 5L), PatchGrid(12L, 5L)))) (numbers learned) "tokens")
    ]

let private masks =
    let draw (masks: ClusterMasks) (clip: int64) = masks.Draw(CounterRandom(1L, clip)) |> List.ofArray
    testList "masks" [
        for share, hidden in [ 300.0 / 512.0, 300; 400.0 / 512.0, 400; 1e-9, 1; 0.9999, 510 ] do
            test $"a share of {share} hides {hidden} different patches of 512, never the first, the same for the same keys" {
                let masks = ClusterMasks(PatchGrid(8L, 64L), share, 3, 5)
                Expect.equal masks.Hidden hidden "said beforehand"
                for clip in 1L .. 20L do
                    let drawn = draw masks clip
                    Expect.equal (List.length drawn) hidden "count"
                    Expect.equal (List.distinct drawn).Length hidden "different"
                    Expect.isTrue (drawn |> List.forall (fun i -> i > 0L && i < 512L)) "in range"
                    Expect.equal (draw masks clip) drawn "again"
                Expect.notEqual (draw masks 1L) (draw masks 2L) "another clip"
            }
        test "the first patches hidden are a square that may go on at the left of the next row" {
            let frames, sides = 20L, HashSet<int>()
            let masks = ClusterMasks(PatchGrid(10L, frames), 0.04, 3, 5) // 8 patches: all of them from the first square
            for clip in 1L .. 200L do
                let drawn = draw masks clip
                let square side = [ for s in 0L .. 199L -> [ for i in 0L .. side - 1L do for j in 0L .. side - 1L -> s + i * frames + j ] |> List.filter (fun p -> p > 0L && p < 200L) ]
                let fits = [ for side in 3..5 do if square (int64 side) |> List.exists (fun s -> s.Length > 8 && List.truncate 8 s = drawn) then side ]
                // A square at the lower edge is smaller than eight and others are needed.
                if drawn |> List.forall (fun p -> p < 100L) && drawn.Head > 0L then Expect.isNonEmpty fits $"%A{drawn}"
                for side in fits do sides.Add side |> ignore
            Expect.equal (Set.ofSeq sides) (set [ 3; 4; 5 ]) "sides"
        }
        test "grids too small to hide anything and turned ranges are refused" {
            Expect.stringContains (messageOf (fun () -> ClusterMasks(PatchGrid(1L, 2L), 0.5, 3, 5))) "1 x 2" "grid"
            Expect.stringContains (messageOf (fun () -> ClusterMasks(PatchGrid(8L, 8L), 0.5, 5, 3))) "5 to 3" "range"
        }
    ]

/// Value of row i, column j of a patch of the image, for every hidden patch of every clip.
let private patchesOf (image: torch.Tensor) (grid: PatchGrid) (masked: int64[][]) =
    let values = image.squeeze(1L)
    [| for clip, hidden in Array.indexed masked ->
        [| for p in hidden ->
            let f, t = p / grid.Frames, p % grid.Frames
            [| for i in 0L .. 15L do for j in 0L .. 15L -> float (values[int64 clip, f * 16L + i, t * 16L + j].item<float32> ()) |] |] |]

let private objectives =
    let input = InputShape(1L, 32L, 64L)
    let masked = [| [| 5L; 1L; 6L |]; [| 2L; 7L; 3L |] |]
    let places () = torch.tensor(Array.concat masked).reshape(2L, 3L)
    let watch (model: SsambaPretrainer) head =
        let seen = ref [||]
        let m = (modules model)[head] :?> torch.nn.Module<torch.Tensor, torch.Tensor>
        m.register_forward_hook (fun _ _ output -> seen.Value <- numbers output; output) |> ignore
        seen
    testList "objectives" [
        torchTest "InfoNCE and its accuracy follow their definition" (fun () ->
            use model = pretrainer small input 3
            let image = torch.randn (2L, 1L, 32L, 64L)
            let predictions = watch model "cpredlayer"
            let struct (nce, accuracy) = model.Discriminate(image, places ())
            let targets = patchesOf image model.Grid masked
            let mutable sum, right = 0.0, 0
            for clip in 0..1 do
                let prediction j = predictions.Value[(clip * 3 + j) * 256 .. (clip * 3 + j) * 256 + 255]
                let scores = Array.init 3 (fun i -> Array.init 3 (fun j -> Array.fold2 (fun s a b -> s + a * b) 0.0 (targets[clip][i]) (prediction j)))
                let logSoftmax = scores |> Array.map (fun row -> row |> Array.map (fun s -> s - (Array.max row) - log (row |> Array.sumBy (fun x -> exp (x - Array.max row)))))
                for i in 0..2 do
                    sum <- sum - logSoftmax[i][i]
                    if (Array.init 3 id |> Array.maxBy (fun target -> logSoftmax[target][i])) = i then right <- right + 1
            Expect.floatClose Accuracy.low (float (nce.item<float32> ())) (sum / 6.0) "InfoNCE"
            Expect.floatClose Accuracy.low (float (accuracy.item<float32> ())) (float right / 6.0) "accuracy")
        torchTest "reconstruction is the mean squared error of the hidden patches" (fun () ->
            use model = pretrainer small input 3
            let image = torch.randn (2L, 1L, 32L, 64L)
            let predictions = watch model "gpredlayer"
            let mse = model.Reconstruct(image, places ())
            let targets = patchesOf image model.Grid masked |> Array.concat |> Array.concat
            let wanted = Array.map2 (fun a b -> (a - b) ** 2.0) targets predictions.Value |> Array.average
            Expect.floatClose Accuracy.low (float (mse.item<float32> ())) wanted "error")
        torchTest "what a hidden patch holds does not reach the encoder, what another holds does" (fun () ->
            use model = pretrainer small input 3
            let image = torch.randn (2L, 1L, 32L, 64L)
            let seen = watch model "gpredlayer"
            let predict (change: torch.Tensor -> unit) =
                let copy = image.clone ()
                change copy
                model.Reconstruct(copy, places ()) |> ignore
                seen.Value
            let patch (p: int64) (x: torch.Tensor) =
                for clip in 0L .. 1L do
                    x.select(0L, clip).select(0L, 0L).narrow(0L, p / 4L * 16L, 16L).narrow(1L, p % 4L * 16L, 16L).add_((100.0).ToScalar()) |> ignore
            let firstClip change = Array.truncate (3 * 256) (predict change)
            let first = firstClip ignore
            Expect.equal (firstClip (patch 5L)) first "patch 5 is hidden in the first clip"
            Expect.notEqual (firstClip (patch 0L)) first "patch 0 is not")
        torchTest "every trainable parameter but one bias gets a gradient; that one's is zero, because it moves no share of the softmax" (fun () ->
            use model = pretrainer small input 3
            model.``to`` torch.float64 |> ignore
            let image = torch.randn([| 2L; 1L; 32L; 64L |], dtype = torch.float64)
            let struct (nce, _) = model.Discriminate(image, places ())
            nce.backward ()
            model.Reconstruct(image, places ()).backward ()
            for struct (key, p) in model.named_parameters () do
                if p.requires_grad then
                    let norm = match p.grad with null -> nan | g -> g.norm().item<float> ()
                    if key = "cpredlayer.2.bias" then Expect.isLessThan norm 1e-12 key
                    else Expect.isGreaterThan norm 1e-12 key)
        torchTest "features of another size are refused with both sizes" (fun () ->
            use model = pretrainer small input 3
            let message = messageOf (fun () -> model.Reconstruct(torch.zeros (2L, 1L, 32L, 48L), places ()))
            Expect.stringContains message "(batch, 1, 32, 64)" "wanted"
            Expect.stringContains message "(2, 1, 32, 48)" "given")
    ]

let private inFolder (work: string -> unit) =
    let folder = Directory.CreateTempSubdirectory "bird-ssamba-"
    try work folder.FullName
    finally folder.Delete true

let private transfer =
    let written (folder: string) (prefix: string) (model: torch.nn.Module) =
        let path = Path.Combine(folder, "weights.safetensors")
        Safetensors.Write(path, [ for struct (key, value) in StateDictionary.Of model -> struct (prefix + key, value) ])
        path
    testList "transfer" [
        for prefix in [ ""; "module." ] do
            torchTest $"a pretraining with the prefix '{prefix}' fits a classifier of another stride and length" (fun () ->
                inFolder (fun folder ->
                    use from = pretrainer small (InputShape(1L, 128L, 96L)) 1
                    use model = classifier small (InputShape(1L, 128L, 128L)) (ModelOptions()) 2
                    let head = (entry model "mlp_head.1.weight").clone ()
                    let report = Weights.Load(model, written folder prefix from, WeightFit.Adapt)
                    Expect.equal (List.ofSeq report.Adapted) [ "v.pos_embed from a grid of 8 x 6 patches to 12 x 12" ] "adapted"
                    Expect.equal (Set.ofSeq report.Missing) (set [ "mlp_head.0.weight"; "mlp_head.0.bias"; "mlp_head.1.weight"; "mlp_head.1.bias" ]) "kept"
                    let unexpected = report.Unexpected |> Seq.map (fun key -> key.Split('.')[0]) |> Set.ofSeq
                    Expect.equal unexpected (set [ "p_input_fdim"; "p_input_tdim"; "mask_embed"; "cpredlayer"; "gpredlayer" ]) "not used"
                    Expect.equal (numbers (entry model "mlp_head.1.weight")) (numbers head) "the head's own values"
                    for struct (key, value) in StateDictionary.Of model do
                        if key.StartsWith "v." && key <> "v.pos_embed" then Expect.equal (numbers value) (numbers (entry from key)) key
                    let wanted = PositionEmbedding.Fitted(entry from "v.pos_embed", PatchGrid(8L, 6L), PatchGrid(12L, 12L))
                    Expect.equal (numbers (entry model "v.pos_embed")) (numbers wanted) "positions"))
        torchTest "a trained classifier fits one for clips and classes of another number" (fun () ->
            inFolder (fun folder ->
                use from = classifier small (InputShape(1L, 32L, 56L)) (ModelOptions()) 1
                torch.manual_seed 2L |> ignore
                use model = new Ssamba("ssamba", small, 5, InputShape(1L, 32L, 96L), ModelOptions())
                let report = Weights.Load(model, written folder "" from, WeightFit.Adapt)
                Expect.equal (List.ofSeq report.Adapted) [ "v.pos_embed from a grid of 2 x 5 patches to 2 x 9" ] "adapted"
                Expect.equal (Set.ofSeq report.Missing) (set [ "mlp_head.1.weight"; "mlp_head.1.bias" ]) "kept"
                Expect.throwsC (fun () -> Weights.Load(model, written folder "" from) |> ignore) (fun e ->
                    Expect.stringContains e.Message "v.pos_embed is (1, 11, 16), the model's is (1, 19, 16)" "strict")))
        torchTest "positions whose grid cannot be told, and another width, are refused and the model stays as it was" (fun () ->
            inFolder (fun folder ->
                use model = classifier small (InputShape(1L, 32L, 96L)) (ModelOptions()) 2
                let before = bitsOf model
                let refused what (path: string) (part: string) =
                    Expect.throwsC (fun () -> Weights.Load(model, path, WeightFit.Adapt) |> ignore) (fun e -> Expect.stringContains e.Message part what)
                    Expect.equal (bitsOf model) before what
                use three = classifier small (InputShape(1L, 48L, 56L)) (ModelOptions()) 1 // 4 rows of 5 patches: not a multiple of 2 x anything else
                Safetensors.Write(Path.Combine(folder, "odd.safetensors"),
                    [ for struct (key, value) in StateDictionary.Of three -> struct (key, if key = "v.pos_embed" then value.narrow(1L, 0L, 20L) else value) ])
                refused "19 patches" (Path.Combine(folder, "odd.safetensors")) "v.pos_embed is (1, 20, 16)"
                use wide = classifier (SsambaSettings(Width = 32L, Depth = 4)) (InputShape(1L, 32L, 96L)) (ModelOptions()) 1
                refused "another width" (written folder "" wide) "v.cls_token is (1, 1, 32)"))
    ]

let tests =
    testSequencedGroup "torch" (testList "SSAMBA" [ encoder; positions; masks; objectives; transfer ])
