module BirdResearch.Tests.ArchitectureTests

open System.IO
open System.Text.RegularExpressions
open Expecto
open BirdResearch.Data

/// Each floor of the core and the floors that it may use. A new floor is one line.
let private floors =
    [ "Files", []
      "Naming", []
      "Claims", []
      "Audio", [ "Files" ]
      "Metrics", []
      "Kernels", []
      "Data", [ "Audio"; "Metrics"; "Naming"; "Claims"; "Files" ]
      "Inference", [ "Data"; "Audio"; "Metrics"; "Naming"; "Files" ]
      "Features", [ "Kernels"; "Data"; "Naming" ]
      "Models", [ "Kernels"; "Naming"; "Files" ]
      "Export", [ "Models"; "Features"; "Kernels"; "Inference"; "Data"; "Naming"; "Files" ]
      "Training", [ "Models"; "Features"; "Kernels"; "Data"; "Audio"; "Metrics"; "Naming" ]
      "Experiments", [ "Training"; "Export"; "Inference"; "Models"; "Features"; "Kernels"; "Data"; "Audio"; "Metrics"; "Naming"; "Claims"; "Files" ]
      "Reference", [ "Models"; "Features"; "Kernels"; "Data"; "Metrics"; "Naming" ] ]

/// Floors that run where torch is not.
let private withoutTorch = [ "Files"; "Naming"; "Claims"; "Audio"; "Metrics"; "Data"; "Inference" ]

let private core = Path.Combine(Folders.Root, "src", "BirdResearch.Core")

/// Floor, path and text of every source file of the core.
let private sources =
    [ for path in Directory.EnumerateFiles(core, "*.cs", SearchOption.AllDirectories) do
        let relative = Path.GetRelativePath(core, path).Replace('\\', '/')
        let floor = relative.Split('/')[0]
        if floor <> "bin" && floor <> "obj" then floor, relative, File.ReadAllText path ]

/// Floors that a text names with the root namespace, in a using line or elsewhere.
let private usedBy (text: string) =
    [ for hit in Regex.Matches(text, @"(?<!namespace )\bBirdResearch\.([A-Z]\w*)") -> hit.Groups[1].Value ]
    |> List.distinct
    |> List.filter (fun name -> Directory.Exists(Path.Combine(core, name)))

let private violations =
    [ for floor, path, text in sources do
        match List.tryFind (fun (name, _) -> name = floor) floors with
        | None -> $"{path} is on no floor of the table"
        | Some(_, allowed) ->
            for used in usedBy text do
                if used <> floor && not (List.contains used allowed) then $"{path} uses {used}, which {floor} may not"
        if List.contains floor withoutTorch && text.Contains "TorchSharp" then $"{path} uses torch, which {floor} may not"
        if not (Regex.IsMatch(text, $@"^namespace BirdResearch\.{floor}\b", RegexOptions.Multiline)) then $"{path} is not in the namespace of its folder" ]

let tests =
    testList "Architecture" [
        test "every floor of the core uses only floors below it" {
            Expect.isGreaterThan sources.Length 20 "source files found"
            Expect.isEmpty violations (String.concat "\n" violations)
        }
        test "the table of floors has no circle" {
            let rec reach seen floor =
                if List.contains floor seen then failwith $"{floor} reaches itself: {seen}"
                floors |> List.tryFind (fun (name, _) -> name = floor) |> Option.iter (snd >> List.iter (reach (floor :: seen)))
            floors |> List.iter (fst >> reach [])
        }
        test "no folder or type is called by a word that says nothing" {
            let empty = Regex(@"\b(?:class|record|struct|interface|enum)\s+(?:struct\s+)?\w*(?:Utils?|Helpers?|Manager|Common|Misc|Service)\b")
            let found = [ for _, path, text in sources do for hit in empty.Matches text -> $"{path}: {hit.Value}" ]
            Expect.isEmpty found (String.concat "\n" found)
        } ]
