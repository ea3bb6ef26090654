using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using BirdResearch.Kernels;

namespace BirdResearch.Features;

/// <summary>
/// Makes a sound longer or shorter at the same pitch: a phase vocoder whose phases go on by what they turn within the sound itself over one hop,
/// and lock to their neighbours (Puckette 1995, "Phase-locked vocoder"), so that a peak's bins stay together and no angle is ever taken.
/// </summary>
static class PhaseVocoder
{
    const int Overlap = 4;
    const double FrameSeconds = 0.02;
    const float Faint = 1e-30f;

    // Frames of noise do not fall on each other in phase: of its power 4 mean(w^4) / 1.5^2 is left, with w^4 of a Hann window 35 / 128 on average.
    const double LeftOfNoise = 4 * 35.0 / 128 / (1.5 * 1.5);

    /// <summary>
    /// Output sample i is heard where the sound is at <c>start + i rate</c>; a rate above 1 is faster. Outside the sound there is silence.
    /// </summary>
    /// <param name="sound">Samples.</param>
    /// <param name="sampleRate">In Hz; a frame is the power of two next to 20 ms.</param>
    /// <param name="start">Where the output begins, in samples of the sound.</param>
    /// <param name="rate">Samples of the sound per sample of output.</param>
    /// <param name="output">Receives the sound.</param>
    public static void Stretch(ReadOnlySpan<float> sound, int sampleRate, double start, double rate, Span<float> output)
    {
        var size = 1 << Math.Max(4, (int)Math.Round(Math.Log2(FrameSeconds * sampleRate)));
        var (hop, bins) = (size / Overlap, size / 2 + 1);
        var (fft, width) = (ComplexFft.Of(size), bins + 2);      // a bin more on each side, so that every bin has neighbours
        using var memory = new Rented(8 * size + 8 * width);
        var numbers = memory.Span;
        numbers.Clear();
        var window = Take(ref numbers, size);
        for (var i = 0; i < size; i++) window[i] = (float)(0.5 - 0.5 * Math.Cos(2 * Math.PI * i / size));
        // squares of Hann windows at a quarter's hop sum to 1.5, and a transform and back multiplies by its size
        var fade = Take(ref numbers, size);
        for (var i = 0; i < size; i++) fade[i] = window[i] / (1.5f * size);
        Span<float> re = Take(ref numbers, size), im = Take(ref numbers, size), scratch = Take(ref numbers, 2 * size);
        Span<float> pairRe = Take(ref numbers, size), pairIm = Take(ref numbers, size);
        Span<float> nowRe = Take(ref numbers, width), nowIm = Take(ref numbers, width), wasRe = Take(ref numbers, width), wasIm = Take(ref numbers, width);
        Span<float> heldRe = Take(ref numbers, width), heldIm = Take(ref numbers, width), nextRe = Take(ref numbers, width), nextIm = Take(ref numbers, width);

        output.Clear();
        var first = true;
        for (int place = hop - size, odd = 0; ; place += hop, odd ^= 1)
        {
            var here = (int)Math.Round(start + (place + size / 2) * rate) - size / 2;
            Cut(sound, here, window, re);
            Cut(sound, here - hop, window, im);
            fft.Forward(re, im, scratch);
            Part(re, im, nowRe, nowIm, wasRe, wasIm, size);
            if (!first) TurnOn(nowRe, nowIm, wasRe, wasIm, heldRe, heldIm, nextRe, nextIm);
            else
            {
                nowRe.CopyTo(nextRe);
                nowIm.CopyTo(nextIm);
                first = false;
            }

            // Two frames come back in one transform: one as the real part, one as the imaginary.
            var last = place + hop >= output.Length;
            if (odd == 1) Join(heldRe, heldIm, nextRe, nextIm, pairRe, pairIm, size);
            else if (last)
            {
                nowRe.Clear();
                Join(nextRe, nextIm, nowRe, nowRe, pairRe, pairIm, size);
            }
            if (odd == 1 || last)
            {
                fft.Backward(pairRe, pairIm, scratch);
                Overlay(pairRe, fade, odd == 0 ? place : place - hop, output);
                if (odd == 1) Overlay(pairIm, fade, place, output);
            }
            if (last) return;
            nextRe.CopyTo(heldRe);
            nextIm.CopyTo(heldIm);
        }
    }

