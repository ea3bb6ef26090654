/// A front-end of the Jupyter protocol, as small as tests need it.
module BirdResearch.Tests.JupyterClient

open System
open System.Collections.Generic
open System.Diagnostics
open System.IO
open System.Net
open System.Net.Sockets
open System.Text
open System.Text.Json
open System.Text.Json.Nodes
open NetMQ
open NetMQ.Sockets
open BirdResearch.Notebooks.Jupyter

let patience = TimeSpan.FromSeconds 30.0

let private freePorts count =
    let listeners = [ for _ in 1..count -> new TcpListener(IPAddress.Loopback, 0) ]
    for l in listeners do l.Start()
    let ports = [ for l in listeners -> (l.LocalEndpoint :?> IPEndPoint).Port ]
    for l in listeners do l.Stop()
    ports

/// Addresses that are free now.
let connection (key: string) =
    match freePorts 5 with
    | [ a; b; c; d; e ] -> ConnectionFile(ShellPort = a, IopubPort = b, StdinPort = c, ControlPort = d, HbPort = e, Key = key)
    | ports -> failwith $"{ports}"

/// The file that a front-end writes for them.
let fileOf (connection: ConnectionFile) =
    let path = Path.Combine(Directory.CreateTempSubdirectory("bird-jupyter-").FullName, "kernel.json")
    File.WriteAllText(path, JsonSerializer.Serialize(connection, WireMessage.Json))
    path

type Message =
    { Type: string
      Parent: string
      Content: JsonElement
      Order: int }
    member m.Text(key: string) = string (m.Content.GetProperty key)
    member m.State = if m.Type = "status" then m.Text "execution_state" else m.Type

let private parse (bytes: byte[]) = JsonDocument.Parse(ReadOnlyMemory bytes).RootElement

/// Speaks with a kernel; everything that comes is kept in the order in which it came.
type Client(connection: ConnectionFile) =
    let signature = Signature connection.Key
    let session = Guid.NewGuid().ToString "N"
    let shell, control, heart = new DealerSocket(), new DealerSocket(), new DealerSocket()
    let iopub = new SubscriberSocket()
    let seen = List<Message>()
    let sockets: NetMQSocket list = [ shell; control; heart; iopub ]

    do
        for s in sockets do s.Options.ReceiveHighWatermark <- 0
        iopub.SubscribeToAnyTopic()
        iopub.Connect(connection.Address connection.IopubPort)
        shell.Connect(connection.Address connection.ShellPort)
        control.Connect(connection.Address connection.ControlPort)
        heart.Connect(connection.Address connection.HbPort)

    let read () =
        for socket in [ iopub :> NetMQSocket; shell; control ] do
            while socket.HasIn do
                let frames = socket.ReceiveMultipartBytes()
                let message = WireMessage.Read(frames, signature)
                let parent = parse message.Parent
                let id = match parent.TryGetProperty "msg_id" with | true, id -> string id | _ -> ""
                seen.Add { Type = message.Type; Parent = id; Content = parse message.Content; Order = seen.Count }

    member _.Seen = List.ofSeq seen
    member _.Signature = signature

    /// Frames of a request, and its id.
    member _.Frames(kind: string, content: obj, ?metadata: obj) =
        let made = WireMessage.Create(session, kind, content, null, [||])
        let made = match metadata with Some m -> WireMessage(made.Identities, made.Header, made.Parent, JsonSerializer.SerializeToUtf8Bytes m, made.Content) | None -> made
        made.Frames signature, string ((parse made.Header).GetProperty "msg_id")

    member _.SendFrames(frames: IReadOnlyList<byte[]>) = (shell :> IOutgoingSocket).SendMultipartBytes frames

    member this.Send(kind: string, content: obj, ?metadata: obj) =
        let frames, id = this.Frames(kind, content, ?metadata = metadata)
        this.SendFrames frames
        id

    member this.SendControl(kind: string, content: obj) =
        let frames, id = this.Frames(kind, content)
        (control :> IOutgoingSocket).SendMultipartBytes frames
        id

    member this.Execute(code: string) = this.Send("execute_request", {| code = code |})

    /// Waits until something holds of what has come, and returns it.
    member _.Until(what: string, found: Message list -> 'a option) : 'a =
        let watch = Stopwatch.StartNew()
        let rec look () =
            read ()
            match found (List.ofSeq seen) with
            | Some value -> value
            | None when watch.Elapsed > patience ->
                let last = seen |> Seq.rev |> Seq.truncate 12 |> Seq.rev |> Seq.map (fun m -> $"{m.State} {m.Content}") |> String.concat "\n"
                failwith $"waited in vain for {what}; the last messages were\n{last}"
            | None ->
                Threading.Thread.Sleep 2
                look ()
        look ()

    /// What came for a request, once its reply and its idle are there.
    member this.Answer(id: string) =
        this.Until($"the answer to {id}", fun all ->
            let mine = all |> List.filter (fun m -> m.Parent = id)
            if mine |> List.exists (fun m -> m.State = "idle") && mine |> List.exists (fun m -> m.Type.EndsWith "_reply") then Some mine else None)

    member this.Reply(id: string) = this.Answer id |> List.find (fun m -> m.Type.EndsWith "_reply")

    /// Asks until the kernel's publications arrive: a subscription takes a moment.
    member this.Ready() =
        let watch = Stopwatch.StartNew()
        let rec ask () =
            let id = this.Send("kernel_info_request", {| |})
            let mine =
                this.Until("kernel_info", fun all ->
                    let mine = all |> List.filter (fun m -> m.Parent = id)
                    if mine |> List.exists (fun m -> m.Type = "kernel_info_reply") then Some mine else None)
            Threading.Thread.Sleep 20
            read ()
            let heard = seen |> Seq.exists (fun m -> m.Parent = id && m.State = "idle")
            if not heard then
                if watch.Elapsed > patience then failwith "nothing is published"
                ask ()
            else mine |> List.find (fun m -> m.Type = "kernel_info_reply")
        ask ()

    /// Sends bytes to the heartbeat and returns what comes back.
    member _.Beat(text: string) =
        (heart :> IOutgoingSocket).SendFrame text
        let came, back = (heart :> IReceivingSocket).TryReceiveFrameString patience
        if came then back else "nothing"

    interface IDisposable with
        member _.Dispose() = for s in sockets do s.Dispose()

/// Text of a stream as one.
let stream name (messages: Message list) =
    messages |> List.filter (fun m -> m.Type = "stream" && m.Text "name" = name) |> List.map (fun m -> m.Text "text") |> String.concat ""
