module BirdResearch.Tests.MambaTests

open System
open Expecto
open TorchSharp
open BirdResearch.Kernels
open BirdResearch.Models
open BirdResearch.Tests.Tensors

type private Mixer = torch.nn.Module<torch.Tensor, torch.Tensor>

let private parameter (m: torch.nn.Module) (key: string) : torch.Tensor = nonNull (m.get_parameter key)

let private seeded (make: unit -> 'm) =
    torch.manual_seed 3L |> ignore
    make ()

let private mamba width = seeded (fun () -> new MambaMixer(MambaSettings(Width = width)))

let private wide (m: 'm when 'm :> torch.nn.Module) =
    m.``to`` torch.float64 |> ignore
    m

let private randomWide (shape: int64 list) = torch.randn (Array.ofList shape, torch.float64)

let private freshMixers: (string * bool * (unit -> Mixer)) list =
    [ "Mamba", false, (fun () -> new MambaMixer(MambaSettings(Width = 128L)))
      "Vim", true, (fun () -> new VimMixer(MambaSettings(Width = 128L))) ]

let private initialisation =
    [ for name, both, make in freshMixers do
        torchTest $"an untrained {name} mixer has the published distribution" (fun () ->
            use mixer = seeded make
            let suffixes = if both then [ ""; "_b" ] else [ "" ]
            for suffix in suffixes do
                let of' key = parameter mixer key |> numbers
                let aLog = of' $"A{suffix}_log"
                Expect.equal aLog.Length (256 * 16) "A_log"
                aLog |> Array.iteri (fun i v -> Expect.floatClose Accuracy.medium v (log (float (1 + i % 16))) $"A_log {i}")
                Expect.allEqual (of' $"D{suffix}") 1.0 "D"

                // softplus of the bias is log-uniform over 0.001 to 0.1: mean and deviation of ln dt are those of a uniform variable.
                let logStep = of' $"dt_proj{suffix}.bias" |> Array.map (fun v -> log (log (1.0 + exp v)))
                let low, high = log 0.001, log 0.1
                Expect.isTrue (logStep |> Array.forall (fun v -> v > low - 1e-3 && v < high + 1e-3)) "steps within 0.001 to 0.1"
                let mean = Array.average logStep
                let deviation = sqrt (logStep |> Array.averageBy (fun v -> (v - mean) * (v - mean)))
                Expect.isLessThan (abs (mean - (low + high) / 2.0)) 0.42 "mean: five standard errors"
                Expect.isLessThan (abs (deviation / ((high - low) / sqrt 12.0) - 1.0)) 0.15 "deviation"

                for key, bound in
                    [ $"dt_proj{suffix}.weight", 1.0 / sqrt 8.0
                      $"x_proj{suffix}.weight", 1.0 / sqrt 256.0
                      $"conv1d{suffix}.weight", 1.0 / sqrt 4.0
                      $"conv1d{suffix}.bias", 1.0 / sqrt 4.0
                      "in_proj.weight", 1.0 / sqrt 128.0
                      "out_proj.weight", 1.0 / sqrt 256.0 ] do
                    let values = of' key
                    let widest = values |> Array.map abs |> Array.max
                    Expect.isTrue (widest <= bound + 1e-7 && widest > 0.97 * bound) $"{key} reaches its bound {bound}: {widest}"
                    let variance = values |> Array.averageBy (fun v -> v * v)
                    Expect.isLessThan (abs (variance / (bound * bound / 3.0) - 1.0)) 0.2 $"{key} is uniform")
      torchTest "the output projection is divided by the square root of the number of layers" (fun () ->
        use plain = mamba 32L
        use scaled = mamba 32L
        scaled.ScaleOutput 9
        let before, after = numbers (parameter plain "out_proj.weight"), numbers (parameter scaled "out_proj.weight")
        Expect.isLessThan (widest (before |> Array.map (fun v -> v / 3.0)) after) 1e-8 "a third")
      test "numbers that make no block are refused by name" {
          for name, settings in
              [ "Width", MambaSettings(Width = 0L)
                "States", MambaSettings(Width = 8L, States = 0L)
                "Kernel", MambaSettings(Width = 8L, Kernel = 0L)
                "DtRank", MambaSettings(Width = 8L, DtRank = Nullable 0L)
                "Expand", MambaSettings(Width = 8L, Expand = 0.01) ] do
              Expect.stringContains (messageOf (fun () -> new MambaMixer(settings))) name "message"
      } ]

let private streamed =
    [ MambaSettings(Width = 12L)
      MambaSettings(Width = 10L, States = 5L, Kernel = 1L, Expand = 1.5, DtRank = Nullable 3L, ConvBias = false, Bias = true) ]

let private mixing =
    [ for settings in streamed do
        torchTest $"token by token gives what the whole sequence gives, kernel {settings.Kernel}, {settings.Inner} inner channels" (fun () ->
            use mixer = seeded (fun () -> new MambaMixer(settings)) |> wide
            let x = randomWide [ 3L; 19L; settings.Width ]
            let whole = mixer.call x
            use state = mixer.Begin 3L
            for t in 0L .. 18L do
                let token = mixer.Step(x.select (1L, t), state)
                Expect.isLessThan (widest (numbers token) (numbers (whole.select (1L, t)))) 1e-12 $"token {t}")
      torchTest "the stream's state is the scan's last state" (fun () ->
        use mixer = mamba 8L |> wide
        let x = randomWide [ 2L; 11L; 8L ]
        use state = mixer.Begin 2L
        for t in 0L .. 10L do
            mixer.Step(x.select (1L, t), state) |> ignore
        let u = mixer.Direction.Convolve(torch.nn.functional.linear(x, parameter mixer "in_proj.weight").narrow(2, 0, 16).transpose (1, 2))
        let last = SelectiveScan.Reference(mixer.Direction.Inputs u).LastState
        Expect.isLessThan (widest (numbers state.Hidden) (numbers last)) 1e-12 "h")
      torchTest "a step of the scan refuses a sequence" (fun () ->
        let u = torch.zeros (1L, 2L, 3L)
        let token = ScanInputs(u, u, torch.ones (2L, 4L), torch.ones (2L, 4L), torch.ones (2L, 4L))
        Expect.stringContains (messageOf (fun () -> SelectiveScan.Step(token, torch.zeros (1L, 2L, 4L)))) "got 3" "message")
      torchTest "Mamba is causal: a later token changes no earlier output, and does change its own" (fun () ->
        use mixer = mamba 16L
        let x = torch.randn (2L, 40L, 16L)
        let changed = x.clone ()
        changed.narrow(1, 25L, 15L).add_ (torch.tensor 1.0f) |> ignore
        let before, after = mixer.call x, mixer.call changed
        Expect.equal (numbers (after.narrow (1, 0L, 25L))) (numbers (before.narrow (1, 0L, 25L))) "the past"
        Expect.isGreaterThan (widest (numbers (after.select (1L, 25L))) (numbers (before.select (1L, 25L)))) 1e-4 "the token")
      torchTest "the bidirectional mixer hears the future" (fun () ->
        use mixer = seeded (fun () -> new VimMixer(MambaSettings(Width = 16L)))
        let x = torch.randn (1L, 12L, 16L)
        let changed = x.clone ()
        changed.narrow(1, 11L, 1L).add_ (torch.tensor 1.0f) |> ignore
        let gap = widest (numbers (mixer.call(x).select (1L, 5L))) (numbers (mixer.call(changed).select (1L, 5L)))
        Expect.isGreaterThan gap 1e-7 "token 5 depends on token 11")
      for divide in [ true; false ] do
          torchTest $"the bidirectional mixer is two Mambas, one of them on the sequence turned around; divided: {divide}" (fun () ->
              let settings = MambaSettings(Width = 12L, States = 4L)
              use vim = seeded (fun () -> new VimMixer(settings, divide)) |> wide
              use ahead = new MambaMixer(settings) |> wide
              use back = new MambaMixer(settings) |> wide
              use _ = torch.no_grad ()
              for key in [ "A_log"; "D"; "conv1d.weight"; "conv1d.bias"; "x_proj.weight"; "dt_proj.weight"; "dt_proj.bias" ] do
                  let backward = match key with "A_log" -> "A_b_log" | "D" -> "D_b" | _ -> key.Replace(".", "_b.")
                  (parameter ahead key).copy_ (parameter vim key) |> ignore
                  (parameter back key).copy_ (parameter vim backward) |> ignore
              for key in [ "in_proj.weight"; "out_proj.weight" ] do
                  for one in [ ahead; back ] do
                      (parameter one key).copy_ (parameter vim key) |> ignore
              let x = randomWide [ 2L; 15L; 12L ]
              let sum = ahead.call x + (back.call(x.flip 1L)).flip 1L
              let want = numbers sum |> Array.map (fun v -> if divide then v / 2.0 else v)
              Expect.isLessThan (widest (numbers (vim.call x)) want) 1e-13 "output")
      torchTest "multiply-adds of a mixer are those of a count by hand" (fun () ->
        let length, width, inner, states, rank, kernel = 30L, 32L, 64L, 8L, 2L, 4L
        let settings = MambaSettings(Width = width, States = states)
        let outer = 3L * width * inner // in_proj to 2 x inner, out_proj from inner
        let direction = inner * kernel + inner * (rank + 2L * states) + rank * inner + 3L * inner * states
        let y = torch.zeros (2L, length, width)
        use causal = new MambaMixer(settings)
        use vim = new VimMixer(settings)
        Expect.equal (causal.MultiplyAddsOf y) (2L * length * (outer + direction)) "one direction"
        Expect.equal (vim.MultiplyAddsOf y) (2L * length * (outer + 2L * direction)) "two directions") ]

let private rates (model: Classifier) =
    [ for struct (_, m) in model.named_modules () do
        match m with
        | :? MambaLayer as layer -> layer.DropPath.Rate
        | _ -> () ]

let private classifiers =
    [ test "the catalogue's mamba and vim have 5 to 7 million parameters" {
          for name in [ "mamba"; "vim" ] do
              use model = Classifiers.Create(name, 182, InputShape(1L, 128L, 320L))
              Expect.isTrue (model.ParameterCount > 5_000_000L && model.ParameterCount < 7_000_000L) $"{name}: {model.ParameterCount}"
      }
      test "multiply-adds of mamba over 5 s of mel are those of a count by hand" {
          let shape = InputShape(1L, 128L, 320L)
          use model = Classifiers.Create("mamba", 182, shape)
          let tokens, width, inner, states, rank = 80L, 256L, 512L, 16L, 16L
          let layer = 3L * width * inner + inner * 4L + inner * (rank + 2L * states) + rank * inner + 3L * inner * states
          Expect.equal (MultiplyAdds.Count(model, shape)) (tokens * (128L * 4L * width + 12L * layer) + width * 182L) "stem, layers, head"
      }
      torchTest "mamba_raw makes a token of every 16 samples, and so do 32 kHz" (fun () ->
        use model = Classifiers.Create("mamba_raw", 5, InputShape(1L, 1L, 1600L))
        Expect.equal (model.children () |> Seq.length) 4 "stem, layers, norm, head"
        use stem = new SoundTokens(4L, 4L, 64L)
        for samples, tokens in [ 1600L, 100L; 1601L, 101L; 1L, 1L; 3200L, 200L ] do
            Expect.equal (stem.call(torch.zeros (1L, 1L, 1L, samples)).shape) [| 1L; tokens; 64L |] $"{samples} samples")
      torchTest "a spectrogram gives a token per 4 frames, what is missing at its end being zero" (fun () ->
        use stem = seeded (fun () -> new FrameTokens(1L, 6L, 4L, 10L))
        let x = torch.randn (2L, 1L, 6L, 9L)
        let padded = torch.nn.functional.pad(x, struct (0L, 3L))
        let y = stem.call x
        Expect.equal y.shape [| 2L; 3L; 10L |] "tokens"
        Expect.equal (numbers (stem.call padded)) (numbers y) "as with zeros"
        let linear = torch.nn.functional.linear(x.narrow(3, 4L, 4L).flatten 1L, (parameter stem "weight").flatten 1L, parameter stem "bias")
        Expect.isLessThan (widest (numbers (y.select (1L, 1L))) (numbers linear)) 1e-5 "a linear map of all rows of its frames")
      test "drop path grows from zero to its rate" {
          use model = Classifiers.Create("mamba_raw", 5, InputShape(1L, 1L, 1600L), ModelOptions(DropPathRate = 0.3))
          List.iter2 (fun rate want -> Expect.floatClose Accuracy.high rate want "rate") (rates model) [ 0.0; 0.1; 0.2; 0.3 ]
      }
      torchTest "a reversed block gives what the plain one gives on the sequence turned around, and has no next token" (fun () ->
        let built reverse =
            torch.manual_seed 4L |> ignore
            let mixer = new MambaMixer(MambaSettings(Width = 12L, States = 4L), reverse)
            mixer.``to`` torch.float64 |> ignore
            mixer
        use plain = built false
        use reversed = built true
        let x = torch.randn (2L, 9L, 12L, dtype = torch.float64)
        Expect.isLessThan (widest (numbers (reversed.call x)) (numbers ((plain.call (x.flip 1L)).flip 1L))) 1e-12 "turned around"
        use state = reversed.Begin 2L
        Expect.throwsT<InvalidOperationException> (fun () -> reversed.Step(x.select (1L, 0L), state) |> ignore) "no stream")
      torchTest "a dropped branch leaves the tokens as they were" (fun () ->
        use layer = new MambaLayer(8L, mamba 8L, 0.5)
        let x = torch.randn (64L, 5L, 8L)
        layer.train ()
        let same = ((layer.call (ResidualStream(x, [||]))).Sum()).eq(x).flatten(1L).all(1L).sum().item<int64> ()
        Expect.isTrue (same > 12L && same < 52L) $"{same} of 64 dropped at probability a half: five deviations"
        layer.eval ()
        Expect.equal (((layer.call (ResidualStream(x, [||]))).Sum()).eq(x).flatten(1L).all(1L).sum().item<int64> ()) 0L "none outside training")
      test "layers know their depth, and what Mamba does not decay is not decayed" {
          for name in [ "mamba_tiny"; "vim_tiny"; "mamba_raw_tiny" ] do
              use model = Classifiers.Create(name, 4, ModelsTests.shapeOf name)
              Expect.equal model.Depths 4 "two layers, stem and head"
              for struct (key, p) in model.named_parameters () do
                  let want =
                      match List.ofArray (key.Split '.') with
                      | "stem" :: _ -> 0
                      | "layers" :: "0" :: _ -> 1
                      | "layers" :: "1" :: _ -> 2
                      | _ -> 3
                  Expect.equal (model.DepthOf key) want key
                  let leaf = key[key.LastIndexOf '.' + 1 ..]
                  let undecayed = List.contains leaf [ "A_log"; "A_b_log"; "D"; "D_b"; "bias" ] || p.dim () = 1L
                  Expect.equal (model.IsDecayed(key, p)) (not undecayed) key
      }
      torchTest "a model of raw sound refuses a spectrogram and names the front-end, one of spectrograms other rows" (fun () ->
        Expect.stringContains (messageOf (fun () -> Classifiers.Create("mamba_raw", 3, InputShape(1L, 128L, 320L)))) "waveform-16k" "front-end"
        use model = Classifiers.Create("mamba_tiny", 3, InputShape(1L, 32L, 64L))
        Expect.stringContains (messageOf (fun () -> model.call (torch.zeros (1L, 1L, 31L, 64L)))) "built for 32 rows" "rows") ]

let tests =
    testSequencedGroup "torch"
    <| testList "Mamba" [ testList "initialisation" initialisation; testList "mixers" mixing; testList "classifiers" classifiers ]
