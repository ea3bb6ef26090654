module BirdResearch.Tests.JupyterTests

open System
open System.Collections.Generic
open System.IO
open System.Text
open System.Text.Json.Nodes
open System.Threading
open System.Threading.Tasks
open Expecto
open BirdResearch.Notebooks.Cells
open BirdResearch.Notebooks.Jupyter
open BirdResearch.Notebooks.Languages
open BirdResearch.Tests.JupyterClient

/// A session whose cells are orders to it, so that a test decides when a cell ends.
type private Scripted() =
    let gate = new ManualResetEventSlim()
    let ran = List<CellRequest>()
    member _.Gate = gate
    member _.Ran = lock ran (fun () -> List.ofSeq ran)
    interface INotebookSession with
        member _.Language = "csharp"
        member _.Run(request, output, cancellation) =
            lock ran (fun () -> ran.Add request)
            use output = new BatchedOutput(output)
            let output = output :> ICellOutput
            let words = request.Code.Split(' ', 2)
            match words[0] with
            | "value" -> CellReply(MimeBundle.Plain words[1])
            | "say" -> output.Stream("stdout", words[1]); CellReply()
            | "lines" ->
                for i in 1 .. int words[1] do output.Stream("stdout", $"line {i}\n")
                CellReply()
            | "mixed" ->
                output.Stream("stdout", "out")
                output.Stream("stderr", "err")
                output.Display(MimeBundle.Plain "shown", "id 1")
                output.Stream("stdout", "again")
                output.Update("id 1", MimeBundle.Plain "changed")
                output.Clear true
                CellReply(MimeBundle.Plain "end")
            | "halves" ->
                for unit in "🦉" do
                    output.Stream("stdout", string unit)
                    Thread.Sleep 100
                CellReply()
            | "throw" -> CellReply(null, CellError("StrangeException", "it broke", [| "Cell 1, line 1: throw" |]))
            | "throw-at-gate" ->
                gate.Wait patience |> ignore
                CellReply(null, CellError("StrangeException", "it broke", [||]))
            | "wait" ->
                output.Stream("stdout", "waiting")
                if cancellation.WaitHandle.WaitOne patience then CellReply(null, CellError(CellError.Interrupted, "stopped", [||])) else CellReply()
            | "deaf" ->
                output.Stream("stdout", "deaf")
                gate.Wait patience |> ignore
                CellReply(null, CellError(CellError.Interrupted, "by force", [||]))
            | "fault" -> failwith "the engine itself fell over"
            | _ -> CellReply()
            |> Task.FromResult
        member _.Complete(code, cursor, _) = Task.FromResult(Completions(cursor - 1, cursor, [| Completion($"{code.Length}/{cursor}", "function") |]))
        member _.Inspect(code, cursor, _) = Task.FromResult(if code = "" then null else MimeBundle.Plain $"{code} at {cursor}")
        member _.IsComplete code = if code.EndsWith "{" then Completeness.Incomplete else Completeness.Complete
        member _.Evaluate expression = if expression = "bad" then CellReply(null, CellError("NoSuchName", expression, [||])) else CellReply(MimeBundle.Plain $"<{expression}>")
        member _.Force() = gate.Set()
        member _.Dispose() = ()

/// A kernel in this process and a front-end that it has answered.
let private withKernel key (test: Client -> Scripted -> StringWriter -> unit) =
    let connection = connection key
    let session, log = new Scripted(), new StringWriter()
    use server = new KernelServer(connection, LanguageInfo.All[0], (fun () -> session), TextWriter.Synchronized log)
    let running = Task.Factory.StartNew(server.Run, TaskCreationOptions.LongRunning)
    try
        use client = new Client(connection)
        client.Ready() |> ignore
        test client session log
    finally
        session.Gate.Set()
        server.Stop()
        Expect.isTrue (running.Wait patience) "the kernel ends"

let private states (messages: Message list) =
    messages |> List.filter (fun m -> not (m.Type.EndsWith "_reply")) |> List.map _.State

