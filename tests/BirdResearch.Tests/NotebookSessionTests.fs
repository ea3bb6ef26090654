module BirdResearch.Tests.NotebookSessionTests

open System
open System.Collections.Generic
open System.Diagnostics
open System.IO
open System.Text
open System.Threading
open Expecto
open BirdResearch.Notebooks.Cells
open BirdResearch.Notebooks.Languages

/// What a cell has written, in order.
type private Written(?receiving: unit -> unit) =
    let gate = obj ()
    let out, error, shown, pieces = StringBuilder(), StringBuilder(), List<string>(), ref 0
    member _.Out = lock gate (fun () -> out.ToString())
    member _.Error = lock gate (fun () -> error.ToString())
    member _.Shown = lock gate (fun () -> List.ofSeq shown)
    member _.Pieces = pieces.Value
    interface ICellOutput with
        member _.Stream(name, text) =
            receiving |> Option.iter (fun act -> act ())
            lock gate (fun () ->
                pieces.Value <- pieces.Value + 1
                (if name = "stdout" then out else error).Append text |> ignore)
        member _.Display(bundle, _) = lock gate (fun () -> shown.Add(string bundle.Data["text/plain"]))
        member _.Update(_, _) = ()
        member _.Clear _ = ()

/// Both engines are slow to start, so that one session serves all tests; each uses names of its own.
let private shared = lazy (new NotebookSession())

let private patience = TimeSpan.FromSeconds 120.0

let private runInto (written: Written) (language: string) (code: string) =
    let task = shared.Value.Run(CellRequest(code, language, 7), written)
    if not (task.Wait patience) then failtest $"the cell did not end: {code}"
    task.Result, written

let private runIn language code = runInto (Written()) language code

let private said (reply: CellReply) =
    match reply.Error with
    | null -> ""
    | error -> let trace = String.Join('\n', error.Trace) in $"{error.Name}: {error.Message}\n{trace}"

let private text (reply: CellReply) =
    match reply.Value with
    | null -> if isNull reply.Error then "" else failtest (said reply)
    | value -> string value.Data["text/plain"]

let private csharp code = runIn "csharp" code |> fst |> text
let private fsharp code = runIn "fsharp" code |> fst |> text

let private errorOf (reply: CellReply) =
    match reply.Error with
    | null -> failtest "the cell should have failed"
    | error -> error

let private failureIn language code = runIn language code |> fst |> errorOf

let private names (code: string) =
    let cursor = code.IndexOf '|'
    let found = shared.Value.Complete(code.Remove(cursor, 1), cursor).Result
    found, [ for item in found.Items -> item.Text ]

/// Runs a cell that says when it has begun and never ends by itself, interrupts it, and gives the reply.
let private interrupted language (code: string) force =
    let written = Written()
    use source = new CancellationTokenSource()
    let task = shared.Value.Run(CellRequest(code, language, 7), written, source.Token)
    let watch = Stopwatch.StartNew()
    while written.Out = "" && not task.IsCompleted && watch.Elapsed < patience do
        Thread.Sleep 10
    source.Cancel()
    if force then
        if task.Wait(TimeSpan.FromSeconds 1.5) then failtest "code that listens must not be stopped by the first interrupt"
        shared.Value.Force()
    if not (task.Wait patience) then failtest $"the cell was not stopped: {code}"
    errorOf task.Result

let private values =
    testList "values" [
        test "the last expression of a C# cell is its value, a statement has none, and variables stay" {
            Expect.equal (csharp "var apples = 20; apples + 1") "21" "expression"
            Expect.equal (csharp "apples += 2;") "" "statement"
            Expect.equal (csharp "await Task.Delay(1); apples") "22" "after an await"
        }
        test "the last expression of an F# cell is its value; bindings and unit show nothing" {
            Expect.equal (fsharp "let pears = 4") "" "binding"
            Expect.equal (fsharp "pears * 10") "40" "expression"
            Expect.equal (fsharp "ignore pears") "" "unit"
        }
        test "BirdResearch, torch and the display functions can be used without ceremony in both languages" {
            Expect.equal (csharp "torch.arange(4).sum().item<long>() + new Trial().Seed - new Trial().Seed") "6" "C#"
            Expect.equal (fsharp "torch.arange(4L).sum().item<int64>()") "6" "F#"
            let _, written = runIn "csharp" "display(1 + 1);"
            Expect.equal written.Shown [ "2" ] "display"
        }
        test "a task of the cell's own can be waited for without blocking itself" {
            Expect.equal (csharp "async Task<int> Three() { await Task.Delay(1); await Task.Yield(); return 3; } Three().Result") "3" "value"
        }
        test "an expression is evaluated quietly" {
            csharp "var quiet = 5;" |> ignore
            Expect.equal (shared.Value.Evaluate "quiet * 2" |> text) "10" "value"
            Expect.isNotNull (shared.Value.Evaluate "no_such_name").Error "error"
        }
    ]

