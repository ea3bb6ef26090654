using NetMQ;
using NetMQ.Sockets;

namespace BirdResearch.Notebooks.Jupyter;

/// <summary>The five sockets of a kernel. One thread owns them, since a ZeroMQ socket has no locks; what is sent waits for it in a queue.</summary>
sealed class KernelSockets : IDisposable
{
    static readonly TimeSpan Linger = TimeSpan.FromSeconds(1);

    readonly Signature _signature;
    readonly TextWriter _log;
    readonly NetMQSocket _shell, _control, _stdin, _heartbeat, _iopub;
    readonly NetMQQueue<(NetMQSocket Socket, IReadOnlyList<byte[]> Frames)> _outbox = new();
    readonly NetMQPoller _poller;

    /// <summary>Binds the sockets of a connection.</summary>
    /// <param name="connection">Where.</param>
    /// <param name="received">Told of each message that can be trusted, on the thread of the sockets: it must not take long.</param>
    /// <param name="log">Told of each that cannot.</param>
    public KernelSockets(ConnectionFile connection, Action<KernelChannel, WireMessage> received, TextWriter log)
    {
        _signature = new Signature(connection.Key);
        _log = log;
        _shell = Bound(new RouterSocket(), connection.ShellPort);
        _control = Bound(new RouterSocket(), connection.ControlPort);
        _stdin = Bound(new RouterSocket(), connection.StdinPort);
        _heartbeat = Bound(new RouterSocket(), connection.HbPort);
        _iopub = Bound(new PublisherSocket(), connection.IopubPort);
        _shell.ReceiveReady += (_, _) => Read(_shell, KernelChannel.Shell);
        _control.ReceiveReady += (_, _) => Read(_control, KernelChannel.Control);
        _stdin.ReceiveReady += (_, _) => _stdin.ReceiveMultipartBytes();   // nothing is asked, so nothing is answered
        _heartbeat.ReceiveReady += (_, _) => _heartbeat.SendMultipartBytes(_heartbeat.ReceiveMultipartBytes());
        _outbox.ReceiveReady += (_, _) => Deliver();
        _poller = new NetMQPoller { _shell, _control, _stdin, _heartbeat, _outbox };

        NetMQSocket Bound(NetMQSocket socket, int port)
        {
            socket.Options.Linger = Linger;
            socket.Options.SendHighWatermark = 0;   // nothing that a cell prints is dropped because a front-end is slow
            socket.Options.ReceiveHighWatermark = 0;
            socket.Options.IPv4Only = !connection.Ip.Contains(':');
            try
            {
                socket.Bind(connection.Address(port));
            }
            catch (NetMQException e)
            {
                throw new IOException($"The kernel cannot listen on {connection.Address(port)}, which its connection file names: {e.Message}", e);
            }
            return socket;
        }

        void Read(NetMQSocket socket, KernelChannel channel)
        {
            try
            {
                received(channel, WireMessage.Read(socket.ReceiveMultipartBytes(), _signature));
            }
            catch (InvalidDataException e)
            {
                _log.WriteLine($"bird kernel: a message on the {channel.ToString().ToLowerInvariant()} socket is dropped: {e.Message}.");
            }
        }
    }

    /// <summary>Starts the thread of the sockets.</summary>
    public void Start() => _poller.RunAsync("kernel sockets", isBackgroundThread: true);

    /// <summary>Sends a message, after all that were sent before.</summary>
    public void Send(KernelChannel channel, WireMessage message) =>
        _outbox.Enqueue((channel switch { KernelChannel.Shell => _shell, KernelChannel.Control => _control, _ => _iopub }, message.Frames(_signature)));

    void Deliver()
    {
        while (_outbox.TryDequeue(out var next, TimeSpan.Zero)) next.Socket.SendMultipartBytes(next.Frames);
    }

    /// <summary>Hands over what is still in the queue and closes the sockets.</summary>
    public void Dispose()
    {
        if (_poller.IsRunning) _poller.Stop();
        Deliver();
        _poller.Dispose();
        foreach (var socket in new[] { _shell, _control, _stdin, _heartbeat, _iopub }) socket.Dispose();
        _outbox.Dispose();
    }
}
