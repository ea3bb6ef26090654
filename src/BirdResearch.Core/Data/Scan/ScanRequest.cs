namespace BirdResearch.Data;

/// <summary>What a scan asks a worker: to measure a file, or to compare two where a match says that they may be alike.</summary>
sealed record ScanRequest(string File, string? Other = null, FingerprintMatch? Match = null);

/// <summary>What the worker answers: measurements, or a correlation.</summary>
sealed record ScanAnswer(SoundMeasures? Measures = null, double? Correlation = null);
