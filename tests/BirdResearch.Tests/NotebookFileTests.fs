module BirdResearch.Tests.NotebookFileTests

open System
open System.Collections.Generic
open System.IO
open System.Text.Json.Nodes
open System.Text.RegularExpressions
open System.Threading
open System.Threading.Tasks
open BirdResearch.Notebooks.Cells
open BirdResearch.Notebooks.Display
open BirdResearch.Notebooks.Documents
open BirdResearch.Tests.SmallData
open Expecto
open Plotly.NET

/// A session that knows a few words: "fail" throws, "wait" runs until it is stopped, "print" writes, "show" displays, "update" changes what was shown,
/// a number is a value. It notes what it was given.
type private Spoken(given: List<CellRequest>) =
    interface INotebookSession with
        member _.Language = "csharp"

        member _.Run(request, output, cancellation) =
            task {
                given.Add request
                let mutable reply = CellReply()
                for word in request.Code.Split([| ' '; '\n' |], StringSplitOptions.RemoveEmptyEntries) do
                    match word with
                    | "fail" -> reply <- CellReply(Error = CellError("Broken", "it broke", [| "Cell, line 1" |]))
                    | "wait" ->
                        try do! Task.Delay(Timeout.Infinite, cancellation)
                        with :? OperationCanceledException -> reply <- CellReply(Error = CellError(CellError.Interrupted, "stopped", [||]))
                    | "print" -> output.Stream("stdout", "one\n"); output.Stream("stdout", "two\n"); output.Stream("stderr", "oh\n")
                    | "show" -> output.Display(MimeBundle.Plain "first", "id")
                    | "update" -> output.Update("id", MimeBundle.Plain "second")
                    | "clear" -> output.Clear true
                    | "chart" -> reply <- CellReply(Formatters.Of(Chart.Line(x = [ 1; 2 ], y = [ 3; 4 ])))
                    | "hostile" -> reply <- CellReply(MimeBundle.Plain "<img src=x onerror=alert(1)>")
                    | word when Char.IsDigit word[0] -> reply <- CellReply(MimeBundle.Plain word)
                    | _ -> ()
                return reply
            }

        member _.Complete(_, _, _) = raise (NotSupportedException())
        member _.Inspect(_, _, _) = raise (NotSupportedException())
        member _.IsComplete _ = Completeness.Complete
        member _.Evaluate _ = raise (NotSupportedException())
        member _.Force() = ()
        member _.Dispose() = ()

let private cellsOf (cells: (string * string) list) = Notebook [ for kind, source in cells -> NotebookCell(kind, source) ]

let private runWith (configure: (string -> INotebookSession) -> NotebookRunner) (notebook: Notebook) (path: string | null) =
    let given = List<CellRequest>()
    let runner = configure (fun _ -> new Spoken(given))
    runner.Run(notebook, path).GetAwaiter().GetResult(), List.ofSeq given

let private run notebook path = runWith (fun start -> NotebookRunner start) notebook path
let private outputs (cell: NotebookCell) = [ for output in cell.Outputs -> (output |> nonNull).AsObject() ]

/// As Jupyter lays a file out.
let private jupyters =
    """{
 "cells": [
  {
   "cell_type": "markdown",
   "id": "aa11",
   "metadata": {},
   "source": [
    "# Élan & <b> \"quoted\" 🐦\n",
    "text"
   ]
  },
  {
   "cell_type": "code",
   "execution_count": 1,
   "id": "bb22",
   "metadata": {
    "dotnet_interactive": {
     "language": "fsharp"
    },
    "polyglot_notebook": {
     "kernelName": "fsharp"
    },
    "tags": [
     "parameters"
    ]
   },
   "outputs": [
    {
     "data": {
      "text/plain": [
       "1.50"
      ]
     },
     "execution_count": 1,
     "metadata": {},
     "output_type": "execute_result"
    },
    {
     "name": "stdout",
     "output_type": "stream",
     "text": [
      "a\tb\\c\u001b\n"
     ]
    }
   ],
   "source": []
  }
 ],
 "metadata": {
  "kernelspec": {
   "display_name": "C# (BirdResearch)",
   "language": "C#",
   "name": "birdresearch-csharp"
  },
  "number": 1.50
 },
 "nbformat": 4,
 "nbformat_minor": 5
}
"""

