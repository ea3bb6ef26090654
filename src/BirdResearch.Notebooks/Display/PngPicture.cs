namespace BirdResearch.Notebooks.Display;

/// <summary>A picture.</summary>
/// <param name="Png">A PNG file.</param>
/// <param name="Text">What it shows, for where pictures cannot be drawn.</param>
/// <param name="Width">Width in CSS pixels; 0 takes the file's.</param>
/// <param name="Height">Height in CSS pixels; 0 takes the file's.</param>
public sealed record PngPicture(byte[] Png, string Text, int Width = 0, int Height = 0);
