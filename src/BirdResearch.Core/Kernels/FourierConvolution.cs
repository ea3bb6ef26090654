using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>Long convolutions along time through the Fourier transform.</summary>
public static class FourierConvolution
{
    /// <summary>
    /// y_t = sum_{j &lt;= t} k[t - j] x_j, and with a kernel of the future also + sum_{j &gt; t} f[j - t - 1] x_j.
    /// </summary>
    /// <param name="x">Input, (B, H, L).</param>
    /// <param name="kernel">k, (K, H, M), M at most L.</param>
    /// <param name="future">f, of the shape of <paramref name="kernel"/>, or null for a causal convolution.</param>
    /// <returns>(B, K, H, L)</returns>
    public static Tensor Apply(Tensor x, Tensor kernel, Tensor? future = null)
    {
        using var scope = NewDisposeScope();
        var length = x.shape[^1];
        var whole = length + kernel.shape[^1];
        if (future is not null)
            kernel = nn.functional.pad(kernel, (0, length)).Plus(nn.functional.pad(future.flip(-1), (length, 0)));   // lag -1 is the last element
        var spectrum = fft.rfft(x, whole).unsqueeze(1) * fft.rfft(kernel, whole);                               // (B, K, H, F)
        return fft.irfft(spectrum, whole).narrow(-1, 0, length).MoveToOuterDisposeScope();
    }
}