let private errorOf (work: unit -> unit) = Expect.throwsC work _.Message

let private files =
    testList "of the file" [
        test "what Jupyter wrote is written back byte for byte" {
            Expect.equal (IpynbFile.Written(IpynbFile.Read(jupyters, "a.ipynb"))) jupyters "the same text"
        }

        test "cells of 4.0 have text by whole strings and no names; they get names that stay the same" {
            let old = """{"cells": [{"cell_type": "code", "source": "1\n2", "metadata": {}, "outputs": [], "execution_count": null}, {"cell_type": "code", "source": "1\n2", "metadata": {}, "outputs": []}], "metadata": {}, "nbformat": 4, "nbformat_minor": 0}"""
            let once = IpynbFile.Written(IpynbFile.Read(old, "a.ipynb"))
            Expect.equal (IpynbFile.Written(IpynbFile.Read(old, "a.ipynb"))) once "the same names"
            Expect.equal (IpynbFile.Written(IpynbFile.Read(once, "a.ipynb"))) once "kept"
            let ids = [ for cell in (IpynbFile.Read(once, "a.ipynb")).Cells -> cell.Id ]
            Expect.equal (List.distinct ids).Length 2 "each its own"
            Expect.stringContains once "    \"1\\n\",\n    \"2\"" "by lines"
        }

        test "a cell's language is read from each of the places that editors wrote it to" {
            for metadata, wanted in
                [ """{"polyglot_notebook": {"kernelName": "fsharp"}}""", "fsharp"
                  """{"dotnet_interactive": {"language": "csharp"}, "vscode": {"languageId": "polyglot-notebook"}}""", "csharp"
                  """{"vscode": {"languageId": "fsharp"}}""", "fsharp" ] do
                let file = $"""{{"cells": [{{"cell_type": "code", "source": "1", "metadata": {metadata}, "outputs": []}}], "metadata": {{}}, "nbformat": 4}}"""
                Expect.equal (IpynbFile.Read(file, "a.ipynb")).Cells[0].Language wanted metadata
        }

        test "a notebook's own language is that of its kernel" {
            for metadata, wanted in
                [ """{"kernelspec": {"name": "birdresearch-fsharp", "language": "F#"}}""", "fsharp"
                  """{"kernelspec": {"name": ".net-csharp", "language": "C#"}}""", "csharp"
                  """{"language_info": {"name": "polyglot-notebook"}, "polyglot_notebook": {"kernelInfo": {"defaultKernelName": "fsharp"}}}""", "fsharp"
                  "{}", "csharp" ] do
                Expect.equal (IpynbFile.Read($"""{{"cells": [], "metadata": {metadata}, "nbformat": 4}}""", "a.ipynb")).Language wanted metadata
        }

        for text, part in
            [ "", "is not a notebook"
              "[]", "is not a notebook"
              "{\"nbformat\": 4, \"nbformat\": 4}", "is not a notebook"
              "{}", "nbformat"
              """{"nbformat": 3, "worksheets": []}""", "notebook format 3"
              """{"nbformat": 4}""", "'cells'"
              """{"nbformat": 4, "cells": [1]}""", "cell 1"
              """{"nbformat": 4, "cells": [{"cell_type": "sql", "source": ""}]}""", "'sql'"
              """{"nbformat": 4, "cells": [{"cell_type": "code", "source": {"a": 1}}]}""", "cell 1" ] do
            test $"a file that is none is refused by its name and what is wrong: {text}" {
                let message = errorOf (fun () -> IpynbFile.Read(text, "odd.ipynb") |> ignore)
                Expect.stringContains message "odd.ipynb" "its name"
                Expect.stringContains message part "what is wrong"
            }

        test "a .dib is read with its languages, and another language is refused by its line" {
            let text = "let a = 1\n\n#!meta\n\n{\"kernelInfo\":{\"defaultKernelName\":\"fsharp\"}}\n\n#!csharp\n\nvar b = 2;\n\n#!markdown\n\n# Heading\n\n#!fsharp\n#!share --from csharp b\nb\n"
            let notebook = DibFile.Read(text, "a.dib")
            Expect.equal [ for cell in notebook.Cells -> cell.Kind, string cell.Language, cell.Source ]
                [ "code", "fsharp", "let a = 1"; "code", "csharp", "var b = 2;"; "markdown", "", "# Heading"; "code", "fsharp", "#!share --from csharp b\nb" ] "its cells"
            Expect.equal notebook.Language "fsharp" "its own language"
            Expect.equal notebook.Title "Heading" "its title"
            Expect.stringContains (errorOf (fun () -> DibFile.Read("#!csharp\n1\n#!sql\nselect", "b.dib") |> ignore)) "line 3" "where"
        }

        test "a file of another kind, or none, is refused" {
            Expect.stringContains (errorOf (fun () -> Notebook.Open "nowhere.ipynb" |> ignore)) "nowhere.ipynb" "none"
            use folder = new Scratch()
            folder.Text("a.txt", [ "x" ])
            Expect.stringContains (errorOf (fun () -> Notebook.Open(folder.Path "a.txt") |> ignore)) ".ipynb or .dib" "which there are"
        } ]

