using System.Net;
using System.Text.Json;

namespace BirdResearch.Notebooks.Jupyter;

/// <summary>Where a front-end wants to meet the kernel: the file that it writes before it starts one.</summary>
public sealed record ConnectionFile
{
    const string OnlyTransport = "tcp";

    static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>Always <c>tcp</c>.</summary>
    public string Transport { get; init; } = OnlyTransport;

    /// <summary>A loopback address.</summary>
    public string Ip { get; init; } = "127.0.0.1";

    /// <summary>Port of requests.</summary>
    public int ShellPort { get; init; }

    /// <summary>Port of everything that all front-ends see.</summary>
    public int IopubPort { get; init; }

    /// <summary>Port of questions to the user.</summary>
    public int StdinPort { get; init; }

    /// <summary>Port of requests that do not wait for a running cell.</summary>
    public int ControlPort { get; init; }

    /// <summary>Port of the heartbeat.</summary>
    public int HbPort { get; init; }

    /// <summary>Secret of the signatures; empty where messages are not signed.</summary>
    public string Key { get; init; } = "";

    /// <summary>How messages are signed.</summary>
    public string SignatureScheme { get; init; } = Signature.OnlyScheme;

    /// <summary>Reads and checks a file; what is wrong with it is told in one message.</summary>
    public static ConnectionFile Read(string path)
    {
        ConnectionFile? file;
        try
        {
            file = JsonSerializer.Deserialize<ConnectionFile>(File.ReadAllBytes(path), Json);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FileNotFoundException($"The connection file {path} is not there. A front-end (VS Code, Jupyter) writes it and starts the kernel with it.", path);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"The connection file {path} is no JSON object of a kernel's addresses: {e.Message}");
        }
        return (file ?? throw new InvalidDataException($"The connection file {path} holds null.")).Checked($"The connection file {path}");
    }

    /// <summary>The address of a port, as ZeroMQ writes it.</summary>
    public string Address(int port) => $"{OnlyTransport}://{(Ip.Contains(':') ? $"[{Ip}]" : Ip)}:{port}";

    ConnectionFile Checked(string who)
    {
        if (Transport != OnlyTransport) throw Wrong("transport", Transport, OnlyTransport);
        if (!Signature.IsKnown(SignatureScheme)) throw Wrong("signature_scheme", SignatureScheme, Signature.OnlyScheme);
        var ip = Ip == "localhost" ? IPAddress.Loopback : IPAddress.TryParse(Ip, out var parsed) ? parsed : null;
        if (ip is null || !IPAddress.IsLoopback(ip))
            throw Wrong("ip", Ip, "an address of this machine's loopback such as 127.0.0.1: whoever reaches a kernel can run anything as you");
        foreach (var (name, port) in new[] { ("shell_port", ShellPort), ("iopub_port", IopubPort), ("stdin_port", StdinPort), ("control_port", ControlPort), ("hb_port", HbPort) })
            if (port is < 1 or > 65535) throw Wrong(name, $"{port}", "a port between 1 and 65535");
        return this with { Ip = ip.ToString() };

        InvalidDataException Wrong(string key, string value, string wanted) => new($"{who} says {key} '{value}'; it must be {wanted}.");
    }
}
