namespace BirdResearch.Experiments;

/// <summary>A point of a robustness curve.</summary>
/// <param name="Run">Name of the run whose weights were scored.</param>
/// <param name="Knob">What was changed.</param>
/// <param name="Value">Its level, as written.</param>
/// <param name="Map">Macro mAP; null where no species is heard.</param>
/// <param name="Low">Lower end of its interval over recordings; null for fewer than two.</param>
/// <param name="High">Upper end.</param>
/// <param name="Recordings">Soundscapes that were scored.</param>
public sealed record RobustnessRow(string Run, string Knob, string Value, double? Map, double? Low, double? High, int Recordings)
{
    /// <summary>The domain that was scored, such as <c>soundscape@snr_db=-5</c>.</summary>
    public string Domain => $"soundscape@{Knob}={Value}";
}
