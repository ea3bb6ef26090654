using System.Security.Cryptography;
using System.Text;

namespace BirdResearch.Data;

/// <summary>Leaves the files of a quarantine list out of a data set.</summary>
static class Quarantine
{
    const int Shown = 3;

    /// <summary>The data set without them, with a note that says so and another content key; the data set itself where none is in it.</summary>
    public static Dataset Apply(Dataset data)
    {
        var list = QuarantineList.Read(QuarantineList.PathFor(data.Root, data.Name));
        if (list.Lines.Count == 0) return data;
        var used = data.Focal.Select(c => c.File).Concat(data.Soundscapes.Select(c => c.File)).Concat(data.Unlabelled).Concat(data.NoCall).ToHashSet();
        var known = data.LeftOut.Select(l => l.File).Concat(used).ToHashSet();
        var notes = data.Notes.ToList();
        QuarantineLine[] absent = [.. list.Lines.Where(l => !known.Contains(l.File) && !File.Exists(Path.Combine(data.Root, l.File)))];
        if (absent.Length > 0)
            notes.Add($"{absent.Length} of {list.Lines.Count} lines of {list.Path} name files that are not in {data.Name}, first: {absent[0].File} (line {absent[0].Number}).");
        QuarantineLine[] left = [.. list.Lines.Where(l => l.LeavesOut && used.Contains(l.File)).OrderBy(l => l.File, StringComparer.Ordinal)];
        if (left.Length == 0) return data with { Notes = notes };

        var files = left.Select(l => l.File).ToHashSet();
        Clip[] focal = [.. data.Focal.Where(c => !files.Contains(c.File))];
        Clip[] soundscapes = [.. data.Soundscapes.Where(c => !files.Contains(c.File))];
        if (focal.Length == 0 && data.Focal.Count > 0 || soundscapes.Length == 0 && data.Focal.Count == 0)
            throw new InvalidDataException($"{list.Path} leaves out every recording of {data.Name}. Remove lines from it, or change their reason to keep.");
        var first = string.Join(", ", left.Take(Shown).Select(l => $"{l.File} ({l.Reason})"));
        var more = left.Length > Shown ? $" and {left.Length - Shown} more" : "";
        notes.Add($"Left out by {list.Path}: {left.Length} of {used.Count} files: {first}{more}.");
        return data with
        {
            Focal = focal,
            Soundscapes = soundscapes,
            Unlabelled = [.. data.Unlabelled.Where(f => !files.Contains(f))],
            NoCall = [.. data.NoCall.Where(f => !files.Contains(f))],
            LeftOut = [.. data.LeftOut, .. left.Select(l => new LeftOutFile(l.File, l.Reason))],
            ContentKey = Convert.ToHexStringLower(SHA256.HashData(
                Encoding.UTF8.GetBytes(string.Join('\n', left.Select(l => l.File).Prepend(data.ContentKey))))),
            Notes = notes,
        };
    }
}
