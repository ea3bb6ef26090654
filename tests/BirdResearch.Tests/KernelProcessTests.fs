/// The kernel as front-ends start it: a process of its own, with a connection file.
module BirdResearch.Tests.KernelProcessTests

open System
open System.Diagnostics
open System.IO
open System.Text.Json
open System.Text.Json.Nodes
open Expecto
open BirdResearch.Data
open BirdResearch.Tests.JupyterClient

let private scratch name = Scratch.folder name

let private info (args: string list) = CliTests.startInfo (scratch "kernel-results") args

let private bird args = info args |> Process.Start |> nonNull |> CliTests.finish

let private script name = Path.Combine(Folders.Root, "tests", "notebooks", name)

/// The same program as a front-end in the background of a shell starts it, which ignores SIGINT and hands that on.
let private deafToInterrupts (info: ProcessStartInfo) =
    if not (OperatingSystem.IsWindows()) then
        let words = info.FileName :: List.ofSeq info.ArgumentList
        info.FileName <- "sh"
        info.ArgumentList.Clear()
        for word in [ "-c"; "trap '' INT; exec \"$0\" \"$@\"" ] @ words do info.ArgumentList.Add word
    info

/// A kernel that is ready, and its client.
let private withKernel language (test: Process -> Client -> unit) =
    let connection = connection "secret"
    use kernel = info [ "kernel"; "start"; "--language"; language; fileOf connection ] |> deafToInterrupts |> Process.Start |> nonNull
    let errors = kernel.StandardError.ReadToEndAsync()
    try
        use client = new Client(connection)
        client.Ready() |> ignore
        test kernel client
        client.SendControl("shutdown_request", {| restart = false |}) |> ignore
        Expect.isTrue (kernel.WaitForExit patience) "the kernel ends"
        Expect.equal (kernel.ExitCode, errors.Result) (0, "") "quietly"
    finally
        if not kernel.HasExited then kernel.Kill()

let private plain (messages: Message list) =
    messages |> List.tryFind (fun m -> m.Type = "execute_result") |> Option.map (fun m -> string (m.Content.GetProperty("data").GetProperty "text/plain"))

let private signal (name: string) (pid: int) =
    use kill = Process.Start("kill", [ "-" + name; string pid ])
    kill.WaitForExit()