let private parameters =
    let notebook language source =
        let metadata = JsonNode.Parse("""{"tags": ["parameters"]}""") |> nonNull
        let notebook = Notebook([ NotebookCell("markdown", "# A"); NotebookCell("code", source, Metadata = metadata.AsObject()); NotebookCell("code", "data") ], Metadata = JsonObject())
        if language = "fsharp" then notebook.Metadata["kernelspec"] <- (JsonNode.Parse """{"language": "F#"}""")
        notebook

    let csharp = "var data = \"synthetic-birds\"; // a name or a folder\nint seeds = 2;\nvar share = 0.5;\nvar quick = true;"
    let injected (values: string list) (notebook: Notebook) =
        NotebookParameters.Inject(notebook, List.toArray values)
        (notebook.Cells |> Seq.find (fun cell -> Seq.contains "injected-parameters" cell.Tags)).Source

    testList "of parameters" [
        test "names and values are read from the cell with the tag, in both languages" {
            let read language source = [ for pair in NotebookParameters.Of(notebook language source) -> pair.Key, pair.Value ]
            Expect.equal (read "csharp" csharp) [ "data", "\"synthetic-birds\""; "seeds", "2"; "share", "0.5"; "quick", "true" ] "C#"
            Expect.equal (read "fsharp" "let data = \"birds\"\nlet seeds: int = 2\n") [ "data", "\"birds\""; "seeds", "2" ] "F#"
        }

        test "other values stand in a cell behind, in its language and of the kind of the value before" {
            Expect.equal (injected [ "data=my \"birds\""; "seeds=3"; "share=1"; "quick=false" ] (notebook "csharp" csharp))
                "// Parameters\nvar data = \"my \\\"birds\\\"\";\nvar seeds = 3;\nvar share = 1.0;\nvar quick = false;" "C#"
            Expect.equal (injected [ "data=7"; "seeds=3" ] (notebook "csharp" ("#!fsharp\nlet data = \"birds\"\nlet seeds = 2"))) "#!fsharp\n// Parameters\nlet data = \"7\"\nlet seeds = 3" "F# by its magic"
            Expect.equal (injected [ "seeds=3" ] (notebook "fsharp" "let seeds = 2")) "// Parameters\nlet seeds = 3" "F# by its kernel"
        }

        test "injecting again replaces the cell" {
            let twice = notebook "csharp" csharp
            injected [ "seeds=3" ] twice |> ignore
            Expect.equal (injected [ "seeds=4" ] twice) "// Parameters\nvar seeds = 4;" "the later one"
            Expect.equal twice.Cells.Count 4 "one more cell"
            Expect.equal (List.ofSeq twice.Cells[2].Tags) [ "injected-parameters" ] "behind the parameters"
        }

        test "an unknown name, a value of another kind and a notebook without parameters are refused" {
            let refused (values: string list) (notebook: Notebook) = errorOf (fun () -> NotebookParameters.Inject(notebook, List.toArray values))
            Expect.stringContains (refused [ "seed=1" ] (notebook "csharp" csharp)) "seeds" "names the known ones"
            Expect.stringContains (refused [ "seeds=many" ] (notebook "csharp" csharp)) "a number" "what was expected"
            Expect.stringContains (refused [ "seeds" ] (notebook "csharp" csharp)) "name=value" "how it is written"
            Expect.stringContains (refused [ "a=1" ] (cellsOf [ "code", "1" ])) "'parameters'" "no such cell"
        } ]