    /// <summary>Makes up for the power that noise and clicks lose: as loud as it was, by no more than the 3.1 dB that pure noise loses.</summary>
    public static void MakeUp(Span<float> sound, double power)
    {
        var left = Loudness.Power(sound);
        if (power > Loudness.Silence && left > Loudness.Silence) Loudness.Scale(sound, (float)Math.Sqrt(Math.Clamp(power / left, 1, 1 / LeftOfNoise)));
    }

    static Span<float> Take(ref Span<float> numbers, int count)
    {
        var taken = numbers[..count];
        numbers = numbers[count..];
        return taken;
    }

    static void Cut(ReadOnlySpan<float> sound, int from, ReadOnlySpan<float> window, Span<float> frame)
    {
        if (from >= 0 && from <= sound.Length - frame.Length)
        {
            var piece = sound.Slice(from, frame.Length);
            var a = MemoryMarshal.Cast<float, Vector<float>>(piece);
            var b = MemoryMarshal.Cast<float, Vector<float>>(window);
            var product = MemoryMarshal.Cast<float, Vector<float>>(frame);
            for (var i = 0; i < product.Length; i++) product[i] = a[i] * b[i];
            return;
        }
        for (var i = 0; i < frame.Length; i++) frame[i] = (uint)(from + i) < (uint)sound.Length ? sound[from + i] * window[i] : 0;
    }