let private processes =
    testList "process" [
        test "a C# kernel runs both languages, completes, and is interrupted by message and by signal" {
            withKernel "csharp" (fun kernel client ->
                Expect.equal (plain (client.Answer(client.Execute "var kept = 6; kept * 7"))) (Some "42") "C#"
                Expect.equal (plain (client.Answer(client.Send("execute_request", {| code = "[ 1; 2 ] |> List.sum" |}, {| polyglot_notebook = {| kernelName = "fsharp" |} |})))) (Some "3") "F# by the cell's metadata"
                let code = "var s = \"🦉\"; s.ToUpp"
                let completed = client.Reply(client.Send("complete_request", {| code = code; cursor_pos = 20 |}))
                Expect.contains [ for m in completed.Content.GetProperty("matches").EnumerateArray() -> string m ] "ToUpper" "completion"
                Expect.equal (completed.Content.GetProperty("cursor_start").GetInt32()) 15 "code points"
                let interrupted code (interrupt: unit -> unit) =
                    let running = client.Execute code
                    client.Until("the cell's start", List.tryFind (fun m -> m.Type = "stream" && m.Parent = running)) |> ignore
                    interrupt ()
                    Expect.equal (client.Reply(running).Text "ename") "Interrupted" code
                interrupted "Console.WriteLine(1); while (true) { }" (fun () -> client.SendControl("interrupt_request", {| |}) |> ignore)
                if not (OperatingSystem.IsWindows()) then
                    interrupted "Console.WriteLine(2); while (true) { }" (fun () -> signal "INT" kernel.Id)
                Expect.equal (plain (client.Answer(client.Execute "kept"))) (Some "6") "the kernel and its variables stay"
                let typed = client.Reply(client.Execute "Console.ReadLine()")
                Expect.stringContains (typed.Text "evalue") "keyboard" "a cell that waits for somebody to type")
        }
        test "an F# kernel prints 100,000 lines, names the line that throws and completes" {
            withKernel "fsharp" (fun _ client ->
                let all = client.Answer(client.Execute "for i in 1..100000 do printfn \"line %d\" i")
                Expect.equal (stream "stdout" all) (String.concat "" [ for i in 1..100000 -> $"line {i}\n" ]) "text"
                let failed = client.Reply(client.Execute "let one = 1\nif one = 1 then failwith \"on purpose\"")
                Expect.equal (failed.Text "evalue") "on purpose" "message"
                Expect.stringContains (string (failed.Content.GetProperty "traceback")) "line 2" "trace"
                let completed = client.Reply(client.Send("complete_request", {| code = "[ 1 ].Leng"; cursor_pos = 10 |}))
                Expect.contains [ for m in completed.Content.GetProperty("matches").EnumerateArray() -> string m ] "Length" "completion")
        }
        test "SIGTERM ends a kernel while a cell runs" {
            if OperatingSystem.IsWindows() then skiptest "Windows has no SIGTERM"
            let connection = connection "secret"
            use kernel = info [ "kernel"; "start"; fileOf connection ] |> Process.Start |> nonNull
            use client = new Client(connection)
            client.Ready() |> ignore
            let running = client.Execute "Console.WriteLine(1); while (true) { }"
            client.Until("the cell's start", List.tryFind (fun m -> m.Type = "stream" && m.Parent = running)) |> ignore
            signal "TERM" kernel.Id
            Expect.isTrue (kernel.WaitForExit patience) "it ends"
            Expect.equal kernel.ExitCode 0 "exit code"
        }
        for named in [ false; true ] do
            let how = if named then "is the one that JPY_PARENT_PID names" else "is its parent"
            test $"a kernel ends when the program that started it is killed, which {how}" {
                if not (OperatingSystem.IsLinux()) then skiptest "looks into /proc"
                let connection = connection "secret"
                let own = info [ "kernel"; "start"; fileOf connection ]
                let command = String.Join(' ', [ for word in own.FileName :: List.ofSeq own.ArgumentList -> $"'{word}'" ])
                // Where it is only named, a shell stands between, which stays.
                let line = if named then $"export JPY_PARENT_PID=$$; sh -c \"{command} & echo \\$!; wait\"; :" else $"{command} & echo $!; wait"
                let start = ProcessStartInfo("sh", [ "-c"; line ], RedirectStandardOutput = true)
                start.Environment.Remove "JPY_PARENT_PID" |> ignore
                use parent = Process.Start start |> nonNull
                let kernel = parent.StandardOutput.ReadLine() |> nonNull |> int
                use client = new Client(connection)
                client.Ready() |> ignore
                parent.Kill()
                parent.WaitForExit()
                let watch = Stopwatch.StartNew()
                let alive () = File.Exists $"/proc/{kernel}/stat" && not ((File.ReadAllText $"/proc/{kernel}/stat").Contains ") Z ")
                while alive () && watch.Elapsed < patience do Threading.Thread.Sleep 50
                Expect.isFalse (alive ()) "it is gone"
            }
        test "a kernel that cannot start says why in one line" {
            for file, word in
                [ "nowhere.json", "not there"
                  (let path = Path.Combine(scratch "bad", "bad.json") in File.WriteAllText(path, "{ \"ip\": \"0.0.0.0\" }"); path), "loopback" ] do
                let code, _, error = bird [ "kernel"; "start"; file ]
                Expect.equal code 1 "exit code"
                Expect.stringContains error word "message"
                Expect.equal (error.Trim().Split('\n').Length) 1 "one line"
            let code, _, error = bird [ "kernel"; "start"; "--language"; "fshrp"; "nowhere.json" ]
            Expect.equal code 1 "exit code"
            Expect.stringContains error "fsharp" "what is near"
        }
    ]

let private installation =
    testList "installation" [
        test "install writes two specs whose program is there, list finds them, uninstall removes them" {
            let data = scratch "jupyter-data"
            let bird args =
                let info = info args
                info.Environment["JUPYTER_DATA_DIR"] <- data
                info.Environment.Remove "JUPYTER_PATH" |> ignore
                info |> Process.Start |> nonNull |> CliTests.finish
            let code, output, error = bird [ "kernel"; "install"; "--env"; "BIRD_DATA=/recordings=new" ]
            Expect.equal code 0 error
            for name, display, language in [ "birdresearch-csharp", "C# (BirdResearch)", "C#"; "birdresearch-fsharp", "F# (BirdResearch)", "F#" ] do
                let folder = Path.Combine(data, "kernels", name)
                Expect.stringContains output folder "tells where"
                let spec = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "kernel.json"))) |> nonNull
                let text (key: string) = string spec[key]
                Expect.equal (text "display_name", text "language", text "interrupt_mode") (display, language, "message") name
                Expect.equal (string (nonNull spec["env"]).["BIRD_DATA"]) "/recordings=new" "variables"
                let argv = [ for a in (nonNull spec["argv"]).AsArray() -> string a ]
                Expect.isTrue (Path.IsPathRooted argv[0] && File.Exists argv[0]) $"the program: {argv[0]}"
                Expect.equal (List.last argv) "{connection_file}" "the file's place"
                for size in [ 32; 64 ] do
                    let png = File.ReadAllBytes(Path.Combine(folder, $"logo-{size}x{size}.png"))
                    Expect.equal (int png[19], int png[23]) (size, size) "the picture's size"
            let code, output, _ = bird [ "kernel"; "list" ]
            Expect.equal (code, output.Trim().Split('\n').Length) (0, 2) output
            let file = Path.Combine(data, "kernels", "birdresearch-fsharp", "kernel.json")
            File.WriteAllText(file, File.ReadAllText(file).Replace("bird.dll", "gone.dll"))
            let code, output, _ = bird [ "kernel"; "list" ]
            Expect.equal code 1 "a kernel that would not start"
            Expect.stringContains output "gone.dll is missing" "and why"
            let code, _, _ = bird [ "kernel"; "uninstall" ]
            Expect.equal (code, Directory.GetDirectories(Path.Combine(data, "kernels")).Length) (0, 0) "removed"
            let code, _, error = bird [ "kernel"; "install"; "--env"; "BIRD_DATA" ]
            Expect.equal code 1 "exit code"
            Expect.stringContains error "NAME=VALUE" "what is wanted"
        }
    ]

