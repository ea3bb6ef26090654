using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using BirdResearch.Cli.Workers;
using BirdResearch.Notebooks.Jupyter;
using NetMQ;
using NetMQ.Sockets;

namespace BirdResearch.Cli.Benchmarks;

/// <summary>A kernel in a process of its own, and the front-end that started it.</summary>
sealed class KernelProbe : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly string _folder = Directory.CreateTempSubdirectory("bird-kernel-").FullName;
    readonly ConnectionFile _connection;
    readonly Signature _signature;
    readonly DealerSocket _shell = new();
    readonly SubscriberSocket _iopub = new();
    readonly Process _kernel;

    /// <summary>Starts a kernel of a language.</summary>
    public KernelProbe(string language)
    {
        var ports = FreePorts(5);
        _connection = new() { ShellPort = ports[0], IopubPort = ports[1], StdinPort = ports[2], ControlPort = ports[3], HbPort = ports[4], Key = Guid.NewGuid().ToString() };
        _signature = new(_connection.Key);
        var file = Path.Combine(_folder, "kernel.json");
        File.WriteAllText(file, JsonSerializer.Serialize(_connection, WireMessage.Json));
        foreach (var socket in new NetMQSocket[] { _shell, _iopub }) socket.Options.ReconnectInterval = TimeSpan.FromMilliseconds(10);
        _iopub.SubscribeToAnyTopic();
        _iopub.Connect(_connection.Address(_connection.IopubPort));
        _shell.Connect(_connection.Address(_connection.ShellPort));
        _kernel = Process.Start(OwnProgram.Start(["kernel", "start", "--language", language, file]))!;
        _kernel.ErrorDataReceived += (_, line) => { if (line.Data is { } text) Console.Error.WriteLine(text); };
        _kernel.BeginErrorReadLine();
        _kernel.BeginOutputReadLine();
    }

    /// <summary>Runs a cell and waits until it is over: its reply, and on the publishing socket its idle.</summary>
    public void Run(string code)
    {
        var request = WireMessage.Create("bench", "execute_request", new { Code = code }, identities: []);
        _shell.SendMultipartBytes(request.Frames(_signature));
        var reply = Receive(_shell);
        if (reply.Text("status") != "ok") throw new InvalidOperationException($"The kernel answered '{code}' with {reply.Text("ename")}: {reply.Text("evalue")}");
        while (true)
        {
            var message = Receive(_iopub);
            if (message.Parent.AsSpan().SequenceEqual(request.Header) && message.Text("execution_state") == "idle") return;
        }
    }

    WireMessage Receive(NetMQSocket socket)
    {
        var frames = new List<byte[]>();
        return socket.TryReceiveMultipartBytes(Patience, ref frames)
            ? WireMessage.Read(frames, _signature)
            : throw new IOException($"The kernel said nothing for {Patience.TotalSeconds} s.");
    }

    static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToArray();
        foreach (var listener in listeners) listener.Start();
        int[] ports = [.. listeners.Select(l => ((IPEndPoint)l.LocalEndpoint).Port)];
        foreach (var listener in listeners) listener.Stop();
        return ports;
    }

    /// <summary>Ends the kernel.</summary>
    public void Dispose()
    {
        _kernel.Kill();
        _kernel.WaitForExit();
        _kernel.Dispose();
        _shell.Dispose();
        _iopub.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
