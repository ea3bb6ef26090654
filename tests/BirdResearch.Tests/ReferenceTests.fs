module BirdResearch.Tests.ReferenceTests

open System.IO
open System.Text.Json.Nodes
open Expecto
open BirdResearch.Data
open BirdResearch.Reference

let private vectors =
    [ "", 0xcbf29ce484222325UL, [ 0L, 0xc3817c016ba4ff30UL, 0.5273890495300293; 1L, 0x100cdaacc0bc9316UL, -0.8746078014373779; 1000000L, 0xa93bd9c5884e6b46UL, 0.3221389055252075 ]
      "conv_stem.weight", 0x4f2714ee7941f359UL, [ 0L, 0x7831c48e65e05cc3UL, -0.06098127365112305; 1L, 0x6e633da85e43092cUL, -0.1375964879989624; 1000000L, 0x253a8bbfb1b4c189UL, -0.7091509103775024 ]
      "h/conv_stem.weight", 0x97c6a0ee78726074UL, [ 0L, 0x3efb4d28cf425c1eUL, -0.5079559087753296; 1L, 0xc5a96b8f551b8eaeUL, 0.5442327260971069; 1000000L, 0x6dd59c5a7f3e116cUL, -0.14191865921020508 ]
      "input", 0x1ebbae8f5810b65bUL, [ 0L, 0x190a9f76a9bd8bf6UL, -0.8043633699417114; 1L, 0xa70117d09cb2bc5bUL, 0.30472075939178467; 1000000L, 0x1b86f3eecbfde1a4UL, -0.7849441766738892 ]
      "scan/full_b2d4l17n8/u", 0x543b4630f09d6eb5UL, [ 0L, 0x5ddb2c8a0b5dc9c3UL, -0.26674890518188477; 1L, 0x9b2ec3176a86316eUL, 0.2123645544052124; 1000000L, 0x140ad33410d06e28UL, -0.8434196710586548 ] ]

/// Key, shape, gain of four-dimensional weights, first four values, last value.
let private parameters =
    [ "conv_stem.weight", [ 32L; 1L; 3L; 3L ], 8.0, [ -0.0574936979f; -0.129727215f; -0.462555468f; -0.85513103f ], 0.272388101f
      "blocks.0.0.conv_dw.weight", [ 32L; 1L; 3L; 3L ], 8.0, [ 0.758589447f; 0.928288937f; 0.915637374f; 0.668144464f ], 0.195100352f
      "classifier.weight", [ 10L; 1280L ], 8.0, [ 0.0209942851f; -0.0447471924f; 0.00180298474f; -0.0340106376f ], -0.0215731543f
      "classifier.bias", [ 10L ], 6.0, [ -0.0466618836f; 0.00871843658f; 0.010579139f; 0.0131867286f ], 0.0203958508f
      "bn1.weight", [ 32L ], 6.0, [ 0.972040772f; 1.0648818f; 1.01383758f; 0.949879527f ], 0.975307643f
      "bn1.running_mean", [ 32L ], 6.0, [ 0.0468899831f; 0.0201237313f; 0.00841948949f; 0.074935779f ], 0.0140764834f
      "bn1.running_var", [ 32L ], 6.0, [ 1.07115376f; 1.14337671f; 1.23538947f; 0.971925616f ], 0.825463176f
      "stem.conv1.gain", [ 16L; 1L; 1L; 1L ], 6.0, [ 1.05503213f; 0.964911878f; 0.946097314f; 1.08747566f ], 0.916385055f
      "v.layers.0.mixer.A_log", [ 384L; 16L ], 6.0, [ -0.0913974643f; 0.704271436f; 1.16797209f; 1.44788718f ], 2.81190753f
      "v.layers.0.mixer.dt_proj.bias", [ 384L ], 6.0, [ -3.53639627f; -3.04656267f; -3.15469599f; -4.45717669f ], -2.96251559f
      "v.layers.0.mixer.D", [ 384L ], 6.0, [ 0.996575415f; 0.922077954f; 0.999788761f; 1.0000906f ], 0.932627439f
      "v.layers.0.mixer.conv1d.weight", [ 384L; 1L; 4L ], 6.0, [ -0.376649678f; -0.392991453f; -0.692516565f; -0.706223607f ], -0.859136701f
      "v.pos_embed", [ 1L; 513L; 192L ], 6.0, [ 0.053811647f; -0.00411374588f; -0.0713120699f; 0.0722705126f ], -0.0522801876f
      "kernel.log_dt", [ 4L ], 6.0, [ -3.09053802f; -4.38972664f; -4.96806288f; -4.45752811f ], -4.45752811f
      "kernel.A_imag", [ 4L; 4L ], 6.0, [ -0.0304607507f; 3.12308073f; 6.20142746f; 9.42556763f ], 9.52465343f
      "layer.kernel.B", [ 1L; 4L; 8L; 2L ], 6.0, [ 0.95039022f; -0.0851982981f; 0.954375327f; 0.0274002794f ], -0.0287306067f
      "layer.kernel.P", [ 1L; 4L; 8L; 2L ], 6.0, [ 0.311394513f; -0.109701812f; -0.435943782f; 0.176894784f ], -0.147621214f
      "stages.0.0.attn_last.conv.weight", [ 1L; 1L; 5L ], 6.0, [ 0.556010187f; -0.212317362f; -0.324160904f; -0.170482948f ], 0.103925645f ]