let private python =
    lazy
        [ "python3"; "/usr/bin/python3" ]
        |> List.tryFind (fun program ->
            try
                use tried = ProcessStartInfo(program, [ "-c"; "import jupyter_client, nbclient, nbformat" ], RedirectStandardError = true) |> Process.Start |> nonNull
                tried.StandardError.ReadToEnd() |> ignore
                tried.WaitForExit()
                tried.ExitCode = 0
            with :? ComponentModel.Win32Exception -> false)

let private prefix = lazy (let folder = scratch "jupyter-prefix" in bird [ "kernel"; "install"; "--prefix"; folder ] |> ignore; Path.Combine(folder, "share", "jupyter"))

/// Runs a script of tests/notebooks with Jupyter's own clients, from Debian's packages; one that ends with 77 is skipped with its reason.
let runScript (results: string) (name: string) (args: string list) =
    let program =
        match python.Value with
        | Some program -> program
        | None -> skiptest "no python3 with jupyter_client and nbclient: apt-get install python3-jupyter-client python3-nbclient"
    let start = ProcessStartInfo(program, script name :: args, RedirectStandardOutput = true, RedirectStandardError = true)
    start.Environment["JUPYTER_PATH"] <- prefix.Value
    start.Environment["BIRD_RESULTS"] <- results
    let code, output, error = start |> Process.Start |> nonNull |> CliTests.finish
    if code = 77 then skiptest (output.Trim())
    Expect.equal code 0 $"{name}: {output}\n{error}"
    output

let private run name args = runScript (scratch "kernel-results") name args

let private clients =
    testList "clients" [
        test "jupyter_client drives both kernels: tests/notebooks/kernel.py" {
            Expect.stringContains (run "kernel.py" []) "holds: a kernel ends when its parent is killed" "its last line"
        }
        test "nbclient executes a notebook of two languages" {
            let copy = Path.Combine(scratch "executed", "two-languages.ipynb")
            run "execute.py" [ script "two-languages.ipynb"; copy ] |> ignore
            use json = JsonDocument.Parse(File.ReadAllText copy)
            let cells = [ for c in json.RootElement.GetProperty("cells").EnumerateArray() do if string (c.GetProperty "cell_type") = "code" then c ]
            Expect.equal [ for c in cells -> c.GetProperty("execution_count").GetInt32() ] [ 1..5 ] "counts"
            let outputs = [ for c in cells -> [ for o in c.GetProperty("outputs").EnumerateArray() -> o ] ]
            let plain (o: JsonElement) =
                let text = o.GetProperty("data").GetProperty "text/plain"
                if text.ValueKind = JsonValueKind.Array then String.concat "" [ for line in text.EnumerateArray() -> string line ] else string text
            Expect.equal (plain (List.last outputs[0])) "3" "C#"
            Expect.stringContains (plain (List.head outputs[1])) "1 2 3" "F# reads what C# made"
            Expect.equal (plain (List.head outputs[3])) "10" "C# reads what F# made"
            Expect.equal (set [ for p in (List.head outputs[4]).GetProperty("data").EnumerateObject() -> p.Name ]) (set [ "text/plain"; "application/vnd.plotly.v1+json"; "text/html" ]) "a chart's forms"
        }
        test "the classic Notebook draws Plotly's charts in a browser" {
            run "classic.py" [ script "charts.ipynb"; Path.Combine(scratch "classic", "charts.png"); "2" ] |> ignore
        }
    ]

let tests = testSequenced <| testList "Kernel process" [ installation; processes; clients ]