let private output =
    testList "output" [
        test "both languages' streams reach the cell's output before the cell ends" {
            let _, written = runIn "csharp" "Console.WriteLine(\"one\"); Console.Error.Write(\"two\");"
            Expect.equal (written.Out, written.Error) ("one\n", "two") "C#"
            let _, written = runIn "fsharp" "printfn \"%d\" 3\neprintf \"four\""
            Expect.equal (written.Out, written.Error) ("3\n", "four") "F#"
        }
        test "100,000 lines arrive whole and in few pieces" {
            for language, code in [ "csharp", "for (var i = 0; i < 100_000; i++) Console.WriteLine(i);"; "fsharp", "for i in 0 .. 99_999 do printfn \"%d\" i" ] do
                let _, written = runIn language code
                Expect.equal written.Out (String.concat "" [ for i in 0 .. 99_999 -> $"{i}\n" ]) language
                Expect.isLessThan written.Pieces 1000 $"{language}: pieces"
        }
        test "what receives the text may wait for a lock that the cell holds while it prints, such as the console's" {
            let receiving () = lock (String.Intern "a lock of both") ignore
            let write text = $"BirdResearch.Notebooks.Cells.Cell.Output.Stream(\"stdout\", \"{text}\");"
            let code = $"lock (string.Intern(\"a lock of both\")) {{ {write 1} Thread.Sleep(500); {write 2} }}"
            let reply, written = runInto (Written receiving) "csharp" code
            Expect.equal (said reply, written.Out) ("", "12") "both"
        }
        test "what receives the text is outside of the cell, so that what it prints goes to the console" {
            let inside = ResizeArray()
            let written = Written(fun () -> lock inside (fun () -> inside.Add Cell.IsRunning))
            let _ = runInto written "csharp" "Console.Write(1); Console.Error.Write(2);"
            Expect.equal (List.ofSeq inside) [ false; false ] "on the cell's thread too"
        }
        test "a receiver that is slow holds a cell up, and loses nothing" {
            let _, written = runInto (Written(fun () -> Thread.Sleep 200)) "csharp" "for (var i = 0; i < 1_000; i++) Console.Write(new string('x', 20_000));"
            Expect.equal written.Out.Length 20_000_000 "every character"
            Expect.isLessThan written.Pieces 50 "what gathers in the meantime is one piece"
        }
        test "a thread of the cell writes to the cell's output" {
            let _, written = runIn "csharp" "var other = new Thread(() => Console.Write(\"from afar\")); other.Start(); other.Join();"
            Expect.equal written.Out "from afar" "text"
        }
    ]

let private failures =
    testList "errors" [
        test "a C# cell that does not compile names every place with its line" {
            let error = failureIn "csharp" "var a = 1;\nvar b = missing;\nint c = \"x\";"
            Expect.equal error.Name "CompilationError" "name"
            let trace = String.Join('\n', error.Trace)
            for part in [ "Cell 7, line 2, column 9: CS0103"; "var b = missing;"; "Cell 7, line 3, column 9: CS0029" ] do
                Expect.stringContains trace part part
        }
        test "an F# cell that does not compile names every place with its line" {
            let error = failureIn "fsharp" "let a = 1\nlet b : int = \"x\"\nmissing"
            let trace = String.Join('\n', error.Trace)
            for part in [ "Cell 7, line 2, column 15: FS0001"; "let b : int ="; "Cell 7, line 3, column 1: FS0039" ] do
                Expect.stringContains trace part part
        }
        test "what is thrown points into the cell, without the engine's frames, and what was assigned before stays in C#" {
            let error = failureIn "csharp" "var before = 5;\nint Deep(int n)\n{\n    if (n == 0)\n        throw new InvalidOperationException(\"deep\");\n    return Deep(n - 1) + 1;\n}\nDeep(1);"
            Expect.equal (error.Name, error.Message) ("InvalidOperationException", "deep") "what"
            Expect.equal (List.ofSeq error.Trace)
                [ "Cell 7, line 5: throw new InvalidOperationException(\"deep\");"; "Cell 7, line 6: return Deep(n - 1) + 1;"; "Cell 7, line 8: Deep(1);" ] "trace"
            Expect.equal (csharp "before") "5" "the variable"
        }
        test "what an F# cell throws points into the cell" {
            let error = failureIn "fsharp" "let fail x =\n    if x > 1 then failwith \"bad\" else x\nfail 3 |> ignore"
            Expect.equal (error.Name, error.Message) ("Exception", "bad") "what"
            Expect.equal (List.ofSeq error.Trace) [ "Cell 7, line 2: if x > 1 then failwith \"bad\" else x"; "Cell 7, line 3: fail 3 |> ignore" ] "trace"
        }
        test "wrappers are taken off, causes are told, and frames of our own library stay" {
            Expect.equal (failureIn "csharp" "Task.Run(() => throw new FormatException(\"inner\")).Wait();").Name "FormatException" "aggregate"
            let error = failureIn "csharp" "throw new InvalidOperationException(\"outer\", new FormatException(\"inner\"));"
            Expect.contains error.Trace "caused by FormatException: inner" "cause"
            let error = failureIn "csharp" "\nDatasets.Open(\"no-such-birds\")"
            Expect.stringContains error.Trace[0] "BirdResearch.Data.Datasets.Open" "frame"
            Expect.stringContains error.Trace[error.Trace.Count - 1] "Cell 7, line 2" "cell"
        }
    ]

