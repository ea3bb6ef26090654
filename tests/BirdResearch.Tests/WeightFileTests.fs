module BirdResearch.Tests.WeightFileTests

open System
open System.Diagnostics
open System.IO
open System.IO.Compression
open System.Text
open System.Text.Json
open Expecto
open TorchSharp
open BirdResearch.Models
open BirdResearch.Reference

let private oracles = Path.Combine(__SOURCE_DIRECTORY__, "oracles")

let private inFolder (work: string -> 'a) =
    let folder = Directory.CreateTempSubdirectory "bird-weight-files-"
    try work folder.FullName
    finally folder.Delete true

let private tiny (name: string) classes seed =
    Classifiers.Create(name, classes, ModelsTests.shapeOf name, ModelOptions(Seed = Nullable seed))

let private bitsOf (model: Classifier) =
    [ for struct (key, tensor) in StateDictionary.Of model -> key, tensor.bytes.ToArray() ]

let private messageOf (work: unit -> unit) =
    try
        work ()
        failtest "nothing was refused"
    with :? InvalidDataException as e -> e.Message

/// The bytes of a pickle, as torch.save arranges them: enough to write its files here, and files that it would never write.
module private Pickle =
    let ascii (text: string) = Encoding.ASCII.GetBytes text
    let join (parts: byte[] list) = Array.concat parts
    let text (value: string) =
        let bytes = Encoding.UTF8.GetBytes value
        join [ "X"B; BitConverter.GetBytes bytes.Length; bytes ]
    let int (value: int64) =
        if value >= int64 Int32.MinValue && value <= int64 Int32.MaxValue then join [ "J"B; BitConverter.GetBytes(int32 value) ]
        else join [ [| 0x8auy; 8uy |]; BitConverter.GetBytes value ]
    let tuple (items: byte[] list) = join [ "("B; join items; "t"B ]
    let ints (values: int64 seq) = values |> Seq.map int |> List.ofSeq |> tuple
    let name (place: string) (what: string) = ascii $"c{place}\n{what}\n"
    let ordered = join [ name "collections" "OrderedDict"; ")R"B ]
    let storage (kind: string) key (count: int64) =
        join [ tuple [ text "storage"; name "torch" kind; text key; text "cpu"; int count ]; "Q"B ]
    let cut (stored: byte[]) (offset: int64) shape strides =
        join [ name "torch._utils" "_rebuild_tensor_v2"; tuple [ stored; int offset; ints shape; ints strides; [| 0x89uy |]; ordered ]; "R"B ]
    let dict (items: (string * byte[]) list) = join [ "}("B; join [ for key, value in items -> join [ text key; value ] ]; "u"B ]
    let whole (body: byte[]) = join [ [| 0x80uy; 2uy |]; body; "."B ]

let private zipped (level: CompressionLevel) (path: string) (entries: (string * byte[]) list) =
    using (new ZipArchive(File.Create path, ZipArchiveMode.Create)) (fun zip ->
        for name, bytes in entries do
            use stream = zip.CreateEntry(name, level).Open()
            stream.Write(bytes, 0, bytes.Length))

let private torchFile path (pickle: byte[]) (storages: (string * byte[]) list) =
    zipped CompressionLevel.NoCompression path
        ([ "archive/data.pkl", pickle ] @ [ for key, bytes in storages -> $"archive/data/{key}", bytes ] @ [ "archive/byteorder", "little"B; "archive/version", "3\n"B ])

let private storageKind (t: torch.Tensor) = if t.dtype = torch.float32 then "FloatStorage" else "LongStorage"

/// Row-major strides.
let private stridesOf (shape: int64[]) = Array.scanBack (*) (Array.skip (min 1 shape.Length) shape) 1L |> Array.truncate shape.Length

/// Writes a model's state dictionary as torch.save does, each value in a storage of its own.
let private saved (path: string) (prefix: string) (model: Classifier) (around: byte[] -> byte[]) =
    let entries = [ for struct (key, t) in StateDictionary.Of model -> key, t ]
    let tensors =
        [ for i, (key, t) in List.indexed entries ->
            prefix + key, Pickle.cut (Pickle.storage (storageKind t) (string i) t.NumberOfElements) 0L t.shape (stridesOf t.shape) ]
    torchFile path (Pickle.whole (around (Pickle.dict tensors))) [ for i, (_, t) in List.indexed entries -> string i, t.bytes.ToArray() ]

let private values = lazy (JsonDocument.Parse(File.ReadAllText(Path.Combine(oracles, "weights", "values.txt"))).RootElement)

let private expectValues (file: WeightFile) (expected: JsonElement) =
    use _ = torch.NewDisposeScope()
    Expect.equal [ for entry in file.Entries -> entry.Key ] [ for entry in expected.EnumerateObject() -> entry.Name ] "keys, in order"
    for entry in expected.EnumerateObject() do
        let read = file.Read entry.Name
        Expect.equal (List.ofArray read.shape) [ for n in entry.Value.GetProperty("shape").EnumerateArray() -> n.GetInt64() ] $"shape of {entry.Name}"
        Expect.equal ((string read.dtype).ToLowerInvariant()) ((string (entry.Value.GetProperty "type")).Replace("uint8", "byte")) $"type of {entry.Name}"
        Expect.equal
            (if read.NumberOfElements = 0L then [] else List.ofArray (read.``to``(torch.float64).contiguous().data<float>().ToArray()))
            [ for n in entry.Value.GetProperty("values").EnumerateArray() -> n.GetDouble() ] $"values of {entry.Name}"

let private ofPyTorch =
    testList "files of PyTorch" [
        for name, part, section, format in
            [ "checkpoint.pth", "checkpoint", "state_dict", "PyTorch (zip)"
              "checkpoint.legacy.pth", "checkpoint", "state_dict", "PyTorch (before 1.6)"
              "checkpoint.protocol5.pth", "checkpoint", "state_dict", "PyTorch (zip)"
              "module.pth", "module", "", "PyTorch (zip)" ] do
            test $"{name} holds what PyTorch wrote: every type, strided, offset, shared, repeated and empty tensors" {
                use file = WeightFile.Open(Path.Combine(oracles, "weights", name))
                Expect.equal (file.Format, file.Section) (format, section) "what it is"
                expectValues file (values.Value.GetProperty part)
            }
        test "the content decides the format, not the name" {
            inFolder (fun folder ->
                let path = Path.Combine(folder, "model.safetensors")
                File.Copy(Path.Combine(oracles, "weights", "module.pth"), path)
                use file = WeightFile.Open path
                Expect.equal file.Format "PyTorch (zip)" "format")
        }
        test "a tensor over bytes whose element type stands apart is read, as newer PyTorch writes some types" {
            inFolder (fun folder ->
                use _ = torch.NewDisposeScope()
                let path = Path.Combine(folder, "bytes.pth")
                let tensor =
                    Pickle.join [
                        Pickle.name "torch._utils" "_rebuild_tensor_v3"
                        Pickle.tuple [ Pickle.storage "UntypedStorage" "0" 8L; Pickle.int 1L; Pickle.ints [ 3L ]; Pickle.ints [ 1L ]; [| 0x89uy |]; Pickle.ordered; Pickle.name "torch" "int16" ]
                        "R"B ]
                torchFile path (Pickle.whole (Pickle.dict [ "a", tensor ])) [ "0", Array.collect (fun (n: int16) -> BitConverter.GetBytes n) [| 5s; 6s; -7s; 8s |] ]
                use file = WeightFile.Open path
                Expect.equal (file.Read("a").data<int16>().ToArray()) [| 6s; -7s; 8s |] "values")
        }
        test "an archive that was packed again with compression is read too" {
            inFolder (fun folder ->
                let path = Path.Combine(folder, "packed.pth")
                let entries =
                    use zip = ZipFile.OpenRead(Path.Combine(oracles, "weights", "checkpoint.pth"))
                    [ for entry in zip.Entries ->
                        use stream = entry.Open()
                        use copy = new MemoryStream()
                        stream.CopyTo copy
                        entry.FullName, copy.ToArray() ]
                zipped CompressionLevel.Optimal path entries
                use file = WeightFile.Open path
                expectValues file (values.Value.GetProperty "checkpoint"))
        }
        for cutting in [ "checkpoint.pth"; "checkpoint.legacy.pth" ] do
            test $"{cutting}, cut or bent anywhere, is refused or read, and never more than that" {
                inFolder (fun folder ->
                    let whole = File.ReadAllBytes(Path.Combine(oracles, "weights", cutting))
                    let path = Path.Combine(folder, "bent.pth")
                    let readAll (bytes: byte[]) =
                        File.WriteAllBytes(path, bytes)
                        use _ = torch.NewDisposeScope()
                        use file = WeightFile.Open path
                        for entry in file.Entries do file.Read entry.Key |> ignore
                    let random = Random 1
                    for length in [ 0; 1; 2; 3; 8; 9; 100; whole.Length / 2; whole.Length - 1 ] @ List.init 40 (fun _ -> random.Next whole.Length) do
                        Expect.throwsT<InvalidDataException> (fun () -> readAll whole[.. length - 1]) $"cut to {length} bytes"
                    for _ in 1 .. 600 do
                        let bent = Array.copy whole
                        let place = random.Next whole.Length
                        bent[place] <- bent[place] ^^^ byte (1 <<< random.Next 8)
                        try readAll bent
                        with
                        | :? InvalidDataException -> ()
                        | e -> failtest $"byte {place}: {e}")
            } ]

let private families =
    testList "models" [
        for entry in Classifiers.All |> Seq.filter _.IsTest do
            test $"{entry.Name} loads bit by bit from a PyTorch file, whatever wrapper its keys carry" {
                inFolder (fun folder ->
                    let path = Path.Combine(folder, "model.pth")
                    use from = tiny entry.Name 4 1
                    for prefix in [ ""; "module."; "_orig_mod.module." ] do
                        use into = tiny entry.Name 4 2
                        saved path prefix from id
                        let report = Weights.Load(into, path, WeightFit.Adapt)
                        Expect.equal (bitsOf into) (bitsOf from) "values"
                        Expect.equal report.Loaded.Count (bitsOf from).Length "every key"
                        Expect.isEmpty (Seq.concat [ report.Adapted; report.Missing; report.Unexpected ]) "nothing else")
            }
        for entry in Classifiers.All |> Seq.filter (fun e -> e.IsTest && List.contains e.Family [ "efficientnet"; "mobilenetv3"; "resnet"; "resnetv2"; "seresnext"; "nfnet" ]) do
            test $"a colour file of {entry.Name} with other classes fits a grey model: the stem is summed, the head starts afresh" {
                inFolder (fun folder ->
                    use _ = torch.NewDisposeScope()
                    let path = Path.Combine(folder, "rgb.pth")
                    use colour = Classifiers.Create(entry.Name, 10, InputShape(3L, 32L, 64L), ModelOptions(Seed = Nullable 1))
                    saved path "" colour id
                    use grey = Classifiers.Create(entry.Name, 4, InputShape(1L, 32L, 64L), ModelOptions(Seed = Nullable 2))
                    let stem, head = nonNull grey.StemKey, nonNull grey.HeadKey
                    let before = (nonNull (grey.get_parameter $"{head}.weight")).clone ()
                    let report = Weights.Load(grey, path, WeightFit.Adapt)
                    Expect.equal (List.ofSeq report.Adapted) [ $"{stem} from 3 to 1 channels" ] "adapted"
                    Expect.equal (List.ofSeq report.Missing) [ $"{head}.weight"; $"{head}.bias" ] "kept"
                    Expect.isTrue ((nonNull (grey.get_parameter $"{head}.weight")).equal(before).all().item<bool> ()) "head"
                    let sum = (nonNull (colour.get_parameter stem)).sum ([| 1L |], keepdim = true)
                    Expect.isTrue ((nonNull (grey.get_parameter stem)).allclose sum) "stem")
            }
            test $"a file of {entry.Name} that lacks its stem, or a norm's numbers, is refused by the key" {
                inFolder (fun folder ->
                    let path = Path.Combine(folder, "less.safetensors")
                    use from = tiny entry.Name 4 1
                    use into = tiny entry.Name 4 2
                    let before = bitsOf into
                    let keys = [ for struct (key, _) in StateDictionary.Of from -> key ]
                    let norm = keys |> List.tryFind _.EndsWith("running_var")
                    for lost in nonNull into.StemKey :: Option.toList norm do
                        Safetensors.Write(path, [ for struct (key, t) in StateDictionary.Of from do if key <> lost then struct (key, t) ])
                        Expect.stringContains (messageOf (fun () -> Weights.Load(into, path, WeightFit.Adapt) |> ignore)) $"{lost} (" "the key"
                    Expect.equal (bitsOf into) before "the model is as it was")
            }
        test "the tensors of a training's checkpoint are found under their names, the running average first" {
            inFolder (fun folder ->
                let path = Path.Combine(folder, "checkpoint.pth")
                use from = tiny "tsresnet_tiny" 4 1
                let beside = [ "epoch", Pickle.int 3L; "optimizer", Pickle.dict [ "lr", Pickle.join [ "G"B; Array.rev (BitConverter.GetBytes 0.1) ] ] ]
                let other = Pickle.dict [ "x", Pickle.cut (Pickle.storage "FloatStorage" "none" 1L) 0L [] [] ]
                for section, around in
                    [ "state_dict", fun state -> Pickle.dict (beside @ [ "state_dict", state ])
                      "model", fun state -> Pickle.dict (beside @ [ "model", state ])
                      "model_state_dict", fun state -> Pickle.dict [ "model_state_dict", state ]
                      "state_dict_ema", fun state -> Pickle.dict [ "state_dict", other; "state_dict_ema", state ]
                      "model.state_dict", fun state -> Pickle.dict [ "model", Pickle.dict [ "state_dict", state ] ] ] do
                    use into = tiny "tsresnet_tiny" 4 2
                    saved path "model." from around
                    using (WeightFile.Open path) (fun file -> Expect.equal file.Section section "section")
                    Weights.Load(into, path, WeightFit.Adapt) |> ignore
                    Expect.equal (bitsOf into) (bitsOf from) section)
        } ]

let private one = "1", BitConverter.GetBytes 1.0f
let private floats count = Array.zeroCreate<byte> (4 * count)
let private scalar = Pickle.cut (Pickle.storage "FloatStorage" "1" 1L) 0L [] []
let private only (tensor: byte[]) = Pickle.whole (Pickle.dict [ "conv1.weight", tensor ])
let private called (place: string) (what: string) arguments = Pickle.join [ Pickle.name place what; Pickle.tuple arguments; "R"B ]
let private protocol4 (body: byte[]) = Pickle.join [ [| 0x80uy; 4uy |]; body; "."B ]
let private short (text: string) = Pickle.join [ [| 0x8cuy; byte text.Length |]; Pickle.ascii text ]

/// What, the pickle, its storages, and words of the message.
let private pickles =
    [ "a callable of the system", Pickle.whole (called "os" "system" [ Pickle.text "touch owned" ]), [], [ "'os.system'"; "Nothing of it was executed" ]
      "a callable beside tensors", Pickle.whole (Pickle.dict [ "fc.bias", scalar; "hook", called "posix" "system" [ Pickle.text "touch owned" ] ]), [ one ], [ "'posix.system'" ]
      "a builtin by a name from the stack", protocol4 (Pickle.join [ short "builtins"; short "eval"; [| 0x93uy |]; Pickle.tuple [ Pickle.text "1" ]; "R"B ]), [], [ "'builtins.eval'" ]
      "a function of torch that is not for tensors", Pickle.whole (called "torch" "load" [ Pickle.text "x" ]), [], [ "'torch.load'" ]
      "a name with dots that leads elsewhere", protocol4 (Pickle.join [ short "torch"; short "serialization.os.system"; [| 0x93uy |] ]), [], [ "'torch.serialization.os.system'" ]
      "a name that is hidden behind control characters", Pickle.whole (Pickle.name "o\ts" "sys\x1btem"), [], [ "'o?s.sys?tem'" ]
      "arguments of a script", Pickle.whole (Pickle.dict [ "args", Pickle.join [ Pickle.name "argparse" "Namespace"; ")"B; [| 0x81uy |]; "}b"B ] ]), [], [ "'argparse.Namespace'"; "safetensors" ]
      "a whole module", Pickle.whole (Pickle.join [ Pickle.name "__main__" "Net"; ")"B; [| 0x81uy |]; "}b"B ]), [], [ "'__main__.Net'" ]
      "a storage that is called", Pickle.whole (Pickle.join [ Pickle.storage "FloatStorage" "1" 1L; ")R"B ]), [ one ], [ "calls a storage" ]
      "an element type that is called", Pickle.whole (Pickle.join [ Pickle.name "torch" "FloatStorage"; ")R"B ]), [], [ "calls 'torch.FloatStorage'" ]
      "a state for a tensor", Pickle.whole (Pickle.join [ scalar; "}b"B ]), [ one ], [ "sets the state of a tensor" ]
      "an object of a class", Pickle.whole (Pickle.join [ Pickle.name "collections" "OrderedDict"; ")"B; [| 0x81uy |] ]), [], [ "NEWOBJ" ]
      "an instance of protocol 0", Pickle.whole "(ios\nsystem\n"B, [], [ "'os.system' (INST)" ]
      "an object of a marked class", Pickle.whole (Pickle.join [ "("B; Pickle.name "collections" "OrderedDict"; "o"B ]), [], [ "OBJ" ]
      "a registered number", Pickle.whole [| 0x82uy; 1uy |], [], [ "EXT" ]
      "a persistent id of another kind", Pickle.whole (Pickle.join [ Pickle.tuple [ Pickle.text "module"; Pickle.text "x" ]; "Q"B ]), [], [ "persistent id" ]
      "a persistent id that is a text", Pickle.whole (Pickle.join [ Pickle.text "http://x"; "Q"B ]), [], [ "persistent id" ]
      "a storage that is shorter than it says", only (Pickle.cut (Pickle.storage "FloatStorage" "1" 100L) 0L [ 100L ] [ 1L ]), [ one ], [ "storage '1'"; "4 bytes"; "400" ]
      "a tensor larger than its storage", only (Pickle.cut (Pickle.storage "FloatStorage" "1" 1L) 0L [ 2L ] [ 1L ]), [ one ], [ "reaches element 1" ]
      "a storage that is missing", only (Pickle.cut (Pickle.storage "FloatStorage" "2" 1L) 0L [] []), [ one ], [ "'conv1.weight'"; "are missing" ]
      "a negative offset", only (Pickle.cut (Pickle.storage "FloatStorage" "1" 1L) -1L [] []), [ one ], [ "begins at element -1" ]
      "an offset beyond the end", only (Pickle.cut (Pickle.storage "FloatStorage" "1" 1L) Int64.MaxValue [ 1L ] [ 1L ]), [ one ], [ "reaches element 9223372036854775807" ]
      "a negative stride", only (Pickle.cut (Pickle.storage "FloatStorage" "1" 4L) 3L [ 4L ] [ -1L ]), [ "1", floats 4 ], [ "-1 among its strides" ]
      "a negative length", only (Pickle.cut (Pickle.storage "FloatStorage" "1" 1L) 0L [ -1L ] [ 1L ]), [ one ], [ "-1 among its shape" ]
      "lengths whose product overflows", only (Pickle.cut (Pickle.storage "FloatStorage" "1" 1L) 0L [ 1L <<< 40; 1L <<< 40 ] [ 0L; 0L ]), [ one ], [ "more elements than there can be" ]
      "strides whose reach overflows", only (Pickle.cut (Pickle.storage "FloatStorage" "1" 1L) 0L [ 1L <<< 62; 1L <<< 62 ] [ 1L <<< 62; 1L <<< 62 ]), [ one ], [ "reaches element" ]
      "one number that claims to fill the memory", only (Pickle.cut (Pickle.storage "FloatStorage" "1" 1L) 0L [ 1L <<< 40 ] [ 0L ]), [ one ], [ "claims" ]
      "a storage of more elements than there can be", only (Pickle.cut (Pickle.storage "FloatStorage" "1" Int64.MaxValue) 0L [ 1L ] [ 1L ]), [ one ], [ "9223372036854775807 elements" ]
      "a storage of a negative count", only (Pickle.cut (Pickle.storage "FloatStorage" "1" -1L) 0L [ 1L ] [ 1L ]), [ one ], [ "-1 elements" ]
      "dimensions without strides", only (Pickle.cut (Pickle.storage "FloatStorage" "1" 1L) 0L [ 1L; 1L ] [ 1L ]), [ one ], [ "2 dimensions but 1 strides" ]
      "lengths that are no numbers", only (Pickle.join [ Pickle.name "torch._utils" "_rebuild_tensor_v2"; Pickle.tuple [ Pickle.storage "FloatStorage" "1" 1L; Pickle.int 0L; Pickle.text "x"; Pickle.ints []; [| 0x89uy |]; Pickle.ordered ]; "R"B ]), [ one ], [ "no list of whole numbers" ]
      "one storage in two types", Pickle.whole (Pickle.dict [ "a", scalar; "b", Pickle.cut (Pickle.storage "LongStorage" "1" 1L) 0L [] [] ]), [ one ], [ "in two ways" ]
      "a key that comes twice", Pickle.whole (Pickle.dict [ "fc.bias", scalar; "fc.bias", scalar ]), [ one ], [ "'fc.bias' is in one dictionary twice" ]
      "a recursion of lists without end", Pickle.whole (Array.create 100_000 (byte '(')), [], [ "nests deeper" ]
      "a recursion of tuples", Pickle.whole (Pickle.join [ ")"B; Array.create 100_000 0x85uy ]), [], [ "holds a tuple" ]
      "a list that holds itself", Pickle.whole "]q\000h\000a"B, [], [ "holds a list" ]
      "a memory that was never written", Pickle.whole [| byte 'h'; 9uy |], [], [ "recalls value number 9" ]
      "a memory far outside", Pickle.whole (Pickle.join [ "Nr"B; BitConverter.GetBytes UInt32.MaxValue ]), [], [ "number 4294967295" ]
      "an empty stack", Pickle.whole "R"B, [], [ "where there is none" ]
      "a text longer than the file", Pickle.whole (Pickle.join [ "X"B; BitConverter.GetBytes UInt32.MaxValue ]), [], [ "ends too early" ]
      "a text of a negative length", protocol4 (Pickle.join [ [| 0x8duy |]; BitConverter.GetBytes Int64.MinValue ]), [], [ "ends too early" ]
      "a pickle that is cut", (only scalar)[..40], [ one ], [ "ends too early" ]
      "an instruction that there is not", Pickle.whole [| 0xffuy |], [], [ "0xff" ]
      "protocol 0", "(lp0\n."B, [], [ "protocol 0" ]
      "no tensors at all", Pickle.whole (Pickle.dict [ "epoch", Pickle.int 3L ]), [], [ "no tensors"; "'epoch'" ]
      "a tensor alone", Pickle.whole scalar, [ one ], [ "holds a tensor" ]
      "tensors of another model", Pickle.whole (Pickle.dict [ "transformer.weight", scalar ]), [ one ], [ "does not fit tsresnet_tiny" ]
      "a tensor of another shape", only scalar, [ one ], [ "conv1.weight is ()" ] ]

let private bytesOf (name: string) (write: string -> unit) =
    inFolder (fun folder ->
        let path = Path.Combine(folder, name)
        write path
        File.ReadAllBytes path)

let private sound = lazy (bytesOf "a.pth" (fun path -> torchFile path (only scalar) [ one ]))

/// A zip in which the sizes of one entry are overwritten, in its own header and in the list at the end.
let private lying (entry: string) (packed: uint32) (unpacked: uint32) =
    let bytes = Array.copy sound.Value
    let name = Pickle.ascii entry
    for mark, sizes, names in [ "PK\003\004"B, 18, 30; "PK\001\002"B, 20, 46 ] do
        for i in 0 .. bytes.Length - names - name.Length do
            if bytes.AsSpan(i, 4).SequenceEqual mark && bytes.AsSpan(i + names, name.Length).SequenceEqual name then
                BitConverter.GetBytes(packed).CopyTo(bytes, i + sizes)
                BitConverter.GetBytes(unpacked).CopyTo(bytes, i + sizes + 4)
    bytes

let private zipOf entries = bytesOf "a.pth" (fun path -> zipped CompressionLevel.Optimal path entries)

/// What, the file's name, its bytes, and words of the message.
let private files =
    [ "an empty file", "a.pth", (fun () -> [||]), [ "it is empty" ]
      "a file of zeros", "a.pth", (fun () -> Array.zeroCreate 5000), [ "nothing but zeros" ]
      "a PNG image", "a.pth", (fun () -> Array.append [| 0x89uy |] (Array.append "PNG\r\n\026\n"B (Array.create 100 7uy))), [ "a PNG image" ]
      "the page of a failed download", "a.safetensors", (fun () -> "<!DOCTYPE html><html><body>Sign in</body></html>"B), [ "a web page" ]
      "an answer of a server", "a.pth", (fun () -> """{"error":"Repository not found"}"""B), [ "JSON" ]
      "a pointer of git-lfs", "a.safetensors", (fun () -> "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n"B), [ "pointer of git-lfs"; "git lfs pull" ]
      "a gzip archive", "a.pth", (fun () -> [| 0x1fuy; 0x8buy; 8uy; 0uy; 0uy; 0uy; 0uy; 0uy; 0uy; 0uy |]), [ "gzip" ]
      "something else", "a.pth", (fun () -> Array.init 300 (fun i -> byte (i * 7 + 1))), [ "safetensors" ]
      "a pickle that torch.save did not write", "a.pth", (fun () -> Pickle.whole (Pickle.dict [ "a", Pickle.int 1L ])), [ "not one that torch.save wrote" ]
      "a pickle with a foreign callable, without an archive", "a.pth", (fun () -> Pickle.whole (called "os" "system" [ Pickle.text "touch owned" ])), [ "'os.system'" ]
      "an array of NumPy in a pickle", "a.pth", (fun () -> Pickle.whole (Pickle.name "numpy.core.multiarray" "_reconstruct")), [ "'numpy.core.multiarray._reconstruct'" ]
      "a zip that is cut", "a.pth", (fun () -> sound.Value[.. sound.Value.Length - 30]), [ "zip archive is cut off or damaged" ]
      "a zip of other things", "a.pth", (fun () -> zipOf [ "photo.txt", "x"B ]), [ "without data.pkl" ]
      "an empty zip", "a.pth", (fun () -> zipOf []), [ "without data.pkl" ]
      "a TorchScript program", "a.pt", (fun () -> zipOf [ "m/data.pkl", only scalar; "m/constants.pkl", "x"B; "m/code/__torch__.py", "x"B ]), [ "TorchScript" ]
      "two pickles", "a.pth", (fun () -> zipOf [ "a/data.pkl", only scalar; "b/data.pkl", only scalar ]), [ "2 files data.pkl" ]
      "values that leave the archive's folder by their name", "a.pth", (fun () -> zipOf [ "a/data.pkl", only scalar; "a/../../data/1", floats 1 ]), [ "are missing" ]
      "a big-endian file", "a.pth", (fun () -> zipOf [ "a/data.pkl", only scalar; "a/data/1", floats 1; "a/byteorder", "big"B ]), [ "byte order 'big'" ]
      "a zip bomb", "a.pth", (fun () -> zipOf [ "a/data.pkl", only scalar; "a/data/1", Array.zeroCreate 8_000_000 ]), [ "would unpack" ]
      "values twice", "a.pth", (fun () -> zipOf [ "a/data.pkl", only scalar; "a/data/1", floats 1; "a/data/1", floats 1 ]), [ "'a/data/1' twice" ]
      "an entry that claims more than the file has", "a.pth", (fun () -> lying "archive/data/1" 0x7f000000u 0x7f000000u), [ "claim" ]
      "an entry that claims to unpack to more", "a.pth", (fun () -> lying "archive/data/1" 4u 0x7f000000u), [ "would unpack" ]
      "a pickle that claims more than it has", "a.pth", (fun () -> lying "archive/data.pkl" 40u 0x40000000u), [ "would unpack" ]
      "a safetensors file that is cut", "a.safetensors", (fun () -> Array.append (BitConverter.GetBytes 100UL) """{"a":{"dt"""B), [ "header is said to have 100 bytes" ]
      "safetensors whose tensors overlap", "a.safetensors",
      (fun () ->
          let header = """{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}"""B
          Array.concat [ BitConverter.GetBytes(uint64 header.Length); header; [| 0uy; 0uy; 0uy |] ]),
      [ "'b' overlaps 'a'" ]
      "safetensors that lie about a shape", "a.pth",
      (fun () ->
          let header = """{"conv1.weight":{"dtype":"F32","shape":[9],"data_offsets":[0,4]}}"""B
          Array.concat [ BitConverter.GetBytes(uint64 header.Length); header; [| 0uy; 0uy; 0uy; 0uy |] ]),
      [ "4 bytes, but F32 (9) needs 36" ] ]

let private refused =
    testList "refused" [
        for what, name, write, words in
            [ for what, pickle, storages, words in pickles -> what, "a.pth", (fun path -> torchFile path pickle storages), words
              for what, name, bytes, words in files -> what, name, (fun path -> File.WriteAllBytes(path, bytes ())), words ] do
            test $"{what}: refused with the file and the reason, and the model is as it was" {
                inFolder (fun folder ->
                    let path = Path.Combine(folder, name)
                    write path
                    use model = tiny "tsresnet_tiny" 4 2
                    let before = bitsOf model
                    let message = messageOf (fun () -> Weights.Load(model, path, WeightFit.Adapt) |> ignore)
                    for word in name :: words do Expect.stringContains message word "the message"
                    Expect.isLessThan message.Length 700 "a message to read"
                    Expect.equal (bitsOf model) before "the model"
                    Expect.equal (Directory.GetFiles folder) [| path |] "nothing was written")
            }
        test "a file that is not there, and a folder, are errors that name them" {
            Expect.throwsC (fun () -> WeightFile.Open "no-such-file.pth" |> ignore) (fun e -> Expect.stringContains e.Message "no-such-file.pth" "missing")
            inFolder (fun folder -> Expect.throwsC (fun () -> WeightFile.Open folder |> ignore) (fun e -> Expect.stringContains e.Message "is a folder" "folder"))
        } ]

let private python (args: string list) =
    let info = ProcessStartInfo("/usr/bin/python3", RedirectStandardError = true, RedirectStandardOutput = true)
    for arg in args do info.ArgumentList.Add arg
    try
        use run = nonNull (Process.Start info)
        run.StandardOutput.ReadToEndAsync() |> ignore
        let error = run.StandardError.ReadToEnd()
        run.WaitForExit()
        run.ExitCode, error
    with :? ComponentModel.Win32Exception as e -> -1, e.Message

let private hasTorch = lazy (fst (python [ "-c"; "import torch, numpy" ]) = 0)

/// The first reference file in evaluation mode of each model, and the one with colours.
let private published =
    [ for file in Directory.GetFiles(Path.Combine(oracles, "timm"), "*.eval_*.json") |> Array.sort ->
        let root = JsonDocument.Parse(File.ReadAllText file).RootElement
        string (root.GetProperty "model"), file, root ]
    |> List.filter (fun (model, _, _) -> Classifiers.All |> Seq.exists (fun e -> e.Name = model))
    |> List.groupBy (fun (model, _, root) -> model, root.GetProperty("create").GetProperty("in_chans").GetInt32())
    |> List.map (fun (_, files) -> List.head files)

let private ofPublishedModels =
    testList "published models" [
        for model, file, root in published do
            test $"{Path.GetFileNameWithoutExtension file}: weights in both published formats load and give the recorded logits" {
                if not (hasTorch.Force()) then skiptest "python3 has no torch here (Debian: python3-torch)"
                inFolder (fun folder ->
                    use _ = torch.NewDisposeScope()
                    use _ = torch.no_grad ()
                    let paths = [ Path.Combine(folder, "model.safetensors"); Path.Combine(folder, "pytorch_model.bin") ]
                    let code, error = python ([ Path.Combine(oracles, "weights", "published.py"); file ] @ paths)
                    Expect.equal code 0 error
                    let create, input = root.GetProperty "create", root.GetProperty "input"
                    let shape = [| for n in input.GetProperty("shape").EnumerateArray() -> n.GetInt64() |]
                    let x = torch.tensor(Fill.Values(string (input.GetProperty "name"), Seq.fold (*) 1L shape)).reshape shape
                    let expected = [| for n in root.GetProperty("logits").EnumerateArray() -> n.GetDouble() |]
                    for path in paths do
                        use classifier = Classifiers.Create(model, create.GetProperty("num_classes").GetInt32(), InputShape(shape[1], shape[2], shape[3]))
                        let report = Weights.Load(classifier, path)
                        Expect.equal report.Loaded.Count (root.GetProperty("state_dict").GetArrayLength()) "every key"
                        classifier.eval ()
                        let logits = classifier.call(x).``to``(torch.float64).contiguous().data<float>().ToArray()
                        let off = Array.map2 (fun (a: float) b -> abs (a - b)) logits expected |> Array.max
                        let tolerance = root.GetProperty("tolerance").GetProperty("float32_logits_rel").GetDouble()
                        Expect.isLessThan (off / (expected |> Array.map abs |> Array.max)) tolerance $"logits from {Path.GetFileName path}")
            } ]

let tests =
    testSequencedGroup "torch" (testList "Weight files" [ ofPyTorch; families; refused; ofPublishedModels ])
