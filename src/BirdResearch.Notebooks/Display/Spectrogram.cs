using TorchSharp;

namespace BirdResearch.Notebooks.Display;

/// <summary>Draws matrices as pictures, one pixel a value.</summary>
static class Spectrogram
{
    /// <summary>Rows and frames beyond these are left out of a picture, evenly.</summary>
    const int MostRows = 1024, MostFrames = 2048;

    const int Width = 640;

    public static PngPicture Of(torch.Tensor values, string title)
    {
        using var scope = torch.NewDisposeScope();
        var shape = values.shape;
        if (shape.Length < 2 || shape[..^2].Any(n => n != 1))
            throw new ArgumentException($"A picture is drawn of a matrix (rows, frames), not of a tensor ({string.Join(", ", shape)}); take one of its matrices, such as x[0].");
        if (values.numel() == 0) throw new ArgumentException($"A picture needs values; the matrix is {shape[^2]} x {shape[^1]}.");
        var matrix = values.detach().reshape(shape[^2], shape[^1]).to(torch.float32).cpu();
        var strides = (Rows: Stride(shape[^2], MostRows), Frames: Stride(shape[^1], MostFrames));
        matrix = matrix[torch.TensorIndex.Slice(step: strides.Rows), torch.TensorIndex.Slice(step: strides.Frames)].contiguous();
        return Drawn((int)matrix.shape[0], (int)matrix.shape[1], matrix.data<float>().ToArray(), shape[^2], shape[^1], title);
    }

    public static PngPicture Of(float[,] values, string title)
    {
        using var tensor = torch.tensor(values);
        return Of(tensor, title);
    }

    static PngPicture Drawn(int rows, int frames, float[] values, long wholeRows, long wholeFrames, string title)
    {
        var finite = values.Where(float.IsFinite).DefaultIfEmpty(0).ToArray();
        var (low, high) = (finite.Min(), finite.Max());
        var scale = high > low ? 255 / (high - low) : 0;
        var levels = values.Select(v => float.IsFinite(v) ? (byte)Math.Round((v - low) * scale) : (byte)0).ToArray();
        var text = $"{(title == "" ? "" : title + ": ")}{wholeRows} x {wholeFrames} values from {Values.Number(low)} to {Values.Number(high)}";
        return new PngPicture(Analysis.SoundCharts.picture(rows, frames, levels), text, Width, Math.Clamp(rows * 2, 96, 320));
    }

    static long Stride(long length, int most) => (length + most - 1) / most;
}
