using System.Text;
using System.Text.Json;
using BirdResearch.Files;

namespace BirdResearch.Data;

/// <summary>
/// What a scan has measured so far: a line per file, appended when the file is done, so that a scan that is killed loses only what was
/// under way. A line counts for the file's length and time and for the way of measuring that it was written under; one that is torn or
/// unreadable counts for nothing.
/// </summary>
sealed class ScanJournal : IDisposable
{
    readonly string _path;
    readonly FileStream _stream;
    readonly Dictionary<string, SoundMeasures> _known = [];
    int _stale;

    /// <summary>Opens the journal, made where it is not, for this process alone.</summary>
    public ScanJournal(string path)
    {
        _path = path;
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        try
        {
            _stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, 1 << 16);
        }
        catch (IOException e)
        {
            throw new IOException($"Another scan is writing {path} ({e.Message}). Wait for it or stop it.", e);
        }
        Load();
    }

    /// <summary>The measurements of a file, when it and the way of measuring are as they were; else null.</summary>
    public SoundMeasures? Find(SoundMeasures now) =>
        _known.TryGetValue(now.File, out var old) && (old.Bytes, old.Written, old.Key) == (now.Bytes, now.Written, now.Key) ? old : null;

    /// <summary>Appends one file's measurements, whole, before it returns. Safe from several threads.</summary>
    public void Add(SoundMeasures measures)
    {
        var line = JsonSerializer.SerializeToUtf8Bytes(measures, ScanJson.Options);
        lock (_known)
        {
            _stream.Write(line);
            _stream.WriteByte((byte)'\n');
            _stream.Flush();
            if (!_known.TryAdd(measures.File, measures))
            {
                _known[measures.File] = measures;
                _stale++;
            }
        }
    }

    /// <summary>Closes it, and writes it anew where most of its lines no longer count.</summary>
    public void Dispose()
    {
        lock (_known)
        {
            _stream.Dispose();
            if (_stale <= _known.Count) return;
            WholeFile.Write(_path, beside => File.WriteAllLines(beside, _known.Values.Select(m => JsonSerializer.Serialize(m, ScanJson.Options))));
        }
    }

    void Load()
    {
        using var reader = new StreamReader(_stream, Encoding.UTF8, false, 1 << 16, leaveOpen: true);
        while (reader.ReadLine() is { } line)
        {
            if (Parse(line) is not { } measures) _stale++;
            else
            {
                if (_known.ContainsKey(measures.File)) _stale++;
                _known[measures.File] = measures;
            }
        }
        // A torn last line must not swallow the next one.
        if (_stream.Length > 0)
        {
            _stream.Position = _stream.Length - 1;
            if (_stream.ReadByte() != '\n') _stream.WriteByte((byte)'\n');
        }
        _stream.Position = _stream.Length;
    }

    static SoundMeasures? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<SoundMeasures>(line, ScanJson.Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
