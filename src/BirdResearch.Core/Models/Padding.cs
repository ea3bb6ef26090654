namespace BirdResearch.Models;

/// <summary>How a convolution pads its input with zeros.</summary>
enum Padding
{
    /// <summary><c>(kernel - 1) / 2</c> on both sides.</summary>
    Symmetric,

    /// <summary>TensorFlow's SAME: as much as the input size asks for, an odd element after the input.</summary>
    Same,
}
