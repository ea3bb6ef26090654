using BirdResearch.Audio;
using BirdResearch.Inference.Submission;

namespace BirdResearch.Inference.Prediction;

/// <summary>Decodes a stretch of a recording and lets members score its rows. Each worker has one, with room of its own.</summary>
sealed class StretchScorer(Predictions predictions, PredictorSettings settings)
{
    readonly Dictionary<(int Samples, int Count), float[]> _windows = [];
    readonly Dictionary<int, (Waveform Sound, double Begin)> _sounds = [];   // by sample rate
    readonly RowWindows[] _cuts = [.. predictions.Members.Select(m => new RowWindows(m.Model.Card.Seconds, predictions.Plan.WindowSeconds))];
    Stretch? _open;

    /// <summary>Decodes for these members, once per sample rate, with as much sound around as the longest window needs.</summary>
    /// <exception cref="AudioFileException">The recording cannot be read.</exception>
    public void Open(Stretch stretch, IEnumerable<int> members, Pace pace)
    {
        var began = settings.Clock.GetTimestamp();
        if (_open != stretch) _sounds.Clear();
        _open = stretch;
        foreach (var rate in members.GroupBy(m => predictions.Members[m].Model.Card.SampleRate))
        {
            if (_sounds.ContainsKey(rate.Key)) continue;
            var reach = Enumerable.Range(0, _cuts.Length).Max(m => _cuts[m].Reach);
            var begin = Math.Max(0, Math.Floor(stretch.Start - reach));
            _sounds[rate.Key] = (AudioFile.Read(stretch.Recording.Recording.Path!, begin, stretch.End + reach - begin, rate.Key), begin);
        }
        pace.Add(Pace.Decoding, stretch.Count, settings.Clock.GetElapsedTime(began).TotalSeconds);
    }

    /// <summary>Lets a member score the rows of the open stretch that it has not scored.</summary>
    /// <param name="stretch">The open stretch.</param>
    /// <param name="member">The member.</param>
    /// <param name="mayGoOn">Asked before each call of the model; false ends the scoring with the rows that are done.</param>
    /// <param name="pace">Receives what each call cost.</param>
    /// <returns>Rows that were scored, and rows in which there is no sound.</returns>
    public (int Scored, int Silent) Score(Stretch stretch, int member, Func<bool> mayGoOn, Pace pace)
    {
        var (card, cut) = (predictions.Members[member].Model.Card, _cuts[member]);
        var (sound, begin) = _sounds[card.SampleRate];
        var rowsAtOnce = Math.Max(1, settings.BatchSize / cut.PerRow);
        var (scored, silent, at) = (0, 0, 0);
        var rows = stretch.Rows.ToArray();
        var batch = new List<int>(rowsAtOnce);
        var began = settings.Clock.GetTimestamp();
        while (at < rows.Length)
        {
            batch.Clear();
            var windows = Room(card.WindowSamples, rowsAtOnce * cut.PerRow);
            for (; at < rows.Length && batch.Count < rowsAtOnce; at++)
            {
                if (predictions.IsScored(member, stretch.FirstRow + at)) continue;
                if (Fill(rows[at], cut, sound, begin, windows, batch.Count, card.WindowSamples)) batch.Add(at);
                else silent++;
            }
            if (batch.Count == 0) continue;
            if (!mayGoOn()) return (scored, silent);
            var count = batch.Count * cut.PerRow;
            if (batch.Count < rowsAtOnce) windows = Trimmed(windows, count * card.WindowSamples);
            var logits = new float[count * card.Classes.Count];
            predictions.Members[member].Model.Score(windows, count, logits);
            for (var i = 0; i < batch.Count; i++)
                predictions.Set(member, stretch.FirstRow + batch[i], Mean(logits.AsSpan(i * cut.PerRow * card.Classes.Count, cut.PerRow * card.Classes.Count), card));
            scored += batch.Count;
            pace.Add(member, batch.Count, settings.Clock.GetElapsedTime(began).TotalSeconds);
            began = settings.Clock.GetTimestamp();
        }
        return (scored, silent);
    }

    static bool Fill(SubmissionRow row, RowWindows cut, Waveform sound, double begin, float[] windows, int place, int samples)
    {
        for (var i = 0; i < cut.PerRow; i++)
            if (!cut.Copy(row, i, sound, begin, windows.AsSpan(((place * cut.PerRow) + i) * samples, samples))) return false;
        return true;
    }

    /// <summary>Probabilities of a row: the mean over its windows.</summary>
    static float[] Mean(Span<float> logits, ModelCard card)
    {
        var classes = card.Classes.Count;
        var mean = new float[classes];
        for (var at = 0; at < logits.Length; at += classes)
        {
            var window = logits.Slice(at, classes);
            card.Scores.ToProbabilities(window);
            for (var c = 0; c < classes; c++) mean[c] += window[c];
        }
        for (var c = 0; c < classes; c++) mean[c] = Math.Clamp(mean[c] / (logits.Length / classes), 0, 1);
        return mean;
    }

    // Models take arrays of the exact length, so that none has to be copied.
    float[] Room(int samples, int count) => _windows.TryGetValue((samples, count), out var room) ? room : _windows[(samples, count)] = new float[samples * count];

    static float[] Trimmed(float[] windows, int length) => windows.AsSpan(0, length).ToArray();
}