let private running =
    testList "of running" [
        test "cells are counted from 1 and keep what they showed" {
            let run, given = run (cellsOf [ "markdown", "# T"; "code", "print show"; "code", "   "; "code", "update 42" ]) null
            let cells = run.Notebook.Cells
            Expect.isTrue run.IsWhole "every cell"
            Expect.equal [ for cell in cells -> cell.Count.GetValueOrDefault() ] [ 0; 1; 0; 2 ] "counts"
            Expect.equal [ for request in given -> request.Count ] [ 1; 2 ] "as the session hears them"
            let shown = outputs cells[1]
            Expect.equal [ for output in shown -> string output["output_type"] ] [ "stream"; "stream"; "display_data" ] "in order, streams joined"
            Expect.equal ((shown[0]["text"] |> nonNull).ToJsonString()) """["one\n","two\n"]""" "by lines"
            Expect.equal (((shown[2]["data"] |> nonNull).["text/plain"] |> nonNull).ToJsonString()) "[\"first\"]" "as it was when the cell ended"
            Expect.equal (string (outputs cells[3] |> List.last).["execution_count"]) "2" "the value's count"
        }

        test "clearing removes what was shown when the next thing comes" {
            let run, _ = run (cellsOf [ "code", "print clear show" ]) null
            Expect.equal [ for output in outputs run.Notebook.Cells[0] -> string output["output_type"] ] [ "display_data" ] "the rest is gone"
        }

        test "a failing cell ends the run, and the copy holds what was reached" {
            use folder = new Scratch()
            let path = folder.Path "copy.ipynb"
            let run, given = run (cellsOf [ "code", "1"; "code", "print fail"; "code", "3" ]) path
            Expect.equal (run.FailedCell, given.Length, run.Path) (2, 2, path) "the second, and no further"
            let copy = Notebook.Open path
            Expect.equal [ for cell in copy.Cells -> cell.Count.GetValueOrDefault() ] [ 1; 2; 0 ] "as far as it came"
            Expect.equal (string (outputs copy.Cells[1] |> List.last).["ename"]) "Broken" "with the error"
            Expect.equal (Directory.GetFiles(folder.Root).Length) 1 "nothing beside"
        }

        test "a failing run leaves the notebook that it was to replace as it was" {
            use folder = new Scratch()
            let path = folder.Path "own.ipynb"
            (cellsOf [ "code", "fail" ]).Write path
            let before = File.ReadAllText path
            let run, _ = run (Notebook.Open path) path
            Expect.equal (File.ReadAllText path) before "unchanged"
            Expect.equal run.Path (folder.Path "own.partial.ipynb") "the copy lies beside"
        }

        test "a cell that runs too long is stopped and named so" {
            let run, _ = runWith (fun start -> NotebookRunner(start, Timeout = Nullable(TimeSpan.FromMilliseconds 50.0))) (cellsOf [ "code", "wait" ]) null
            Expect.equal (run.Error |> nonNull).Name NotebookRunner.TimedOut "not an interrupt"
        }

        test "a cell in a language that is not ours fails before it is run" {
            let metadata = JsonNode.Parse("""{"polyglot_notebook": {"kernelName": "sql"}}""") |> nonNull
            let run, given = run (Notebook [ NotebookCell("code", "select", Metadata = metadata.AsObject()) ]) null
            Expect.stringContains (run.Error |> nonNull).Message "'sql'" "says which"
            Expect.isEmpty given "not run"
        }

        test "the copy is rewritten to the same bytes when nothing changed" {
            use folder = new Scratch()
            let path = folder.Path "copy.ipynb"
            let once () = run (cellsOf [ "markdown", "# T"; "code", "print 5"; "code", "chart"; "code", "chart" ]) path |> ignore; File.ReadAllText path
            let copy = once ()
            Expect.equal (once ()) copy "twice the same"
            Expect.equal (Regex.Matches(copy, "DecompressionStream").Count) 1 "plotly.js once in each file"
        } ]

