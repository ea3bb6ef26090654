using System.Text.Json;
using BirdResearch.Files;

namespace BirdResearch.Data;

/// <summary>A scan as files: <c>files.csv</c>, <c>findings.csv</c>, <c>shared.csv</c>, <c>leaks.csv</c> and <c>summary.json</c>.</summary>
public static class ScanTables
{
    /// <summary>Writes all of them into a folder, which is made.</summary>
    public static void Write(string folder, ScanResult result)
    {
        Directory.CreateDirectory(folder);
        CsvTable.Write(Path.Combine(folder, "files.csv"),
            ["file", "role", "bytes", "format", "subtype", "sample_rate", "channels", "seconds", "peak", "rms", "mean", "clipped_share", "digital_silence",
                "near_silence", "not_finite", "cancellation_db", "header_frames", "frames", "missing_share", "problem", "sound_hash"],
            result.Files.Zip(result.Measures, (f, m) => new object?[]
            {
                f.File, Lower(f.Role), m.Bytes, m.Format ?? m.Signature, m.Subtype, m.SampleRate, m.Channels, m.Seconds, m.Peak, m.Rms, m.Mean, m.ClippedShare,
                m.DigitalSilence, m.NearSilence, m.NotFinite, m.CancellationDb, m.HeaderFrames, m.Frames, m.MissingBytes, m.Problem, m.SoundHash,
            }));
        CsvTable.Write(Path.Combine(folder, "findings.csv"), ["file", "rule", "severity", "detail"],
            result.Findings.Select(f => new object?[] { f.File, f.Rule, Lower(f.Severity), f.Detail }));
        CsvTable.Write(Path.Combine(folder, "shared.csv"),
            ["first", "second", "exact", "offset_seconds", "seconds", "share", "bit_errors", "correlation", "divided_by_folds", "leaks"],
            result.Shared.Select(s => new object?[]
            {
                s.First.File, s.Second.File, s.Exact, s.OffsetSeconds, s.Seconds, s.Share, s.Errors, s.Correlation, string.Join(' ', s.Folds), s.Leaks,
            }));
        CsvTable.Write(Path.Combine(folder, "leaks.csv"), ["kind", "what", "divided_by_folds", "files"],
            result.Leaks.Select(l => new object?[] { l.Kind, l.What, string.Join(' ', l.Folds), string.Join(' ', l.Files) }));
        WholeFile.Write(Path.Combine(folder, "summary.json"), JsonSerializer.Serialize(new
        {
            name = result.Name,
            files = result.Files.Count,
            seconds = result.Measures.Sum(m => m.Seconds),
            quarantined = result.ToQuarantine.Count(),
            findings = result.Counts.Select(c => new { rule = c.Rule, severity = Lower(c.Severity), files = c.Files }),
            shared = result.Shared.Count,
            shared_across_a_split = result.Shared.Count(s => s.Leaks),
            leaks = result.Leaks.CountBy(l => l.Kind).ToDictionary(),
        }, new JsonSerializerOptions { WriteIndented = true }) + "\n");
    }

    static string Lower(object word) => word.ToString()!.ToLowerInvariant();
}
