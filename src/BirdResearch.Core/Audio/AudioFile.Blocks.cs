namespace BirdResearch.Audio;

public static partial class AudioFile
{
    /// <summary>
    /// Decodes a file from start to end in stretches of at most 65536 samples, with channels apart and nothing checked, repaired or kept,
    /// so that a file of any length takes the same little memory. A file that opens but holds nothing is no error here.
    /// </summary>
    /// <exception cref="AudioFileException">The file cannot be opened as sound.</exception>
    public static DecodedSound Visit(string path, AudioBlock visit)
    {
        ArgumentNullException.ThrowIfNull(visit);
        return With(path, (file, _) =>
        {
            var info = file.Info;
            var header = new AudioInfo(
                SndFileFormat.Container(info.Format), SndFileFormat.Encoding(info.Format), info.SampleRate, info.Channels, info.Frames,
                info.Seekable != 0);
            var interleaved = new float[Math.Max(1, ChunkSamples / info.Channels) * info.Channels];
            var frames = 0L;
            for (int got; (got = (int)file.Read(interleaved)) > 0;)
            {
                frames += got;
                if (!visit(interleaved.AsSpan(0, got * info.Channels), header)) break;
            }
            return new DecodedSound(header, frames, file.Error);
        });
    }
}
