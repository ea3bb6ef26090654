using System.Globalization;

namespace BirdResearch.Claims;

/// <summary>Who takes claims, and for how long one stays his without a sign of life.</summary>
public sealed record ClaimHolder
{
    const string LeaseVariable = "BIRD_LEASE";

    /// <summary>Name of the machine, for readers.</summary>
    public string Host { get; init; } = "";

    /// <summary>Process on that machine.</summary>
    public int ProcessId { get; init; }

    /// <summary>Where that process number means something: start of the kernel and process namespace; empty where that is not known.</summary>
    public string ProcessSpace { get; init; } = "";

    /// <summary>When the process began, as its kernel counts; tells it from a later one of the same number.</summary>
    public string ProcessStart { get; init; } = "";

    /// <summary>What the worker calls itself, such as <c>worker 2</c> or a Slurm job; may be empty.</summary>
    public string Worker { get; init; } = "";

    /// <summary>The call that it belongs to: workers of one call share it.</summary>
    public string Session { get; init; } = Guid.NewGuid().ToString("N");

    /// <summary>Seconds after which a claim that was not renewed may be taken over; it is renewed four times as often.</summary>
    public double LeaseSeconds { get; init; } = 60;

    /// <summary>This process. The lease is that of the environment: <c>BIRD_LEASE</c> in seconds, 60 unless set.</summary>
    public static ClaimHolder Here(string worker = "", string? session = null)
    {
        var me = new ClaimHolder
        {
            Host = Environment.MachineName,
            ProcessId = Environment.ProcessId,
            ProcessSpace = ProcessTable.Space,
            ProcessStart = ProcessTable.StartOf(Environment.ProcessId) ?? "",
            Worker = worker,
        };
        if (session is not null) me = me with { Session = session };
        var text = Environment.GetEnvironmentVariable(LeaseVariable);
        if (string.IsNullOrWhiteSpace(text)) return me;
        return double.TryParse(text, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0.2 and <= 86_400
            ? me with { LeaseSeconds = seconds }
            : throw new ArgumentException($"{LeaseVariable} is '{text}'; expected seconds from 0.2 to 86400, such as 60.");
    }

    /// <summary>For readers: the worker if it has a name, and where it is.</summary>
    public override string ToString() => Worker.Length > 0 ? $"{Worker} on {Host}" : $"process {ProcessId} on {Host}";
}