let private protocol =
    testList "protocol" [
        test "kernel_info tells protocol, language and help" {
            withKernel "secret" (fun client _ _ ->
                let info = client.Reply(client.Send("kernel_info_request", {| |}))
                Expect.equal (info.Text "protocol_version") "5.3" "protocol"
                let language = info.Content.GetProperty "language_info"
                for key, value in [ "name", "C#"; "mimetype", "text/x-csharp"; "file_extension", ".csx"; "pygments_lexer", "csharp" ] do
                    Expect.equal (string (language.GetProperty key)) value key
                Expect.isGreaterThan (info.Content.GetProperty("help_links").GetArrayLength()) 1 "links")
        }
        test "the heartbeat comes back while a cell runs" {
            withKernel "secret" (fun client _ _ ->
                client.Execute "wait" |> ignore
                client.Until("the cell's start", List.tryFind (fun m -> m.Type = "stream")) |> ignore
                Expect.equal (client.Beat "ping") "ping" "echo"
                client.SendControl("interrupt_request", {| |}) |> ignore)
        }
        test "busy and idle stand around every request, whatever it is" {
            withKernel "secret" (fun client _ _ ->
                for kind, content in
                    [ "kernel_info_request", nonNull (box {| |})
                      "execute_request", nonNull (box {| code = "" |})
                      "complete_request", nonNull (box {| code = "x"; cursor_pos = 1 |})
                      "inspect_request", nonNull (box {| code = "x"; cursor_pos = 1 |})
                      "is_complete_request", nonNull (box {| code = "x" |})
                      "history_request", nonNull (box {| hist_access_type = "tail"; n = 1 |})
                      "comm_info_request", nonNull (box {| |})
                      "debug_request", nonNull (box {| |}) ] do
                    let got = states (client.Answer(client.Send(kind, content)))
                    Expect.equal (List.head got, List.last got) ("busy", "idle") kind)
        }
        test "a cell's outputs come in order, between execute_input and the idle that ends it" {
            withKernel "secret" (fun client _ _ ->
                let all = client.Answer(client.Execute "mixed")
                Expect.equal (states all)
                    [ "busy"; "execute_input"; "stream"; "stream"; "display_data"; "stream"; "update_display_data"; "clear_output"; "execute_result"; "idle" ] "order"
                Expect.equal (stream "stdout" all, stream "stderr" all) ("outagain", "err") "text"
                let ids = [ for m in all do if m.Type.EndsWith "display_data" then string (m.Content.GetProperty("transient").GetProperty "display_id") ]
                Expect.equal ids [ "id 1"; "id 1" ] "the display's name"
                let result = all |> List.find (fun m -> m.Type = "execute_result")
                Expect.equal (string (result.Content.GetProperty("data").GetProperty "text/plain")) "end" "result")
        }
        test "100,000 lines arrive whole, in few messages and before the cell ends" {
            withKernel "secret" (fun client _ _ ->
                let all = client.Answer(client.Execute "lines 100000")
                Expect.equal (stream "stdout" all) (String.concat "" [ for i in 1..100000 -> $"line {i}\n" ]) "text"
                Expect.isLessThan (all |> List.filter (fun m -> m.Type = "stream") |> List.length) 100 "messages"
                let last = all |> List.filter (fun m -> m.Type = "stream") |> List.last
                Expect.isLessThan last.Order (all |> List.find (fun m -> m.State = "idle")).Order "before idle")
        }
        test "a character that is printed in two halves is not torn apart" {
            withKernel "secret" (fun client _ _ -> Expect.equal (stream "stdout" (client.Answer(client.Execute "halves"))) "🦉" "text")
        }
        test "a cell that throws gives an error to all and to the one who asked" {
            withKernel "secret" (fun client _ _ ->
                let all = client.Answer(client.Execute "throw")
                for kind in [ "error"; "execute_reply" ] do
                    let m = all |> List.find (fun m -> m.Type = kind)
                    Expect.equal (m.Text "ename", m.Text "evalue") ("StrangeException", "it broke") kind
                    Expect.equal [ for line in m.Content.GetProperty("traceback").EnumerateArray() -> string line ] [ "StrangeException: it broke"; "Cell 1, line 1: throw" ] kind
                Expect.equal (client.Reply(client.Execute "value 1").Text "status") "ok" "the next cell runs")
        }
        test "a fault of the engine is the cell's error, and the kernel stays" {
            withKernel "secret" (fun client _ log ->
                let all = client.Answer(client.Execute "fault")
                Expect.equal ((all |> List.find (fun m -> m.Type = "execute_reply")).Text "evalue") "the engine itself fell over" "message"
                Expect.stringContains (string log) "execute_request failed" "told on standard error"
                Expect.equal (client.Reply(client.Execute "value 1").Text "status") "ok" "the next cell runs")
        }
        test "cells that wait behind one that fails are left out, unless it was asked otherwise; later ones run" {
            withKernel "secret" (fun client session _ ->
                let run stop =
                    session.Gate.Reset()
                    let first = client.Send("execute_request", {| code = "throw-at-gate"; stop_on_error = stop |})
                    let waiting = [ client.Execute "value 1"; client.Execute "value 2" ]
                    let asked = client.Send("is_complete_request", {| code = "x" |})
                    Thread.Sleep 300 // the three are on the kernel's side before the first one fails
                    session.Gate.Set()
                    Expect.equal (client.Reply(first).Text "status") "error" "the first"
                    Expect.equal (client.Reply(asked).Text "status") "complete" "only cells are left out"
                    [ for id in waiting -> let all = client.Answer id in (List.find (fun (m: Message) -> m.Type = "execute_reply") all).Text "status", List.length (states all) ]
                Expect.equal (run true) [ "aborted", 2; "aborted", 2 ] "left out, with busy and idle alone"
                Expect.equal (client.Reply(client.Execute "value 3").Text "status") "ok" "a later one"
                Expect.equal (run false |> List.map fst) [ "ok"; "ok" ] "as asked"
                Expect.equal [ for cell in session.Ran -> cell.Code ] [ "throw-at-gate"; "value 3"; "throw-at-gate"; "value 1"; "value 2" ] "what ran")
        }
        test "interrupt_request stops the cell that runs, and only that one" {
            withKernel "secret" (fun client _ _ ->
                client.Reply(client.SendControl("interrupt_request", {| |})) |> ignore // nothing runs: nothing happens
                let waiting = client.Execute "wait"
                client.Until("the cell's start", List.tryFind (fun m -> m.Type = "stream")) |> ignore
                Expect.equal (client.Reply(client.SendControl("interrupt_request", {| |})).Text "status") "ok" "answered at once"
                Expect.equal (client.Reply(waiting).Text "ename") "Interrupted" "the cell's end"
                Expect.equal (client.Reply(client.Execute "value 1").Text "status") "ok" "the kernel stays")
        }
        test "a cell that does not heed an interrupt is stopped by the second" {
            withKernel "secret" (fun client _ _ ->
                let deaf = client.Execute "deaf"
                client.Until("the cell's start", List.tryFind (fun m -> m.Type = "stream")) |> ignore
                client.Reply(client.SendControl("interrupt_request", {| |})) |> ignore
                Expect.isEmpty (client.Seen |> List.filter (fun m -> m.Parent = deaf && m.Type = "execute_reply")) "not by the first"
                client.Reply(client.SendControl("interrupt_request", {| |})) |> ignore
                Expect.equal (client.Reply(deaf).Text "evalue") "by force" "by the second")
        }
        test "execution counts: stored cells count, silent and unstored ones do not, and silent ones show nothing" {
            withKernel "secret" (fun client session _ ->
                let run (content: obj) =
                    let all = client.Answer(client.Send("execute_request", content))
                    (all |> List.find (fun m -> m.Type = "execute_reply")).Content.GetProperty("execution_count").GetInt32(), states all
                Expect.equal (fst (run {| code = "value 1" |})) 1 "first"
                Expect.equal (run {| code = "mixed"; silent = true |}) (1, [ "busy"; "idle" ]) "silent"
                Expect.equal (run {| code = "value 3"; store_history = false |}) (1, [ "busy"; "execute_input"; "execute_result"; "idle" ]) "not stored"
                Expect.equal (fst (run {| code = "value 4" |})) 2 "second"
                Expect.equal [ for cell in session.Ran -> cell.Count ] [ 1; 0; 0; 2 ] "what the session is told")
        }
        test "user_expressions are evaluated after a cell that ended well, each with its own outcome" {
            withKernel "secret" (fun client _ _ ->
                let ask code = client.Reply(client.Send("execute_request", {| code = code; user_expressions = dict [ "a", "1 + 1"; "b", "bad" ] |})).Content.GetProperty "user_expressions"
                let found = ask "value 1"
                Expect.equal (string (found.GetProperty("a").GetProperty("data").GetProperty "text/plain")) "<1 + 1>" "value"
                Expect.equal (string (found.GetProperty("b").GetProperty "ename")) "NoSuchName" "error"
                Expect.equal (Seq.length ((ask "throw").EnumerateObject())) 0 "none after an error")
        }
        test "the language of a cell is what its metadata says, in either name that Polyglot Notebooks wrote" {
            withKernel "secret" (fun client session _ ->
                let run (metadata: obj) = client.Answer(client.Send("execute_request", {| code = "value 1" |}, metadata)) |> ignore
                run {| polyglot_notebook = {| kernelName = "fsharp" |} |}
                run {| dotnet_interactive = {| language = "F#" |} |}
                run {| cellId = "abc" |}
                Expect.equal [ for cell in session.Ran -> cell.Language ] [ "fsharp"; "fsharp"; null ] "languages")
        }
        test "cursors are code points on the wire and UTF-16 units in the session" {
            withKernel "secret" (fun client _ _ ->
                let completed = client.Reply(client.Send("complete_request", {| code = "🦉.a"; cursor_pos = 3 |}))
                Expect.equal (string (completed.Content.GetProperty("matches").[0])) "4/4" "what the session was asked"
                Expect.equal (completed.Content.GetProperty("cursor_start").GetInt32(), completed.Content.GetProperty("cursor_end").GetInt32()) (2, 3) "what comes back"
                let typed = completed.Content.GetProperty("metadata").GetProperty("_jupyter_types_experimental").[0]
                Expect.equal (string (typed.GetProperty "type")) "function" "kind"
                let inspected = client.Reply(client.Send("inspect_request", {| code = "🦉x"; cursor_pos = 2; detail_level = 0 |}))
                Expect.equal (string (inspected.Content.GetProperty("data").GetProperty "text/plain")) "🦉x at 3" "inspect"
                Expect.isFalse (client.Reply(client.Send("inspect_request", {| code = ""; cursor_pos = 0 |})).Content.GetProperty("found").GetBoolean()) "nothing to say")
        }
        test "is_complete says when lines are missing" {
            withKernel "secret" (fun client _ _ ->
                let ask code = client.Reply(client.Send("is_complete_request", {| code = code |})).Text "status"
                Expect.equal (ask "if (x) {", ask "1") ("incomplete", "complete") "answers")
        }
        test "history has the tail, a range and what fits a pattern" {
            withKernel "secret" (fun client _ _ ->
                for code in [ "value a"; "say b"; "value a"; "value c" ] do client.Answer(client.Execute code) |> ignore
                client.Answer(client.Send("execute_request", {| code = "say hidden"; store_history = false |})) |> ignore
                let ask (content: obj) = [ for line in client.Reply(client.Send("history_request", content)).Content.GetProperty("history").EnumerateArray() -> string line[2] ]
                Expect.equal (ask {| hist_access_type = "tail"; n = 2 |}) [ "value a"; "value c" ] "tail"
                Expect.equal (ask {| hist_access_type = "range"; session = 0; start = 2; stop = 4 |}) [ "say b"; "value a" ] "range"
                Expect.equal (ask {| hist_access_type = "range"; session = -1; start = 1; stop = 4 |}) [] "another session"
                Expect.equal (ask {| hist_access_type = "search"; pattern = "value*"; unique = true; n = 10 |}) [ "value a"; "value c" ] "search"
                Expect.equal (ask {| hist_access_type = "search"; pattern = "*b" |}) [ "say b" ] "search"
                Expect.equal (ask {| hist_access_type = "tail"; n = 1; output = true |}) [ """["value c","c"]""" ] "with results")
        }
        test "a comm that is opened is closed again, since there is nobody at the other end" {
            withKernel "secret" (fun client _ _ ->
                let id = client.Send("comm_open", {| comm_id = "c1"; target_name = "widgets"; data = {| |} |})
                let mine = client.Until("idle", fun (all: Message list) -> let mine = all |> List.filter (fun m -> m.Parent = id) in if List.exists (fun (m: Message) -> m.State = "idle") mine then Some mine else None)
                Expect.equal (states mine) [ "busy"; "comm_close"; "idle" ] "messages"
                Expect.equal ((List.item 1 mine).Text "comm_id") "c1" "which one")
        }
        for channel in [ "control"; "shell" ] do
            test $"shutdown on {channel} is answered while a cell runs, then the kernel ends" {
                let connection = connection "secret"
                let session = new Scripted()
                use server = new KernelServer(connection, LanguageInfo.All[0], (fun () -> session), TextWriter.Null)
                let running = Task.Factory.StartNew(server.Run, TaskCreationOptions.LongRunning)
                use client = new Client(connection)
                client.Ready() |> ignore
                client.Execute "wait" |> ignore
                client.Until("the cell's start", List.tryFind (fun m -> m.Type = "stream")) |> ignore
                let content = {| restart = true |}
                let id = if channel = "control" then client.SendControl("shutdown_request", content) else client.Send("shutdown_request", content)
                let reply = client.Reply id
                Expect.isTrue (reply.Content.GetProperty("restart").GetBoolean()) "restart is told back"
                Expect.isTrue (running.Wait patience) "the kernel ends"
            }
    ]