/// Every address that the page would load.
let private loads (page: string) =
    [ for found in Regex.Matches(page, "(?:src|href|data|poster|action)\s*=\s*[\"']([^\"']*)[\"']", RegexOptions.IgnoreCase) -> found.Groups[1].Value ]

let private withoutScripts (page: string) = Regex.Replace(page, "<script.*?</script>", "", RegexOptions.Singleline)

let private pages =
    testList "of pages" [
        test "a page loads nothing from elsewhere, is titled by the first heading, and shows no one's HTML but a cell's own" {
            use folder = new Scratch()
            File.WriteAllBytes(folder.Path "a.png", [| 1uy; 2uy |])
            let hostile = "# Birds & <i>more</i>\n\n<script>alert(1)</script> [x](javascript:alert(1)) [y](https://example.org) ![z](https://example.org/a.png) ![own](a.png)\n\n<img src=x onerror=alert(2)>"
            let run, _ = run (cellsOf [ "markdown", hostile; "code", "hostile // </code><b>"; "code", "chart"; "code", "chart"; "code", "print" ]) null
            let page = NotebookPage.Of(run.Notebook, folder.Root, "a.ipynb")
            let shown = withoutScripts page
            Expect.stringContains page "<title>Birds &amp; &lt;i&gt;more&lt;/i&gt;</title>" "its title"
            Expect.stringContains page "default-src 'none'" "a policy that forbids loads"
            Expect.isFalse (shown.Contains "<script") "no script from text"
            Expect.isFalse (Regex.IsMatch(shown, "<img[^>]*onerror")) "no handler"
            Expect.isFalse (page.Contains "href=\"javascript") "no script in a link"
            for address in loads shown do
                Expect.isTrue (address.StartsWith "data:" || address = "" || address = "#" || address = "https://example.org") $"'{address}' is no load"
            Expect.stringContains shown "data:image/png;base64,AQI=" "its own picture is inside"
            Expect.equal (Regex.Matches(page, "plotly.js v").Count) 1 "plotly.js once"
            Expect.equal (Regex.Matches(page, "class=\"chart\"").Count) 2 "two charts"
            Expect.isLessThan page.Length 6_000_000 "as large as plotly.js"
        }

        test "a page without charts carries no plotly.js" {
            let run, _ = run (cellsOf [ "code", "1" ]) null
            Expect.isLessThan (NotebookPage.Of(run.Notebook, ".", "a.ipynb")).Length 10_000 "small"
        }

        test "still pictures take the place of the charts' HTML" {
            let run, _ = run (cellsOf [ "code", "chart"; "code", "1"; "code", "chart" ]) null
            Expect.stringContains (StaticCharts.Page run.Notebook |> nonNull) "data-name=\"1\"" "two figures to draw"
            StaticCharts.Add(run.Notebook, [| [| 1uy |]; [| 2uy |] |])
            let data = [ for cell in run.Notebook.Cells do for output in outputs cell -> ((output["data"] |> nonNull).AsObject()) ]
            Expect.equal [ for forms in data -> string forms["image/png"] ] [ "AQ=="; ""; "Ag==" ] "in order"
            Expect.isFalse (data[0].ContainsKey "text/html") "GitHub would show it first"
            Expect.isTrue (data[0].ContainsKey MimeBundle.PlotlyType) "editors still draw it"
            Expect.isNull (StaticCharts.Page(cellsOf [ "code", "1" ])) "none to draw"
        } ]

