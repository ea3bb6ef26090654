namespace BirdResearch.Experiments;

/// <summary>What a finished pretraining leaves in <c>run.json</c>.</summary>
public sealed record PretrainingRecord
{
    /// <summary>Version of this layout.</summary>
    public int Format { get; init; } = 1;

    /// <summary>Folder name: <c>model.data.s1-hash</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Settings, complete (front-end numbers filled in).</summary>
    public required PretrainingTrial Trial { get; init; }

    /// <summary>What was trained.</summary>
    public required PretrainingModelFacts Model { get; init; }

    /// <summary>What it learned from.</summary>
    public required PretrainingDataFacts Data { get; init; }

    /// <summary>Losses of the last epoch's weights on held-out recordings; null where none are held out.</summary>
    public PretrainingScores? Validation { get; init; }

    /// <summary>What it cost.</summary>
    public required PretrainingCost Cost { get; init; }

    /// <summary>Where it ran.</summary>
    public required Machine Machine { get; init; }
}

/// <summary>Size of a pretraining model.</summary>
/// <param name="Name">Catalogue name.</param>
/// <param name="Parameters">Trainable parameters, those of the two prediction heads included.</param>
/// <param name="Rows">Feature rows.</param>
/// <param name="Frames">Feature frames of one window.</param>
/// <param name="Patches">Patches of one window.</param>
/// <param name="Hidden">Patches hidden in training.</param>
public sealed record PretrainingModelFacts(string Name, long Parameters, long Rows, long Frames, long Patches, int Hidden);

/// <summary>The sound of a pretraining.</summary>
/// <param name="Name">Data sets, joined by +.</param>
/// <param name="ContentKey">Hash of what they hold.</param>
/// <param name="Recordings">Recordings learned from.</param>
/// <param name="Seconds">Their length.</param>
/// <param name="Windows">Windows of one epoch.</param>
/// <param name="ValidationWindows">Windows of held-out recordings.</param>
public sealed record PretrainingDataFacts(string Name, string ContentKey, int Recordings, double Seconds, int Windows, int ValidationWindows);

/// <summary>How well hidden patches are known.</summary>
/// <param name="Nce">InfoNCE.</param>
/// <param name="Mse">Mean squared error.</param>
/// <param name="MaskedAccuracy">Share of patches told apart, in [0, 1].</param>
public sealed record PretrainingScores(double Nce, double Mse, double MaskedAccuracy);

/// <summary>Time spent.</summary>
/// <param name="Seconds">Seconds in training steps, validation excluded.</param>
/// <param name="ClipsPerSecond">Windows per second of it.</param>
/// <param name="Steps">Optimiser steps.</param>
/// <param name="Clips">Windows learned from.</param>
/// <param name="Finished">When it ended, UTC.</param>
public sealed record PretrainingCost(double Seconds, double ClipsPerSecond, long Steps, long Clips, DateTime Finished);
