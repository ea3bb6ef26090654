namespace BirdResearch.Audio;

/// <summary>A sound file that cannot be read or written: which file, what is wrong with it and what to do.</summary>
public sealed class AudioFileException : IOException
{
    /// <summary>The message is <c>path: reason</c>.</summary>
    public AudioFileException(string path, string reason, Exception? innerException = null) : base($"{path}: {reason}", innerException)
    {
        Path = path;
        Reason = reason;
    }

    /// <summary>The file, as it was asked for.</summary>
    public string Path { get; }

    /// <summary>What is wrong with it, without the path.</summary>
    public string Reason { get; }
}
