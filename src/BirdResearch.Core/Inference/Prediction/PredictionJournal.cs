using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace BirdResearch.Inference.Prediction;

/// <summary>
/// Keeps on disk what was scored so far, so that a prediction that was stopped or killed goes on from there. It belongs to one set of recordings
/// (names, sizes and times of change), rows, columns and models; for any other it starts afresh.
/// </summary>
public sealed class PredictionJournal : IDisposable
{
    const int KeyBytes = 32;

    readonly Predictions _predictions;
    readonly FileStream _file;
    readonly bool[][] _kept;

    PredictionJournal(Predictions predictions, FileStream file)
    {
        (_predictions, _file) = (predictions, file);
        _kept = [.. predictions.Members.Select(_ => new bool[predictions.Plan.Rows.Count])];
    }

    /// <summary>Rows that were taken from an earlier run, over all models.</summary>
    public int Restored { get; private set; }

    /// <summary>Opens or makes the file and fills the predictions with what it holds.</summary>
    public static PredictionJournal Open(string path, Predictions predictions)
    {
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e is not DirectoryNotFoundException)
        {
            throw new IOException($"'{path}' cannot be opened: another prediction is writing it, or the disk refuses it ({e.Message})", e);
        }
        var journal = new PredictionJournal(predictions, file);
        journal.Restore(Key(predictions));
        return journal;
    }

    /// <summary>Appends the rows that were scored since the last time.</summary>
    public void Save()
    {
        for (var m = 0; m < _kept.Length; m++)
            for (var r = 0; r < _kept[m].Length; r++)
                if (!_kept[m][r] && _predictions.IsScored(m, r))
                {
                    _kept[m][r] = true;
                    Span<int> place = [m, r];
                    _file.Write(MemoryMarshal.AsBytes(place));
                    _file.Write(MemoryMarshal.AsBytes(_predictions.Of(m, r)));
                }
        _file.Flush();
    }

    /// <summary>Removes the file: the prediction is complete.</summary>
    public void Delete()
    {
        _file.Dispose();
        File.Delete(_file.Name);
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    void Restore(byte[] key)
    {
        var held = new byte[KeyBytes];
        if (_file.ReadAtLeast(held, KeyBytes, throwOnEndOfStream: false) < KeyBytes || !held.AsSpan().SequenceEqual(key))
        {
            _file.SetLength(0);
            _file.Write(key);
            return;
        }
        var record = new byte[(2 * sizeof(int)) + (sizeof(float) * _predictions.Plan.Columns.Count)];
        var whole = _file.Position;
        while (_file.ReadAtLeast(record, record.Length, throwOnEndOfStream: false) == record.Length)
        {
            var place = MemoryMarshal.Cast<byte, int>(record.AsSpan(0, 2 * sizeof(int)));
            if (place[0] < 0 || place[0] >= _kept.Length || place[1] < 0 || place[1] >= _kept[0].Length) break;
            _predictions.Restore(place[0], place[1], MemoryMarshal.Cast<byte, float>(record.AsSpan(2 * sizeof(int))));
            _kept[place[0]][place[1]] = true;
            Restored++;
            whole = _file.Position;
        }
        _file.SetLength(whole);   // what a killed process left half written
        _file.Position = whole;
    }

    static byte[] Key(Predictions predictions)
    {
        var text = new StringBuilder("1\n").AppendJoin(',', predictions.Plan.Columns).Append('\n');
        foreach (var member in predictions.Members) text.Append(member.Model.GetType().Name).Append(' ').Append(member.Name).Append(' ').Append(member.Model.Card.Run).Append('\n');
        foreach (var recording in predictions.Plan.Recordings)
        {
            var file = recording.Recording.Path is { } path ? new FileInfo(path) : null;
            text.Append(CultureInfo.InvariantCulture, $"{recording.Recording.Stem} {(file is { Exists: true } ? $"{file.Length} {file.LastWriteTimeUtc.Ticks}" : "-")}");
            foreach (var row in recording.Rows) text.Append(CultureInfo.InvariantCulture, $" {row.Id} {row.Start} {row.End}");
            text.Append('\n');
        }
        return SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString()));
    }
}