    // The transforms of the real and of the imaginary part of what was transformed; bin k goes to place k + 1.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Part(
        ReadOnlySpan<float> re, ReadOnlySpan<float> im, Span<float> aRe, Span<float> aIm, Span<float> bRe, Span<float> bIm, int size)
    {
        var half = Vector256.Create(0.5f);
        var k = 0;
        for (; Vector256.IsHardwareAccelerated && k + 8 <= size / 2; k += 8)
        {
            if (k == 0) One(re, im, aRe, aIm, bRe, bIm, 0, 0);
            Vector256<float> r = Vector256.Create(re[(k + 1)..]), i = Vector256.Create(im[(k + 1)..]), s = Mirrored(re, size - k - 1), j = Mirrored(im, size - k - 1);
            ((r + s) * half).CopyTo(aRe[(k + 2)..]);
            ((i - j) * half).CopyTo(aIm[(k + 2)..]);
            ((i + j) * half).CopyTo(bRe[(k + 2)..]);
            ((s - r) * half).CopyTo(bIm[(k + 2)..]);
        }
        if (k > 0) k++;
        for (; k <= size / 2; k++) One(re, im, aRe, aIm, bRe, bIm, k, (size - k) & (size - 1));
    }

    static void One(
        ReadOnlySpan<float> re, ReadOnlySpan<float> im, Span<float> aRe, Span<float> aIm, Span<float> bRe, Span<float> bIm, int k, int mirror)
    {
        float r = re[k], i = im[k], s = re[mirror], j = im[mirror];
        (aRe[k + 1], aIm[k + 1]) = ((r + s) / 2, (i - j) / 2);
        (bRe[k + 1], bIm[k + 1]) = ((i + j) / 2, (s - r) / 2);
    }

    /// <summary>Eight numbers from a place down.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> Mirrored(ReadOnlySpan<float> numbers, int from) =>
        Vector256.Shuffle(Vector256.Create(numbers[(from - 7)..]), Vector256.Create(7, 6, 5, 4, 3, 2, 1, 0));

    // next = |now| u / |u| with u = (held_k - held_(k-1) - held_(k+1)) now conj(was): neighbours in a Hann peak have the other sign.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void TurnOn(
        ReadOnlySpan<float> nowRe, ReadOnlySpan<float> nowIm, ReadOnlySpan<float> wasRe, ReadOnlySpan<float> wasIm,
        ReadOnlySpan<float> heldRe, ReadOnlySpan<float> heldIm, Span<float> nextRe, Span<float> nextIm)
    {
        var k = 1;
        for (; k <= nowRe.Length - 1 - Vector<float>.Count; k += Vector<float>.Count)
        {
            Vector<float> a = new(nowRe[k..]), b = new(nowIm[k..]), c = new(wasRe[k..]), d = new(wasIm[k..]);
            var hr = new Vector<float>(heldRe[k..]) - new Vector<float>(heldRe[(k - 1)..]) - new Vector<float>(heldRe[(k + 1)..]);
            var hi = new Vector<float>(heldIm[k..]) - new Vector<float>(heldIm[(k - 1)..]) - new Vector<float>(heldIm[(k + 1)..]);
            Vector<float> tr = a * c + b * d, ti = b * c - a * d, ur = hr * tr - hi * ti, ui = hr * ti + hi * tr;
            var (size, length) = (a * a + b * b, ur * ur + ui * ui);
            var gain = Vector.SquareRoot(size / Vector.Max(length, new Vector<float>(Faint)));
            var turns = Vector.GreaterThan(length, new Vector<float>(Faint));
            Vector.ConditionalSelect(turns, ur * gain, a).CopyTo(nextRe[k..]);
            Vector.ConditionalSelect(turns, ui * gain, b).CopyTo(nextIm[k..]);
        }
        for (; k < nowRe.Length - 1; k++)
        {
            float a = nowRe[k], b = nowIm[k], c = wasRe[k], d = wasIm[k];
            float hr = heldRe[k] - heldRe[k - 1] - heldRe[k + 1], hi = heldIm[k] - heldIm[k - 1] - heldIm[k + 1];
            float tr = a * c + b * d, ti = b * c - a * d, ur = hr * tr - hi * ti, ui = hr * ti + hi * tr;
            var length = ur * ur + ui * ui;
            var gain = MathF.Sqrt((a * a + b * b) / MathF.Max(length, Faint));
            (nextRe[k], nextIm[k]) = length > Faint ? (ur * gain, ui * gain) : (a, b);
        }
    }

    // The spectrum of a + i b from those of two real frames, whose bin k is at place k + 1.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Join(
        ReadOnlySpan<float> aRe, ReadOnlySpan<float> aIm, ReadOnlySpan<float> bRe, ReadOnlySpan<float> bIm, Span<float> re, Span<float> im, int size)
    {
        (re[0], im[0], re[size / 2], im[size / 2]) = (aRe[1], bRe[1], aRe[size / 2 + 1], bRe[size / 2 + 1]);   // real frames: no imaginary part there
        var turned = Vector256.Create(7, 6, 5, 4, 3, 2, 1, 0);
        var k = 1;
        for (; Vector256.IsHardwareAccelerated && k + 8 <= size / 2; k += 8)
        {
            Vector256<float> ar = Vector256.Create(aRe[(k + 1)..]), ai = Vector256.Create(aIm[(k + 1)..]);
            Vector256<float> br = Vector256.Create(bRe[(k + 1)..]), bi = Vector256.Create(bIm[(k + 1)..]);
            (ar - bi).CopyTo(re[k..]);
            (ai + br).CopyTo(im[k..]);
            Vector256.Shuffle(ar + bi, turned).CopyTo(re[(size - k - 7)..]);
            Vector256.Shuffle(br - ai, turned).CopyTo(im[(size - k - 7)..]);
        }
        for (; k < size / 2; k++)
        {
            float ar = aRe[k + 1], ai = aIm[k + 1], br = bRe[k + 1], bi = bIm[k + 1];
            (re[k], im[k], re[size - k], im[size - k]) = (ar - bi, ai + br, ar + bi, br - ai);
        }
    }

    static void Overlay(ReadOnlySpan<float> frame, ReadOnlySpan<float> fade, int place, Span<float> output)
    {
        if (place >= 0 && place <= output.Length - frame.Length)
        {
            var a = MemoryMarshal.Cast<float, Vector<float>>(frame);
            var b = MemoryMarshal.Cast<float, Vector<float>>(fade);
            var sum = MemoryMarshal.Cast<float, Vector<float>>(output.Slice(place, frame.Length));
            for (var i = 0; i < sum.Length; i++) sum[i] += a[i] * b[i];
            return;
        }
        var (from, to) = (Math.Max(0, -place), Math.Min(frame.Length, output.Length - place));
        for (var i = from; i < to; i++) output[place + i] += frame[i] * fade[i];
    }
}