let private magics =
    testList "magics" [
        test "variables go from C# to F# with their types" {
            csharp "var number = 20; var trials = new List<Trial> { new Trial() }; var grid = new int[2, 3]; int? maybe = 3; string? nothing = null; IEnumerable<int> few = Enumerable.Range(0, 3); var nested = new Dictionary<string, int[][]> { [\"k\"] = [[9]] }; (int, string) both = (1, \"a\");"
            |> ignore
            let shares = String.concat "\n" [ for name in [ "number"; "trials"; "grid"; "maybe"; "nothing"; "few"; "nested"; "both" ] -> $"#!share --from csharp {name}" ]
            let code = "
let sum : int = number + 1 + maybe.Value + Seq.sum few + nested[\"k\"][0][0]
let struct (first, _) = both
let own : List<Trial> = trials
(sum, own.Count, grid[1, 2], first, isNull nothing)"
            Expect.equal (fsharp (shares + code)) "(36, 1, 0, 1, true)" "values"
        }
        test "what a cell prints behind a shared variable is heard, in both languages" {
            csharp "var heardThere = 5;" |> ignore
            let _, there = runIn "fsharp" "#!share --from csharp heardThere\nprintfn \"it is %d\" heardThere"
            Expect.equal there.Out "it is 5\n" "F#"
            let _, back = runIn "csharp" "#!share --from fsharp heardThere --as heardHere\nConsole.WriteLine(heardHere + 1);"
            Expect.equal back.Out "6\n" "C#"
        }
        test "variables go from F# to C# with their types, under another name where one is given" {
            fsharp "let option = Some 3\nlet floats = [ 1.0; 2.5 ]\nlet pair = (1, \"a\")" |> ignore
            let code = "#!share --from fsharp option\n#!share --from fsharp floats --as doubles\n#!share --from fsharp pair\ndoubles.Sum() + option.Value + pair.Item1"
            Expect.equal (csharp code) "7.5" "value"
        }
        test "what the other language cannot name is refused with the reason" {
            csharp "class Mine { } var mine = new Mine(); var anonymous = new { A = 1 };" |> ignore
            Expect.stringContains (failureIn "fsharp" "#!share --from csharp mine").Message "Mine is declared in a cell" "a type of a cell"
            Expect.stringContains (failureIn "fsharp" "#!share --from csharp anonymous").Message "anonymous" "an anonymous type"
            csharp "var warbler = 1;" |> ignore
            Expect.stringContains (failureIn "fsharp" "#!share --from csharp warbbler").Message "Did you mean warbler?" "a name that is not there"
        }
        test "one cell may hold both languages, and its lines keep their numbers" {
            let reply, written = runIn "csharp" "1 + 1\n#!fsharp\n2 + 2\n#!csharp\n\nabsent"
            Expect.equal written.Shown [ "2"; "4" ] "values on the way"
            Expect.stringContains (errorOf reply).Trace[0] "Cell 7, line 6, column 1" "place"
            Expect.equal (csharp "#!markdown\n# Owls\n#!csharp\n5") "5" "Markdown is not run"
        }
        test "an unknown magic is named beside its neighbours" {
            let error = failureIn "csharp" "\n#!shrae x"
            Expect.stringContains error.Message "'#!shrae'. Did you mean #!share?" "message"
            Expect.stringContains error.Trace[0] "Cell 7, line 2" "place"
        }
        test "#!time shows the wall time, #!set sets, #!import runs a file" {
            let reply, written = runIn "csharp" "#!time\n1 + 2"
            Expect.equal (text reply) "3" "value"
            Expect.stringStarts written.Shown[0] "Wall time: " "time"
            Expect.equal (csharp "#!set --name title --value \"two owls\"\ntitle") "two owls" "set"
            let folder = Directory.CreateTempSubdirectory "bird-import"
            try
                let file = Path.Combine(folder.FullName, "triple.csx")
                File.WriteAllText(file, "int Triple(int n) => n * 3;")
                Expect.equal (csharp $"#!import \"{file}\"\nTriple(5)") "15" "import"
                Expect.stringContains (failureIn "csharp" $"#!import \"{file}x\"").Message "There is no file" "missing"
            finally
                folder.Delete true
        }
        test "#r says which file is not there" {
            Expect.stringContains (failureIn "csharp" "#r \"no-such.dll\"").Message "no-such.dll" "file"
        }
    ]

let private stopping =
    testList "interruption" [
        for language, name, code in
            [ "csharp", "an endless loop", "Console.WriteLine(1); while (true) { }"
              "csharp", "an endless loop after an await", "await Task.Delay(5); Console.WriteLine(1); while (true) { }"
              "csharp", "a sleep", "Console.WriteLine(1); Thread.Sleep(-1);"
              "csharp", "an await", "Console.WriteLine(1); await Task.Delay(-1);"
              "csharp", "a wait for a task", "Console.WriteLine(1); Task.Delay(-1).Wait();"
              "csharp", "a loop in a lock", "var inLock = new object(); lock (inLock) { Console.WriteLine(1); while (true) Thread.Sleep(1); }"
              "csharp", "code that listens", "Console.WriteLine(1); await Task.Delay(-1, BirdResearch.Notebooks.Cells.Cell.Interruption);"
              "fsharp", "an endless loop", "printfn \"1\"\nwhile true do ()"
              "fsharp", "a computation that is waited for", "printfn \"1\"\nasync { do! Async.Sleep -1 } |> Async.RunSynchronously" ] do
            yield test $"{name} is stopped, {language}" { Expect.equal (interrupted language code false).Name CellError.Interrupted "error" }
        yield test "variables outlive a stopped cell, its own too in C#, and a sleeper gives its lock back" {
            csharp "var kept = 5; var gate = new object();" |> ignore
            fsharp "let keptToo = 6" |> ignore
            interrupted "csharp" "var half = 7; lock (gate) { Console.WriteLine(1); while (true) Thread.Sleep(1); }" false |> ignore
            Expect.equal (csharp "kept + half") "12" "C#"
            Expect.equal (fsharp "keptToo") "6" "F#"
            Expect.equal (csharp "var free = false; var taker = new Thread(() => { lock (gate) free = true; }); taker.Start(); taker.Join(5000); free") "true" "lock"
        }
        yield test "code that listens but does not end is stopped by force" {
            let error = interrupted "csharp" "var ignored = BirdResearch.Notebooks.Cells.Cell.Interruption; Console.WriteLine(1); while (true) { }" true
            Expect.equal error.Name CellError.Interrupted "error"
        }
    ]

let private questions =
    testList "questions" [
        test "completion knows earlier cells' variables, members and magics in both languages" {
            csharp "var soundscapes = new List<int>();" |> ignore
            fsharp "let recordings = [ 1; 2 ]" |> ignore
            Expect.contains (names "soundsc|" |> snd) "soundscapes" "C# variable"
            let found, items = names "1 + 1;\nsoundscapes.Ad|"
            Expect.contains items "Add" "C# member"
            Expect.equal (found.Start, found.End) (19, 21) "place"
            Expect.contains (names "#!fsharp\nrecord|" |> snd) "recordings" "F# variable"
            Expect.contains (names "#!fsharp\nlet s = \"a\"\ns.Len|" |> snd) "Length" "F# member"
            Expect.equal (names "#!sh|" |> snd) [ "#!share" ] "magic"
        }
        test "what stands at the cursor is told in both languages" {
            let about code (cursor: int) =
                match shared.Value.Inspect(code, cursor).Result with
                | null -> failtest "nothing was said"
                | bundle -> string bundle.Data["text/plain"]
            let told = about "Datasets.Open(\"x\")" 11
            Expect.stringContains told "Dataset Datasets.Open(string nameOrFolder" "signature"
            Expect.stringContains told "Opens a data set" "documentation"
            fsharp "let twice (x: int) = x * 2" |> ignore
            Expect.stringContains (about "#!fsharp\ntwice 3" 11) "int -> int" "F#"
        }
        test "unfinished text is told from whole and from wrong text in both languages" {
            for code, expected in
                [ "if (true) {", Completeness.Incomplete
                  "var x = 1;", Completeness.Complete
                  "var x = ) 1;", Completeness.Invalid
                  "#!fsharp\nlet f x =", Completeness.Incomplete
                  "#!fsharp\nlet xs = [ 1", Completeness.Incomplete
                  "#!fsharp\nlet f x = x;;", Completeness.Complete
                  "#!fsharp\nlet f x = )", Completeness.Invalid ] do
                Expect.equal (shared.Value.IsComplete code) expected code
        }
    ]

let tests = testSequenced (testList "Notebook session" [ values; output; failures; magics; stopping; questions ])