let private five = [ "01-listen"; "02-front-ends"; "03-models"; "04-domain-shift"; "05-ensemble-and-submit" ]
let private placeOf (name: string) = Path.Combine(BirdResearch.Data.Folders.Root, "notebooks", name + ".ipynb")

let private repository =
    testList "of the repository" [
        for name in five do
            test $"{name} is thin, was executed from 1 on without an error, and names no place of a machine" {
                let file = File.ReadAllText(placeOf name)
                let notebook = Notebook.Open(placeOf name)
                Expect.equal (IpynbFile.Written notebook) file "laid out as Jupyter does it"
                Expect.isLessThan file.Length 1_500_000 "small enough to read on GitHub"
                let code = notebook.Cells |> Seq.filter _.IsCode |> List.ofSeq
                for cell in code do
                    let lines = cell.Source.Split '\n' |> Array.filter (fun line -> line.Trim() <> "" && not (line.StartsWith "#!"))
                    Expect.isLessThanOrEqual lines.Length 8 $"a thin cell: {cell.Source}"
                    for output in outputs cell do
                        Expect.notEqual (string output["output_type"]) "error" "no error"
                        Expect.isFalse ((string output["output_type"]) = "stream" && string output["name"] = "stderr") "nothing on stderr"
                Expect.equal [ for cell in code -> cell.Count.GetValueOrDefault() ] [ 1 .. code.Length ] "counts"
                Expect.containsAll (NotebookParameters.Of notebook).Keys [ "data" ] "the data set is a parameter"
                Expect.isFalse (Regex.IsMatch(file, "/tmp/|/home/|/root/|/work/|[A-Z]:\\\\\\\\")) "no absolute path"
                let hasChart = Regex.IsMatch(file, "vnd.plotly")
                Expect.isTrue (not hasChart || file.Contains "image/png") "pictures that GitHub draws"
                Expect.isFalse (hasChart && file.Contains "DecompressionStream") "no plotly.js in the file"
                Expect.isNonEmpty (string notebook.Title) "a title"
                Expect.isTrue (code |> List.exists (fun cell -> cell.Language = "fsharp") || name.StartsWith "05") "both languages where natural"
            }
    ]

/// bird notebook run with its own results.
let private birdRun (folder: Scratch) (args: string list) = CliTests.start (folder.Path "results") ([ "notebook"; "run" ] @ args) |> CliTests.finish