let private trust =
    testList "trust" [
        test "signatures are those of RFC 4231" {
            let key = String('\011', 20)
            Expect.equal (Signature(key).Of(ReadOnlySpan [| "Hi "B; "There"B |])) "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" "test case 1"
        }
        test "a message with a wrong, missing or used signature is dropped with one line and no reply" {
            withKernel "secret" (fun client session log ->
                let spoil (frames: IReadOnlyList<byte[]>) (bytes: byte[]) = [| for i in 0 .. frames.Count - 1 -> if i = 1 then bytes else frames[i] |]
                let frames, wrong = client.Frames("execute_request", {| code = "value wrong" |})
                client.SendFrames(spoil frames (Array.create 64 (byte '0')))
                let frames, missing = client.Frames("execute_request", {| code = "value missing" |})
                client.SendFrames(spoil frames [||])
                let frames, once = client.Frames("execute_request", {| code = "value once" |})
                client.SendFrames frames
                client.SendFrames frames
                client.SendFrames [| "no delimiter"B |]
                client.Answer(client.Execute "value last") |> ignore
                Expect.equal [ for cell in session.Ran -> cell.Code ] [ "value once"; "value last" ] "what ran"
                let lines = (string log).Trim().Split '\n'
                for line, word in Seq.zip lines [ "wrong"; "not signed"; "used before"; "fewer parts" ] do Expect.stringContains line word "a line each"
                Expect.equal lines.Length 4 "no line more"
                for id in [ wrong; missing ] do Expect.isEmpty (client.Seen |> List.filter (fun m -> m.Parent = id)) "no reply"
                Expect.equal (client.Seen |> List.filter (fun m -> m.Parent = once && m.Type = "execute_reply") |> List.length) 1 "one reply")
        }
        test "without a key messages are not signed" {
            withKernel "" (fun client _ _ ->
                let frames, id = client.Frames("execute_request", {| code = "value 1" |})
                Expect.isEmpty frames[1] "no signature"
                client.SendFrames frames
                Expect.equal (client.Reply(id).Text "status") "ok" "runs")
        }
        test "a connection file that cannot be used is told of by name and reason" {
            let good = connection "k"
            let refused (file: string) (words: string list) =
                try
                    ConnectionFile.Read file |> ignore
                    failtest $"{file} was read"
                with :? IOException | :? InvalidDataException as e ->
                    for word in file :: words do Expect.stringContains e.Message word "the message"
            Expect.equal (ConnectionFile.Read(fileOf good)) good "a good one"
            Expect.equal (ConnectionFile.Read(fileOf (ConnectionFile(Ip = "localhost", ShellPort = 1, IopubPort = 2, StdinPort = 3, ControlPort = 4, HbPort = 5)))).Ip "127.0.0.1" "localhost"
            refused (fileOf good + ".gone") [ "not there" ]
            let corrupt = fileOf good
            File.WriteAllText(corrupt, "{ \"ip\": ")
            refused corrupt [ "JSON" ]
            let with' (change: JsonObject -> unit) =
                let path = fileOf good
                let json = JsonNode.Parse(File.ReadAllText path) |> nonNull |> _.AsObject()
                change json
                File.WriteAllText(path, json.ToJsonString())
                path
            refused (with' (fun j -> j["signature_scheme"] <- JsonValue.Create "hmac-md5")) [ "hmac-md5"; "hmac-sha256" ]
            refused (with' (fun j -> j["transport"] <- JsonValue.Create "ipc")) [ "ipc"; "tcp" ]
            for ip in [ "0.0.0.0"; "*"; "192.168.1.5"; "::"; "example.org" ] do refused (with' (fun j -> j["ip"] <- JsonValue.Create ip)) [ ip; "loopback" ]
            refused (with' (fun j -> j.Remove "hb_port" |> ignore)) [ "hb_port" ]
        }
        test "a port that is taken is named" {
            let connection = connection "secret"
            use first = new KernelServer(connection, LanguageInfo.All[0], (fun () -> new Scripted()), TextWriter.Null)
            Expect.throwsC (fun () -> new KernelServer(connection, LanguageInfo.All[0], (fun () -> new Scripted()), TextWriter.Null) |> ignore)
                (fun e -> Expect.stringContains e.Message (connection.Address connection.ShellPort) "the address")
        }
    ]

let tests = testList "Jupyter" [ protocol; trust ]
