using BirdResearch.Audio;

namespace BirdResearch.Data;

/// <summary>Measures one file in this process.</summary>
static class SoundExaminer
{
    /// <summary>
    /// Everything that can be said of a file by itself. A file that cannot be read is a measurement with a problem, not an exception.
    /// </summary>
    /// <param name="root">Folder that was scanned.</param>
    /// <param name="file">Path below it.</param>
    /// <param name="settings">Levels to measure at.</param>
    /// <param name="alive">Called after every piece that decoded; may be null.</param>
    public static SoundMeasures Examine(string root, string file, ScanSettings settings, Action? alive = null)
    {
        var path = Path.Combine(root, file);
        var measures = Start(root, file, settings);
        try
        {
            return WithSound(path, measures with { Signature = SoundSignature.Of(path) }, settings, alive);
        }
        catch (AudioFileException e)
        {
            return measures with { Signature = SignatureOrNull(path), Problem = ProblemOf(path, e), ProblemDetail = e.Reason };
        }
        catch (FileNotFoundException)
        {
            return measures with { Problem = ScanRules.Missing, ProblemDetail = "is not there." };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return measures with { Problem = ScanRules.Unreadable, ProblemDetail = e.Message };
        }
    }

    /// <summary>What identifies the file and the way of measuring, before anything was measured.</summary>
    public static SoundMeasures Start(string root, string file, ScanSettings settings)
    {
        var info = new FileInfo(Path.Combine(root, file));
        return new SoundMeasures
        {
            File = file,
            Bytes = info.Exists ? info.Length : 0,
            Written = info.Exists ? info.LastWriteTimeUtc.Ticks : 0,
            Key = settings.MeasureKey,
        };
    }

    static SoundMeasures WithSound(string path, SoundMeasures measures, ScanSettings settings, Action? alive)
    {
        SoundMeter? meter = null;
        try
        {
            var tooLong = false;
            var decoded = AudioFile.Visit(path, (interleaved, header) =>
            {
                meter ??= new SoundMeter(settings, header.SampleRate, header.Channels);
                meter.Add(interleaved);
                alive?.Invoke();
                return !(tooLong = meter.Seconds > settings.LongestHours * 3600);
            });
            var header = decoded.Header;
            measures = measures with
            {
                Format = header.Format,
                Subtype = header.Subtype,
                SampleRate = header.SampleRate,
                Channels = header.Channels,
                HeaderFrames = header.Frames,
                PromisedFrames = Promised(path, header, measures.Bytes),
                Complaint = decoded.Complaint,
                MissingBytes = ContainerPromise.MissingShare(path),
                LacksEnd = ContainerPromise.LacksOggEnd(path),
            };
            if (meter is null)
            {
                return header.Frames == 0 || decoded.Complaint is null
                    ? measures with { Problem = ScanRules.NoSamples, ProblemDetail = "has a header, and no samples after it." }
                    : measures with { Problem = ScanRules.Undecodable, ProblemDetail = $"opens, but nothing decodes: {decoded.Complaint}." };
            }
            measures = meter.Finish(measures);
            return tooLong
                ? measures with { Problem = ScanRules.TooLong, ProblemDetail = $"is longer than {settings.LongestHours:0.###} hours; cut it." }
                : measures;
        }
        finally
        {
            meter?.Dispose();
        }
    }

    // libsndfile gives an absurd count where it does not know, and an estimate for an mp3 that does not say.
    static long? Promised(string path, AudioInfo header, long bytes) =>
        header.Frames > 0 && header.Frames / 65536 <= bytes && !(header.Format == "MP3" && ContainerPromise.LacksMp3Length(path)) ? header.Frames : null;

    static string ProblemOf(string path, AudioFileException e) => SignatureOrNull(path) switch
    {
        SoundSignature.Empty => ScanRules.Empty,
        SoundSignature.GitLfsPointer => ScanRules.GitLfsPointer,
        SoundSignature.Markup or SoundSignature.Zeros or null => File.Exists(path) ? ScanRules.NotSound : ScanRules.Missing,
        _ => e.InnerException is UnauthorizedAccessException ? ScanRules.Unreadable : ScanRules.Undecodable,
    };

    static string? SignatureOrNull(string path)
    {
        try
        {
            return SoundSignature.Of(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