let private commandLine =
    testSequenced <| testList "by the command line" [
        test "a failing cell ends with a code other than zero, its number, its text and the message; the copy and the page hold what was reached" {
            use folder = new Scratch()
            folder.Text("a.dib", [ "#!csharp"; "var data = \"birds\";"; "#!fsharp"; "let x = List.sum [ 40; 2 ]"; "x"; "#!csharp"; "throw new InvalidOperationException(\"too many owls\");"; "#!csharp"; "1" ])
            let code, output, error = birdRun folder [ folder.Path "a.dib"; "-o"; folder.Path "b.ipynb"; "--html" ]
            Expect.notEqual code 0 "exit code"
            for part in [ "a.dib: cell 3"; "InvalidOperationException"; "too many owls"; "throw new" ] do Expect.stringContains error part "the message"
            Expect.stringContains output "[2/4] let x" "progress"
            let copy = Notebook.Open(folder.Path "b.ipynb")
            Expect.equal [ for cell in copy.Cells -> cell.Count.GetValueOrDefault() ] [ 1; 2; 3; 0 ] "as far as it came"
            Expect.stringContains (copy.Cells[1].Outputs.ToJsonString()) "42" "the value of the F# cell"
            Expect.stringContains (File.ReadAllText(folder.Path "b.html")) "too many owls" "the page tells it"
        }

        test "what cells print is heard while they run, however much it is, and a cell imports another notebook's cells" {
            use folder = new Scratch()
            folder.Text("owls.dib", [ "#!fsharp"; "let owls = 7" ])
            folder.Text("a.dib", [ "#!fsharp"; "#!import owls.dib"; "for line in 1 .. 50_000 do printfn \"line %d of %d owls\" line owls"; "#!csharp"; "for (var i = 0; i < 50_000; i++) Console.WriteLine($\"row {i}\");" ])
            let code, output, error = birdRun folder [ folder.Path "a.dib" ]
            Expect.equal code 0 error
            Expect.equal (Regex.Matches(output, "(?m)^line [0-9]+ of 7 owls\r?$").Count, Regex.Matches(output, "(?m)^row [0-9]+\r?$").Count) (50_000, 50_000) "every line"
        }

        test "an unknown parameter, a bad ending and a foreign file are one message and no trace" {
            use folder = new Scratch()
            folder.Text("a.ipynb", [ "{}" ])
            File.Copy(placeOf "03-models", folder.Path "c.ipynb")
            for args, part in
                [ [ folder.Path "a.ipynb" ], "nbformat"
                  [ folder.Path "c.ipynb"; "-p"; "seed=1" ], "seeds"
                  [ folder.Path "c.ipynb"; "-o"; "x.txt" ], ".ipynb"
                  [ folder.Path "none.ipynb" ], "none.ipynb" ] do
                let code, _, error = birdRun folder args
                Expect.notEqual code 0 $"exit code of {args}"
                Expect.stringContains error part "the message"
                Expect.isFalse (error.Contains "   at ") "no trace"
        }

        test "03-models on tiny data shows the figures of the run store, and the page draws them" {
            use folder = new Scratch()
            TinyBirds.write (folder.Path "birds")
            let birds = folder.Path "birds"
            let args = [ placeOf "03-models"; "-p"; $"data={birds}"; "-p"; "budget=8 clips"; "-p"; "models=linear,mlp"; "-o"; folder.Path "copy.ipynb"; "--html" ]
            let code, _, error = birdRun folder args
            Expect.equal code 0 error
            let copy = Notebook.Open(folder.Path "copy.ipynb")
            let table = copy.Cells |> Seq.collect outputs |> Seq.map (fun output -> output.ToJsonString()) |> Seq.find (fun text -> text.Contains "execute_result" && text.Contains "training (s)")
            let set = BirdResearch.Analysis.Runs.load (folder.Path(Path.Combine("results", "notebook-models")))
            Expect.equal set.Runs.Length 4 "two models, two seeds"
            for run in set.Runs do
                Expect.stringContains table (Values.Number run.Record.Scores["focal"].Map.Value) "the focal mAP of the store"
            let page = File.ReadAllText(folder.Path "copy.html")
            Expect.isGreaterThan (Regex.Matches(page, "class=\"chart\"").Count) 4 "its charts"
            Expect.isTrue (withoutScripts page |> loads |> List.forall (fun address -> address.StartsWith "data:" || address.StartsWith "#" || address = "")) "no load"
        } ]

let tests = testList "Notebook files" [ files; parameters; running; pages; repository; commandLine ]