let private fill =
    testList "fill" [
        for name, hash, values in vectors do
            test $"the sequence named '{name}' has the published hash, bits and values" {
                Expect.equal (Fill.Hash name) hash "hash"
                for index, bits, value in values do
                    Expect.equal (Fill.Bits(hash, index)) bits $"bits at {index}"
                    Expect.equal (Fill.Value(hash, index)) value $"value at {index}"
            }
        for key, shape, g4, first, last in parameters do
            test $"the parameter {key} holds the published values" {
                let values = nonNull (Fill.Parameter(key, List.toArray shape, g4))
                Expect.equal values.LongLength (List.reduce (*) shape) "count"
                Expect.equal (List.ofArray values[..3]) first "first four"
                Expect.equal values[values.Length - 1] last "last"
            }
        test "a module prefix does not change a parameter, a seed does" {
            let plain = Fill.Parameter("bn1.bias", [| 8L |])
            Expect.equal (Fill.Parameter("module.bn1.bias", [| 8L |])) plain "with module."
            Expect.notEqual (Fill.Parameter("bn1.bias", [| 8L |], seed = "h/")) plain "with a seed"
        }
        test "counters are zero and what the constructor sets is left alone" {
            Expect.equal (Fill.Parameter("bn1.num_batches_tracked", [||])) [| 0.0f |] "counter"
            Expect.isNull (Fill.Parameter("layer.kernel.l_kernel", [||])) "l_kernel"
        }
        test "a scalar that no rule covers is refused by name" {
            Expect.throwsC (fun () -> Fill.Parameter("temperature", [||]) |> ignore) (fun e -> Expect.stringContains e.Message "temperature" "message")
        } ]

let private folder =
    match Folders.Reference with
    | null -> failwith "There is no folder with reference files: set BIRD_REFERENCE, or run inside a checkout."
    | folder -> folder

let private files =
    [ for path in Directory.EnumerateFiles(folder, "*.json", SearchOption.AllDirectories) -> Path.GetRelativePath(folder, path).Replace('\\', '/') ]
    |> List.sort

let private oracles =
    testList "oracles" [
        for file in files do
            test $"{file} agrees in every precision" {
                let result = ReferenceChecks.CheckFile(folder, file)
                let failures = result.Findings |> Seq.filter (fun f -> not f.Passed) |> Seq.truncate 5 |> Seq.map string
                Expect.isTrue result.Passed (String.concat "\n" (Seq.append [ string result ] failures))
            } ]

