/// The five notebooks as a reader runs them, by Jupyter's own client on our kernel, on a world of a few seconds.
module BirdResearch.Tests.FiveNotebooksTests

open System
open System.IO
open System.Threading
open BirdResearch.Analysis
open BirdResearch.Data
open BirdResearch.Notebooks.Display
open BirdResearch.Notebooks.Documents
open Expecto

let private scratch name = Scratch.folder $"five-{name}"

let private world =
    lazy
        (let folder = scratch "world"
         let settings =
             SyntheticBirdsSettings(Species = 3, RecordingsPerSpecies = 8, Soundscapes = 2, SoundscapeSeconds = 15, UnlabelledSoundscapes = 2)
         SyntheticBirds.Write(folder, settings, null, CancellationToken.None) |> ignore
         folder)

/// A notebook, its parameters beside the data, the ablation that it trains and how many runs that has.
let private five =
    [ "01-listen", [], None
      "02-front-ends", [ "budget=8 clips"; "seeds=1" ], Some("notebook-front-ends", 6)
      "03-models", [ "budget=8 clips"; "seeds=1"; "models=linear,mlp,tsresnet18" ], Some("notebook-models", 3)
      "04-domain-shift", [ "budget=8 clips"; "seeds=1" ], Some("notebook-domain-shift", 5)
      "05-ensemble-and-submit", [ "budget=8 clips"; "models=linear,mobilenetv3_small_100" ], Some("notebook-ensemble", 2) ]

let private shown (notebook: Notebook) =
    [ for cell in notebook.Cells do
          for output in cell.Outputs -> (nonNull output).ToJsonString() ]

/// The plain text of everything shown: tables have their numbers there, charts only say what they are.
let private texts (notebook: Notebook) =
    [ for cell in notebook.Cells do
          for output in cell.Outputs do
              match (nonNull output)["data"] with
              | null -> ()
              | data -> match IpynbFile.TextOf(data["text/plain"]) with | null -> () | text -> text ]

let tests =
    testSequenced
    <| testList "Five notebooks" [
        for name, parameters, ablation in five do
            test $"nbclient executes {name}, and the figures that it shows are those of the run store" {
                let results = scratch "results"
                let source, copy = Path.Combine(scratch "given", name + ".ipynb"), Path.Combine(scratch "executed", name + ".ipynb")
                let notebook = Notebook.Open(Path.Combine(Folders.Root, "notebooks", name + ".ipynb"))
                NotebookParameters.Inject(notebook, [| $"data={world.Value}"; yield! parameters |])
                notebook.Write source
                KernelProcessTests.runScript results "execute.py" [ source; copy ] |> ignore

                let executed = Notebook.Open copy
                let code = executed.Cells |> Seq.filter _.IsCode |> List.ofSeq
                Expect.equal [ for cell in code -> cell.Count.GetValueOrDefault() ] [ 1 .. code.Length ] "counts"
                let shown = shown executed
                Expect.isFalse (shown |> List.exists _.Contains("\"output_type\":\"error\"")) "no error"
                match ablation with
                | None -> Expect.isTrue (shown |> List.exists _.Contains("audio/wav")) "sound"
                | Some(ablation, count) ->
                    let set = Runs.load (Path.Combine(results, ablation))
                    Expect.equal set.Runs.Length count "every run is in the store"
                    let texts = texts executed
                    for run in set.Runs do
                        let map = run.Record.Scores["focal"].Map.Value
                        let figures = [ Values.Number map; Values.Number(Math.Round(map, 4)) ]
                        Expect.isTrue (texts |> List.exists (fun text -> figures |> List.exists text.Contains)) $"{run.Name}: {map}"
            }
    ]
