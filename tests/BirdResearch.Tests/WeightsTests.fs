module BirdResearch.Tests.WeightsTests

open System
open System.Collections.Generic
open System.IO
open System.Text
open Expecto
open TorchSharp
open BirdResearch.Models

let private inFolder (work: string -> 'a) =
    let folder = Directory.CreateTempSubdirectory "bird-weights-"
    try work folder.FullName
    finally folder.Delete true

let private tiny (name: string) channels classes seed =
    let shape = ModelsTests.shapeOf name
    Classifiers.Create(name, classes, InputShape(channels, shape.Rows, shape.Frames), ModelOptions(Seed = Nullable seed))

let private parameter (model: Classifier) (key: string) = nonNull (model.get_parameter key)

let private bitsOf (model: Classifier) =
    [ for struct (key, tensor) in StateDictionary.Of model -> key, tensor.bytes.ToArray() ]

let private fileOf (header: string) (data: byte[]) =
    let text = Encoding.UTF8.GetBytes header
    Array.concat [ BitConverter.GetBytes(uint64 text.Length); text; data ]

/// Opens a file of these bytes and reads all its tensors.
let private readAll (bytes: byte[]) =
    inFolder (fun folder ->
        let path = Path.Combine(folder, "weights.safetensors")
        File.WriteAllBytes(path, bytes)
        use _ = torch.NewDisposeScope()
        use file = Safetensors.Open path
        [ for entry in file.Entries -> entry.Key, file.Read(entry.Key).bytes.ToArray() ])

let private types =
    [ torch.float64; torch.float32; torch.float16; torch.bfloat16; torch.int64; torch.int32; torch.int16; torch.int8; torch.uint8; torch.bool ]

let private format =
    testList "format" [
        test "every element type, the empty tensor and the scalar come back as they were" {
            inFolder (fun folder ->
                use _ = torch.NewDisposeScope()
                torch.manual_seed 1L |> ignore
                let path = Path.Combine(folder, "all.safetensors")
                let tensors =
                    [ for t in types do
                        struct ($"grid {t}", (torch.randn (3L, 5L) * 3.0).``to`` t)
                        struct ($"none {t}", torch.zeros ([| 0L; 4L |], dtype = t))
                        struct ($"one {t}", torch.ones ([||], dtype = t)) ]
                Safetensors.Write(path, tensors, Dictionary(dict [ "model", "käuzchen"; "a \"quoted\" key", "" ]))
                use file = Safetensors.Open path
                Expect.equal (file.Metadata["model"], file.Metadata["a \"quoted\" key"]) ("käuzchen", "") "metadata"
                Expect.equal file.Entries.Count tensors.Length "count"
                for struct (key, tensor) in tensors do
                    let read = file.Read key
                    Expect.equal (read.dtype, List.ofArray read.shape) (tensor.dtype, List.ofArray tensor.shape) key
                    Expect.equal (read.bytes.ToArray()) (tensor.bytes.ToArray()) key)
        }
        test "a file has the published layout, byte by byte" {
            inFolder (fun folder ->
                use _ = torch.NewDisposeScope()
                let path = Path.Combine(folder, "small.safetensors")
                Safetensors.Write(path, [ struct ("b", torch.tensor ([| 1.0f; -2.0f |])); struct ("n", torch.tensor 3L) ])
                let header =
                    """{"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}"""
                let padded = header.PadRight((header.Length + 7) / 8 * 8)
                let data = Array.concat [ BitConverter.GetBytes 3L; BitConverter.GetBytes 1.0f; BitConverter.GetBytes -2.0f ]
                Expect.equal (File.ReadAllBytes path) (fileOf padded data) "bytes"
                Expect.equal (Directory.GetFiles folder) [| path |] "nothing is left beside it")
        }
        test "a link to weights is written through, not replaced" {
            if OperatingSystem.IsWindows() then skiptest "links need rights there"
            inFolder (fun folder ->
                use _ = torch.NewDisposeScope()
                let path, link = Path.Combine(folder, "target.safetensors"), Path.Combine(folder, "link.safetensors")
                let write (value: float32) place = Safetensors.Write(place, [ struct ("t", torch.tensor [| value |]) ])
                write 1.0f path
                File.CreateSymbolicLink(link, path) |> ignore
                write 2.0f link
                use file = Safetensors.Open path
                Expect.equal ((file.Read "t").item<float32> (), FileInfo(link).LinkTarget) (2.0f, path) "the target holds it")
        }
        test "a tensor that does not lie in one piece is written in row-major order" {
            inFolder (fun folder ->
                use _ = torch.NewDisposeScope()
                let path = Path.Combine(folder, "turned.safetensors")
                let turned = torch.arange(6L).reshape(2L, 3L).t ()
                Safetensors.Write(path, [ struct ("t", turned) ])
                use file = Safetensors.Open path
                Expect.equal (file.Read("t").data<int64>().ToArray()) [| 0L; 3L; 1L; 4L; 2L; 5L |] "values")
        }
        for what, header, length, part in
            [ "a header that is not an object", "[]", 0, "'{'"
              "a header that is not JSON", "{\"a\":", 0, "not valid JSON"
              "a key that comes twice", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2, "not valid JSON"
              "an unknown element type", """{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}""", 1, "'a' has the dtype F8_E4M3"
              "a missing element type", """{"a":{"shape":[1],"data_offsets":[0,1]}}""", 1, "'a' has no dtype"
              "a missing shape", """{"a":{"dtype":"U8","data_offsets":[0,1]}}""", 1, "'a' has no shape"
              "a negative length", """{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}""", 1, "'a' has -1 in its shape"
              "a length that is not whole", """{"a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,1]}}""", 1, "'a' has 1.5 in its shape"
              "a shape whose product overflows", """{"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,4]}}""", 4, "more than there can be"
              "a product that overflows to nothing", """{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}}""", 0, "more than there can be"
              "a range of the wrong length", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "'a' has 4 bytes, but F32 (2) needs 8"
              "a range beyond the end", """{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", 1, "'a' ends at byte 2 of only 1"
              "a range that runs backwards", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}""", 1, "no [begin, end]"
              "ranges that overlap", """{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}""", 3, "'b' overlaps 'a'"
              "a gap before the first tensor", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2, "1 bytes between the header and 'a'"
              "bytes after the last tensor", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 3, "2 bytes after 'a'"
              "metadata that is not text", """{"__metadata__":{"n":3}}""", 0, "__metadata__ 'n' is not a text"
              "an unknown field", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"scale":2}}""", 1, "'a' has an unknown field 'scale'" ] do
            test $"{what} is refused, with the file and the reason" {
                Expect.throwsC (fun () -> readAll (fileOf header (Array.zeroCreate length)) |> ignore) (fun e ->
                    Expect.equal (e.GetType()) typeof<InvalidDataException> "type"
                    Expect.stringContains e.Message "weights.safetensors" "file"
                    Expect.stringContains e.Message part "reason")
            }
        test "a header longer than the file or than memory is refused before it is read" {
            for length in [ 100UL; uint64 Int64.MaxValue; UInt64.MaxValue ] do
                Expect.throwsT<InvalidDataException> (fun () -> readAll (Array.append (BitConverter.GetBytes length) "{}"B) |> ignore) $"{length}"
        }
        test "a cut or bent file is refused or read, and never more than that" {
            inFolder (fun folder ->
                let path = Path.Combine(folder, "whole.safetensors")
                use model = tiny "tsresnet_tiny" 1L 4 1
                Weights.Save(model, path, Dictionary(dict [ "model", "tsresnet_tiny" ]))
                let whole = File.ReadAllBytes path
                let header = 8 + int (BitConverter.ToUInt64(whole, 0))
                let expected = readAll whole
                let random = Random 1
                for length in [ 0; 1; 7; 8; 9; header - 1; header; header + 1; whole.Length - 1 ] @ List.init 40 (fun _ -> random.Next whole.Length) do
                    Expect.throwsT<InvalidDataException> (fun () -> readAll whole[.. length - 1] |> ignore) $"cut to {length} bytes"
                for _ in 1 .. 400 do
                    let bent = Array.copy whole
                    let place = random.Next header
                    bent[place] <- bent[place] ^^^ byte (1 <<< random.Next 8)
                    try
                        // A flip within a name or a text leaves a sound file: what it says about the bytes must still be the same.
                        Expect.equal (readAll bent |> List.map snd) (expected |> List.map snd) $"byte {place}"
                    with :? InvalidDataException -> ())
        } ]

let private model =
    testList "model" [
        for entry in Classifiers.All |> Seq.filter _.IsTest do
            test $"{entry.Name} is saved and loaded bit by bit" {
                inFolder (fun folder ->
                    let path = Path.Combine(folder, "model.safetensors")
                    use saved = tiny entry.Name 1L 4 1
                    use other = tiny entry.Name 1L 4 2
                    Expect.notEqual (bitsOf other) (bitsOf saved) "before"
                    Weights.Save(saved, path)
                    let report = Weights.Load(other, path)
                    Expect.equal (bitsOf other) (bitsOf saved) "after"
                    Expect.equal report.Loaded.Count (bitsOf saved).Length "every key"
                    Expect.isEmpty (Seq.concat [ report.Adapted; report.Missing; report.Unexpected ]) "nothing else")
            }
        test "a file for other classes and channels is refused with keys, shapes and a hint, and the model stays as it was" {
            inFolder (fun folder ->
                let path = Path.Combine(folder, "model.safetensors")
                use saved = tiny "tf_efficientnet_tiny" 3L 10 1
                Weights.Save(saved, path)
                use other = tiny "tf_efficientnet_tiny" 1L 4 2
                let before = bitsOf other
                Expect.throwsC (fun () -> Weights.Load(other, path) |> ignore) (fun e ->
                    for part in [ "model.safetensors"; "conv_stem.weight is (8, 3, 3, 3), the model's is (8, 1, 3, 3)"; "classifier.bias is (10), the model's is (4)"; "adaptation" ] do
                        Expect.stringContains e.Message part "message")
                Expect.equal (bitsOf other) before "state")
        }
        test "a file of another family names the first keys and counts the rest" {
            inFolder (fun folder ->
                let path = Path.Combine(folder, "model.safetensors")
                use saved = tiny "tsresnet_tiny" 1L 4 1
                Weights.Save(saved, path)
                use other = tiny "tf_efficientnet_tiny" 1L 4 2
                for fit in [ WeightFit.Strict; WeightFit.Adapt ] do
                    Expect.throwsC (fun () -> Weights.Load(other, path, fit) |> ignore) (fun e ->
                        Expect.stringContains e.Message "conv_stem.weight (8, 1, 3, 3) is missing" "first"
                        Expect.isMatch e.Message "and [0-9]+ more" "count"))
        }
        test "a colour file adapts to a grey model: the stem is summed, the head keeps its values, and grey clips give the same features" {
            inFolder (fun folder ->
                use _ = torch.NewDisposeScope()
                let path = Path.Combine(folder, "rgb.safetensors")
                use colour = tiny "tf_efficientnet_tiny" 3L 10 1
                Safetensors.Write(path, [ for struct (key, tensor) in StateDictionary.Of colour -> struct ("module." + key, tensor) ])
                use grey = tiny "tf_efficientnet_tiny" 1L 4 2
                let head = (parameter grey "classifier.weight").clone ()
                let report = Weights.Load(grey, path, WeightFit.Adapt)
                Expect.equal (List.ofSeq report.Adapted) [ "conv_stem.weight from 3 to 1 channels" ] "adapted"
                Expect.equal (List.ofSeq report.Missing) [ "classifier.weight"; "classifier.bias" ] "kept"
                Expect.isTrue ((parameter grey "classifier.weight").equal head |> fun same -> same.all().item<bool> ()) "head"
                let x = torch.randn (2L, 1L, 32L, 64L)
                let features (model: Classifier) (input: torch.Tensor) =
                    let mutable pooled = null
                    let struct (_, pool) = model.named_modules () |> Seq.find (fun struct (name, _) -> name = "global_pool")
                    let hook = (pool :?> torch.nn.Module<torch.Tensor, torch.Tensor>).register_forward_hook (fun _ _ output -> pooled <- output.clone().DetachFromDisposeScope(); output)
                    model.eval ()
                    model.call input |> ignore
                    hook.remove ()
                    pooled
                let expected = features colour (x.expand (2L, 3L, 32L, 64L))
                Expect.isTrue ((features grey x).allclose(expected, rtol = 1e-4, atol = 1e-5)) "features")
        }
        for channels in [ 2L; 5L ] do
            test $"a colour stem is repeated, cut and scaled for {channels} channels" {
                inFolder (fun folder ->
                    use _ = torch.NewDisposeScope()
                    let path = Path.Combine(folder, "rgb.safetensors")
                    use colour = tiny "tf_efficientnet_tiny" 3L 4 1
                    Weights.Save(colour, path)
                    use other = tiny "tf_efficientnet_tiny" channels 4 2
                    Weights.Load(other, path, WeightFit.Adapt) |> ignore
                    let from, into = (parameter colour "conv_stem.weight"), (parameter other "conv_stem.weight")
                    for channel in 0L .. channels - 1L do
                        let wanted = from.select (1L, channel % 3L) * (3.0 / float channels).ToScalar()
                        Expect.isTrue ((into.select (1L, channel)).allclose wanted) $"channel {channel}")
            }
        test "half-precision weights are widened, whole numbers in their place are refused" {
            inFolder (fun folder ->
                use _ = torch.NewDisposeScope()
                let path = Path.Combine(folder, "cast.safetensors")
                use saved = tiny "tsresnet_tiny" 1L 4 1
                use other = tiny "tsresnet_tiny" 1L 4 2
                let write (kind: torch.ScalarType) =
                    Safetensors.Write(path, [ for struct (key, t) in StateDictionary.Of saved -> struct (key, if t.dtype = torch.float32 then t.``to`` kind else t) ])
                write torch.float16
                Weights.Load(other, path) |> ignore
                Expect.isTrue ((parameter other "conv1.weight").allclose((parameter saved "conv1.weight"), rtol = 1e-3, atol = 1e-6)) "float16"
                write torch.int32
                Expect.throwsC (fun () -> Weights.Load(other, path) |> ignore) (fun e -> Expect.stringContains e.Message "conv1.weight is I32" "int32"))
        }
        test "a key with and without its prefix is refused" {
            inFolder (fun folder ->
                use _ = torch.NewDisposeScope()
                let path = Path.Combine(folder, "twice.safetensors")
                Safetensors.Write(path, [ struct ("fc.bias", torch.zeros 4L); struct ("module.fc.bias", torch.zeros 4L) ])
                use other = tiny "tsresnet_tiny" 1L 4 2
                Expect.throwsC (fun () -> Weights.Load(other, path, WeightFit.Adapt) |> ignore) (fun e -> Expect.stringContains e.Message "'fc.bias' twice" "message"))
        } ]

let tests = testSequencedGroup "torch" (testList "Weights" [ format; model ])