/// Runs the check on a folder that holds one file with that text.
let private checkText (name: string) (text: string) =
    let folder = Directory.CreateTempSubdirectory "bird-reference-"
    try
        File.WriteAllText(Path.Combine(folder.FullName, name), text)
        ReferenceChecks.CheckFolder folder.FullName |> Seq.exactlyOne
    finally
        folder.Delete true

let private b0 = Path.Combine(Folders.Root, "tests", "BirdResearch.Tests", "oracles", "timm", "tf_efficientnet_b0.eval_131x157.json")

/// The text of a JSON file with the value at one place replaced; numbers in the path index arrays.
let private replace (path: string list) (json: string) (text: string) =
    let value = JsonNode.Parse json
    let rec change (node: JsonNode) (path: string list) =
        match node, path with
        | :? JsonArray as items, [ last ] -> items[int last] <- value
        | :? JsonArray as items, first :: rest -> change (nonNull items[int first]) rest
        | _, [ last ] -> node[last] <- value
        | _, first :: rest -> change (nonNull node[first]) rest
        | _, [] -> ()
    let root = nonNull (JsonNode.Parse text)
    change root path
    root.ToJsonString()

let private judgement =
    testList "judgement" [
        test "text that is not JSON is a failure that names the file" {
            let result = checkText "broken.json" "{ \"model\": "
            Expect.isFalse result.Passed "passed"
            Expect.stringContains (string result) "broken.json" "line"
        }
        test "JSON of no known kind is a failure that says so" {
            for text in [ "{}"; "[]"; "3"; "{\"case\": \"violin\"}" ] do
                let result = checkText "violin.json" text
                Expect.isFalse result.Passed text
                Expect.stringContains (string result) "no kind knows it" text
        }
        test "a timm file without its parts is a failure, not an exception" {
            let result = checkText "half.json" "{\"model\": \"tf_efficientnet_b0\", \"create\": {}, \"state_dict\": [], \"logits\": []}"
            Expect.isFalse result.Passed "passed"
            Expect.equal result.Kind "timm" "kind"
            Expect.isNotNull result.Problem "problem"
        }
        test "a timm model outside the catalogue is a failure that names it" {
            let result = checkText "other.json" "{\"model\": \"resnet_of_tomorrow\", \"create\": {}, \"state_dict\": [], \"logits\": []}"
            Expect.isFalse result.Passed "passed"
            Expect.stringContains (string result) "'resnet_of_tomorrow' is not in the catalogue" "line"
        }
        test "one wrong digit in a logit, a gradient, a feature, a shape or a key fails the file" {
            for what, place, value in
                [ "logits", [ "logits"; "3" ], "0.123456789"
                  "grad conv_stem.weight", [ "grads"; "1"; "l2" ], "3.14"
                  "grad <input>", [ "grads"; "0"; "shape"; "3" ], "156"
                  "blocks.0", [ "features"; "3"; "mean" ], "0.0133257"
                  "state_dict[0]", [ "state_dict"; "0"; "0" ], "\"conv_stem.weights\"" ] do
                let result = checkText "spoilt.json" (replace place value (File.ReadAllText b0))
                let failed = result.Findings |> Seq.filter (fun f -> not f.Passed) |> Seq.map _.What |> List.ofSeq
                Expect.isFalse result.Passed what
                Expect.isTrue (failed |> List.forall (fun w -> w.StartsWith what)) $"{what}: {failed}"
        }
        test "a folder that does not exist is refused by name" {
            Expect.throwsC (fun () -> ReferenceChecks.CheckFolder "no/such/folder" |> ignore) (fun e -> Expect.stringContains e.Message "no/such/folder" "message")
        }
        test "no finding passes with an error that is not a number" {
            Expect.isFalse (ReferenceFinding("logits", "float64", nan, 1.0)).Passed "NaN"
        } ]

let tests = testList "Reference" [ fill; testSequencedGroup "torch" (testList "files" [ oracles; judgement ]) ]
