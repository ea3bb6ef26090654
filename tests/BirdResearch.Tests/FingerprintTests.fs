module BirdResearch.Tests.FingerprintTests

open System
open System.IO
open Expecto
open BirdResearch.Audio
open BirdResearch.Data
open BirdResearch.Tests.SmallData

/// Chirps of random pitch, slope and length over soft noise: as little stationary as a bird.
let chirps (seed: int) (seconds: float) (rate: int) =
    let random = Random seed
    let samples = Array.init (int (seconds * float rate)) (fun _ -> float32 (0.004 * (random.NextDouble() - 0.5)))
    for _ in 1 .. int (3.0 * seconds) do
        let start, length = random.Next samples.Length, int (float rate * (0.05 + 0.25 * random.NextDouble()))
        let low, slope, level = 800.0 + 4500.0 * random.NextDouble(), 6000.0 * (random.NextDouble() - 0.5), 0.1 + 0.5 * random.NextDouble()
        for i in 0 .. min length (samples.Length - start) - 1 do
            let t = float i / float rate
            let swell = sin (Math.PI * float i / float length)
            samples[start + i] <- samples[start + i] + float32 (level * swell * sin (2.0 * Math.PI * (low * t + slope * t * t)))
    Waveform (samples, rate)

let noise (seed: int) (seconds: float) (rate: int) =
    let random = Random seed
    Waveform (Array.init (int (seconds * float rate)) (fun _ -> float32 (0.3 * (random.NextDouble() - 0.5))), rate)

/// Ticks twice a second, all alike, over noise of its own.
let clock (seed: int) (hertz: float) (seconds: float) (rate: int) =
    let random = Random seed
    let samples =
        Array.init (int (seconds * float rate)) (fun i ->
            let t = float (i % (rate / 2)) / float rate
            float32 (0.5 * exp (-200.0 * t) * sin (2.0 * Math.PI * hertz * t) + 0.002 * (random.NextDouble() - 0.5)))
    Waveform (samples, rate)

let silence (seconds: float) (rate: int) = Waveform (Array.zeroCreate (int (seconds * float rate)), rate)

let changed (change: float32[] -> float32[]) (sound: Waveform) = Waveform (change sound.Samples, sound.SampleRate)

let recoded format quality (sound: Waveform) =
    let path = Path.Combine (Path.GetTempPath (), $"bird-print-{Guid.NewGuid()}")
    try
        AudioFile.Write (path, sound, format, quality)
        AudioFile.Read path
    finally
        File.Delete path

let settings = ScanSettings (Threads = 2)

let pairs (matches: FingerprintMatch seq) = [ for m in matches -> m.First, m.Second ]

let tests =
    testList "Fingerprint" [
        test "the transform agrees with the plain sum" {
            let random = Random 1
            let re, im = Array.init 64 (fun _ -> random.NextSingle() - 0.5f), Array.init 64 (fun _ -> random.NextSingle() - 0.5f)
            let want =
                [| for k in 0 .. 63 ->
                    Seq.fold (fun (sum: Numerics.Complex) n -> sum + Numerics.Complex(float re[n], float im[n]) * Numerics.Complex.FromPolarCoordinates (1.0, -2.0 * Math.PI * float (k * n) / 64.0)) Numerics.Complex.Zero (seq { 0 .. 63 }) |]
            let x, y = Array.copy re, Array.copy im
            Fourier(64).Transform (x.AsSpan (), y.AsSpan ())
            for k in 0 .. 63 do
                Expect.floatClose Accuracy.low (float x[k]) want[k].Real $"real {k}"
                Expect.floatClose Accuracy.low (float y[k]) want[k].Imaginary $"imaginary {k}"
        }
        test "a fingerprint does not depend on the pieces in which the sound came, at any rate" {
            for rate in [ 16000; 22050; 32000; 44100; 8000 ] do
                let sound = chirps 3 4.3 rate
                let whole = (Fingerprint.Of sound).ToBytes ()
                for piece in [ 37; 4096; 50_000 ] do
                    let maker = FingerprintMaker rate
                    for part in Array.chunkBySize piece sound.Samples do maker.Add (ReadOnlySpan part)
                    Expect.equal (maker.Finish().ToBytes ()) whole $"{rate} Hz in pieces of {piece}"
        }
        test "a sound is found again louder, softer, re-encoded, resampled, cut, in noise and cut out of a longer one" {
            let original = chirps 5 12.0 32000
            let random = Random 9
            let versions =
                [ "half as loud", changed (Array.map (fun x -> 0.5f * x)) original, 0.0
                  "inverted", changed (Array.map (fun x -> -x)) original, 0.0
                  "vorbis at the lowest quality", recoded AudioFormat.OggVorbis 0.0 original, 0.0
                  "at 22050 Hz", Resampler.Resample (original, 22050), 0.0
                  "at 44100 Hz", Resampler.Resample (original, 44100), 0.0
                  "from 3.217 s on", changed (Array.skip (int (3.217 * 32000.0))) original, 3.217
                  "from 2.009 s on, 6 s, as vorbis", recoded AudioFormat.OggVorbis 0.2 (changed (Array.skip 64288 >> Array.truncate 192000) original), 2.009
                  "in noise 20 dB below", changed (Array.map (fun x -> x + float32 (0.03 * (random.NextDouble() - 0.5)))) original, 0.0 ]
            for name, version, offset in versions do
                let prints = [| Fingerprint.Of original; Fingerprint.Of version |]
                let found = FingerprintIndex.Matches (prints, settings)
                Expect.equal (pairs found) [ 0, 1 ] name
                Expect.isLessThan (abs (float found[0].Offset * Fingerprint.HopSeconds - offset)) 0.05 $"offset of {name}"
        }
        test "the index finds what laying each over each finds, with the same figures" {
            let base' = chirps 11 6.0 16000
            let sounds =
                [| base'; chirps 12 5.0 16000; changed (Array.skip 21000) base'; noise 1 5.0 16000; noise 2 5.0 16000
                   clock 3 2500.0 5.0 16000; silence 4.0 16000; recoded AudioFormat.OggVorbis 0.1 base'; chirps 13 4.0 16000 |]
            let prints = sounds |> Array.map Fingerprint.Of
            let plain = FingerprintIndex.Reference (prints, settings)
            Expect.equal (pairs plain) [ 0, 2; 0, 7; 2, 7 ] "the three cuts of one sound, and no other"
            Expect.equal (List.ofSeq (FingerprintIndex.Matches (prints, settings))) (List.ofSeq plain) "every match"
        }
        test "the correlation finds the shift and agrees with the plain formula" {
            let x = (chirps 21 0.6 16000).Samples
            let y = Array.append (Array.zeroCreate 123) x
            Expect.floatClose Accuracy.medium (WaveformMatch.Largest (ReadOnlySpan x, ReadOnlySpan y, 200)) 1.0 "shifted by 123"
            let other = (chirps 22 0.6 16000).Samples
            let plain =
                [ for k in 0 .. 200 ->
                    let a, b = Array.truncate (other.Length - k) x, Array.skip k other
                    abs (Array.fold2 (fun s p q -> s + float p * float q) 0.0 a b) / sqrt (Array.sumBy (fun p -> float p * float p) a * Array.sumBy (fun q -> float q * float q) b) ]
                |> List.max
            Expect.floatClose Accuracy.low (WaveformMatch.Largest (ReadOnlySpan x, ReadOnlySpan other, 200)) plain "unrelated"
            Expect.isLessThan plain 0.3 "and it is small"
        }
    ]
