namespace BirdResearch.Claims;

/// <summary>
/// Looks at claims and remembers since when each gave no sign of life. A claim is open when it was never taken or was given back, when its
/// holder's process on this machine is gone, or when this watch, by its own clock, has seen it unchanged for a whole lease: clocks of
/// different machines are never compared. Safe for any number of threads.
/// </summary>
/// <param name="me">Who looks; his lease is taken for that of a claim that does not tell its own yet.</param>
/// <param name="time">Clock; null takes the system's.</param>
public sealed class ClaimWatch(ClaimHolder me, TimeProvider? time = null)
{
    readonly TimeProvider _time = time ?? TimeProvider.System;
    readonly Dictionary<string, (string Text, long Seen)> _seen = [];
    readonly Lock _gate = new();

    /// <summary>How the claim stands now.</summary>
    public ClaimView Look(string path)
    {
        while (true)
        {
            var generation = ClaimFiles.Latest(path);
            if (generation == 0) return new ClaimView(path, 0, null, true);
            if (ClaimFiles.Read(path, generation) is not { } text) continue;   // superseded between the two calls
            var note = ClaimFiles.Parse(text);
            return new ClaimView(path, generation, note, IsOpen(path, $"{generation} {text}", note));
        }
    }

    bool IsOpen(string path, string text, ClaimNote? note)
    {
        if (note is { State: not ClaimState.Held }) return true;
        if (note is not null && ProcessTable.IsGone(note.Holder)) return true;
        var lease = note?.Holder.LeaseSeconds ?? me.LeaseSeconds;
        lock (_gate)
        {
            if (_seen.TryGetValue(path, out var before) && before.Text == text) return _time.GetElapsedTime(before.Seen).TotalSeconds > lease;
            _seen[path] = (text, _time.GetTimestamp());
            return false;
        }
    }
}
