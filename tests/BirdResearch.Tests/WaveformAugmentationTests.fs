/// Augmentations of waveforms, each measured: what was asked for is what is heard.
module BirdResearch.Tests.WaveformAugmentationTests

open System
open Expecto
open BirdResearch.Data
open BirdResearch.Features
open BirdResearch.Kernels
open BirdResearch.Tests.Tensors

let private rate = 32_000
let private key (name: string) = SampleKey(7L, 2, name)

/// The window after an augmentation of probability 1.
let private after (name: string) (augmentation: WindowAugmentation) (window: float32[]) =
    let copy = Array.copy window
    augmentation.Apply(key name, copy.AsSpan(), AugmentationCounts())
    copy

let private power (x: float32[]) = x |> Array.averageBy (fun v -> float v * float v)
let private tone (hz: float) (seconds: float) =
    Array.init (int (seconds * float rate)) (fun i -> float32 (0.3 * sin (2.0 * Math.PI * hz * float i / float rate)))

let private hiss (samples: int) =
    let random = CounterRandom(3L, 4L)
    Array.init samples (fun _ -> float32 (0.1 * random.NextGaussian()))

/// Power per bin of the Hann-windowed mean spectrum of so many samples at a time.
let private spectrum (size: int) (x: float32[]) =
    let fft = RealFft.Of size
    let re, im, scratch = Array.zeroCreate<float32> (size / 2), Array.zeroCreate<float32> (size / 2), Array.zeroCreate<float32> size
    let sums = Array.zeroCreate<float> (size / 2)
    for from in 0 .. size / 2 .. x.Length - size do
        let frame = Array.init size (fun i -> x[from + i] * float32 (0.5 - 0.5 * cos (2.0 * Math.PI * float i / float size)))
        fft.Forward(ReadOnlySpan frame, re.AsSpan(), im.AsSpan(), scratch.AsSpan())
        for k in 1 .. size / 2 - 1 do sums[k] <- sums[k] + float re[k] * float re[k] + float im[k] * float im[k]
    sums

/// Frequency of the strongest tone in Hz, by a parabola through the logarithms around the peak.
let private pitch (x: float32[]) =
    let powers = spectrum 8192 x
    let peak = Seq.maxBy (fun k -> powers[k]) (seq { 2 .. powers.Length - 2 })
    let a, b, c = log powers[peak - 1], log powers[peak], log powers[peak + 1]
    (float peak + 0.5 * (a - c) / (a - 2.0 * b + c)) * float rate / 8192.0

let private added (before: float32[]) (after: float32[]) = Array.map2 (-) after before
let private decibels ratio = 10.0 * log10 ratio

/// Slope in powers of frequency between two frequencies: 0 for white, -1 for pink.
let private slope (low: float) (high: float) (x: float32[]) =
    let powers = spectrum 4096 x
    let bands =
        [ for octave in 0 .. int (Math.Log2(high / low)) - 1 ->
              let from, until = int (low * 2.0 ** float octave / float rate * 4096.0), int (low * 2.0 ** float (octave + 1) / float rate * 4096.0)
              Math.Log2(Array.average powers[from .. until - 1]) ]
    (List.last bands - List.head bands) / float (bands.Length - 1)

let private impulse = Array.init 32_768 (fun i -> if i = 0 then 1.0f else 0.0f)

/// Gain in dB at a frequency, from the answer to an impulse.
let private gainAt (hz: float) (answer: float32[]) =
    let re, im, scratch = Array.zeroCreate<float32> 16_384, Array.zeroCreate<float32> 16_384, Array.zeroCreate<float32> 32_768
    RealFft.Of(32_768).Forward(ReadOnlySpan answer, re.AsSpan(), im.AsSpan(), scratch.AsSpan())
    let k = int (Math.Round(hz / float rate * 32_768.0))
    decibels (float re[k] ** 2.0 + float im[k] ** 2.0)


let private at (db: float) = GaussianNoiseSettings(Probability = 1.0, MinSnrDb = db, MaxSnrDb = db)
let private coloured (colour: string) (db: float) = ColouredNoise(NoiseSettings(Probability = 1.0, MinSnrDb = db, MaxSnrDb = db, Colours = colour), rate)
let private highPass hz order = HighPass(HighPassSettings(Probability = 1.0, MinHz = hz, MaxHz = hz, Order = order), rate)
let private lowPass hz order = LowPass(LowPassSettings(Probability = 1.0, MinHz = hz, MaxHz = hz, Order = order), rate)
let private shifted semitones = PitchShift(PitchShiftSettings(Probability = 1.0, MinSemitones = semitones, MaxSemitones = semitones), rate)
let private speed factor = Speed(SpeedSettings(Probability = 1.0, MinFactor = factor, MaxFactor = factor))
let private tempo factor = TimeStretch(TimeStretchSettings(Probability = 1.0, MinFactor = factor, MaxFactor = factor), rate)
let private room rt60 wet = Reverberation(ReverberationSettings(Probability = 1.0, MinRt60 = rt60, MaxRt60 = rt60, MinWet = wet, MaxWet = wet), rate)

/// A tone that sounds for 0.2 s at 1, 2, 3 and 4 s.
let private beeps hz =
    tone hz 5.0 |> Array.mapi (fun i v ->
        let second, within = i / rate, float (i % rate) / float rate
        if second > 0 && within < 0.2 then v * float32 (sin (Math.PI * within / 0.2) ** 2.0) else 0.0f)

/// Middles of the loud stretches, in seconds.
let private onsets (x: float32[]) =
    let envelope = [| for from in 0 .. 160 .. x.Length - 160 -> power x[from .. from + 159] |]
    let loud = envelope |> Array.map (fun v -> v > 0.2 * Array.max envelope)
    let edges = [ for i in 1 .. loud.Length - 1 do if loud[i] <> loud[i - 1] then i ]
    [ for pair in List.chunkBySize 2 edges do if pair.Length = 2 then float (pair[0] + pair[1]) / 2.0 * 160.0 / float rate ]

/// The sum over the whole of the signal that a transform is, for every frequency.
let private plainTransform (re: float32[]) (im: float32[]) =
    let n = re.Length
    [| for k in 0 .. n - 1 ->
           let turn t = -2.0 * Math.PI * float (int64 k * int64 t % int64 n) / float n
           let sum f = Seq.sum (seq { for t in 0 .. n - 1 -> f t })
           sum (fun t -> float re[t] * cos (turn t) - float im[t] * sin (turn t)), sum (fun t -> float re[t] * sin (turn t) + float im[t] * cos (turn t)) |]

let private transforms = [
    for size in [ 1; 2; 4; 8; 16; 32; 64; 128; 256; 512; 1024 ] do
        test $"the transform of {size} agrees with the plain sum, and comes back" {
            let random = Random size
            let draw () = Array.init size (fun _ -> float32 (random.NextDouble() - 0.5))
            let re, im = draw (), draw ()
            let a, b, scratch = Array.copy re, Array.copy im, Array.zeroCreate<float32> (2 * size)
            let fft = ComplexFft.Of size
            fft.Forward(a.AsSpan(), b.AsSpan(), scratch.AsSpan())
            let want = plainTransform re im
            Expect.isLessThan (widest (Array.map fst want) (Array.map float a)) 2e-5 "real parts"
            Expect.isLessThan (widest (Array.map snd want) (Array.map float b)) 2e-5 "imaginary parts"
            fft.Backward(a.AsSpan(), b.AsSpan(), scratch.AsSpan())
            Expect.isLessThan (widest (Array.map float re) (a |> Array.map (fun v -> float v / float size))) 1e-6 "back"
            if size >= 4 then
                let half = size / 2
                let x, y = Array.zeroCreate<float32> half, Array.zeroCreate<float32> half
                let real = RealFft.Of size
                real.Forward(ReadOnlySpan re, x.AsSpan(), y.AsSpan(), scratch.AsSpan())
                let want = plainTransform re (Array.zeroCreate size)
                Expect.isLessThan (abs (fst want[0] - float x[0]) + abs (fst want[half] - float y[0])) 4e-5 "both ends"
                for k in 1 .. half - 1 do
                    Expect.isLessThan (abs (fst want[k] - float x[k]) + abs (snd want[k] - float y[k])) 4e-5 $"bin {k}"
                let back = Array.zeroCreate<float32> (size - 1)
                real.Backward(x.AsSpan(), y.AsSpan(), back.AsSpan(), scratch.AsSpan())
                Expect.isLessThan (widest (Array.map float re[.. size - 2]) (back |> Array.map (fun v -> float v / float half))) 1e-6 "real back, one sample less"
        }
]

let private heard = [
    for db in [ -5.0; 3.0; 20.0 ] do
        test $"noise asked for at {db} dB is measured at {db} dB, Gaussian and coloured" {
            let clip = tone 2000.0 5.0
            for name, augmentation in
                [ "Gaussian", (GaussianNoise(at db) :> WindowAugmentation)
                  for colour in [ "white"; "pink"; "brown"; "blue"; "violet" ] do colour, coloured colour db ] do
                let noise = added clip (after name augmentation clip)
                Expect.isLessThan (abs (decibels (power clip / power noise) - db)) 0.02 name
        }
    test "an SNR lies in its range, anywhere" {
        let clip = tone 2000.0 0.5
        let noise = GaussianNoise(GaussianNoiseSettings(Probability = 1.0, MinSnrDb = 5.0, MaxSnrDb = 15.0))
        let found = [ for i in 1..200 -> decibels (power clip / power (added clip (after $"{i}" noise clip))) ]
        Expect.isTrue (found |> List.forall (fun db -> db > 4.99 && db < 15.01)) "range"
        Expect.isLessThan (abs (List.average found - 10.0)) 1.1 "mean of 200, five deviations"
        Expect.isTrue (List.min found < 5.5 && List.max found > 14.5) "both ends"
    }
    for colour, exponent in [ "white", 0.0; "pink", -1.0; "brown", -2.0; "blue", 1.0; "violet", 2.0 ] do
        test $"the power of {colour} noise goes as frequency to the power of {exponent}" {
            let clip = tone 2000.0 5.0
            let noise = added clip (after "n" (coloured colour 0.0) clip)
            Expect.isLessThan (abs (slope 125.0 8000.0 noise - exponent)) 0.08 "slope"
        }
    test "Gaussian noise is white, normal and of no memory" {
        let clip = Array.create 160_000 0.5f
        let noise = added clip (after "g" (GaussianNoise(at 0.0)) clip) |> Array.map float
        let scale = sqrt (Array.averageBy (fun v -> v * v) noise)
        let x = noise |> Array.map (fun v -> v / scale)
        Expect.isLessThan (abs (Array.average x)) 0.0125 "mean, five deviations"
        Expect.isLessThan (abs ((x |> Array.averageBy (fun v -> v ** 4.0)) - 3.0)) 0.07 "kurtosis, five deviations"
        for limit, share in [ 1.0, 0.317311; 2.0, 0.0455; 3.0, 0.0027; 3.6, 0.000318 ] do
            let want, found = share * 160_000.0, x |> Array.filter (fun v -> abs v > limit) |> Array.length |> float
            Expect.isLessThan (abs (found - want)) (5.0 * sqrt want) $"beyond {limit}"
        Expect.isLessThan (abs (Array.averageBy (fun i -> x[i] * x[i + 1]) [| 0 .. 159_998 |])) 0.0125 "from sample to sample"
        Expect.isLessThan (abs (slope 125.0 8000.0 (Array.map float32 noise))) 0.08 "white"
    }
    for order in [ 2; 4; 8 ] do
        test $"filters of order {order} answer as Butterworth's formula says" {
            for hz in [ 200.0; 1000.0; 6000.0 ] do
                let low, high = after "f" (lowPass hz order) impulse, after "f" (highPass hz order) impulse
                for f in [ 0.5 * hz; hz; 2.0 * hz ] do
                    // Bilinear transform: tan(pi f / rate) is what an analogue filter has as its frequency.
                    let ratio = tan (Math.PI * (Math.Round(f / float rate * 32_768.0) / 32_768.0)) / tan (Math.PI * hz / float rate)
                    let want up = -10.0 * log10 (1.0 + ratio ** (float (2 * order) * if up then -1.0 else 1.0))
                    Expect.isLessThan (abs (gainAt f low - want false)) 0.05 $"low-pass at {hz} Hz, {f} Hz"
                    Expect.isLessThan (abs (gainAt f high - want true)) 0.05 $"high-pass at {hz} Hz, {f} Hz"
        }
    test "an equaliser raises or lowers a band by no more than asked, and leaves what is far away" {
        let bell name = after name (Equaliser(EqualiserSettings(Probability = 1.0, Bands = 1, MaxGainDb = 9.0, MinHz = 2000.0, MaxHz = 2000.0, MinQ = 1.0, MaxQ = 1.0), rate)) impulse
        let middles = [ for i in 1..40 -> let answer = bell $"{i}" in Expect.isLessThan (abs (gainAt 60.0 answer)) 0.1 "far below"; gainAt 2000.0 answer ]
        Expect.isTrue (middles |> List.forall (fun g -> abs g <= 9.05)) "range"
        Expect.isTrue (List.max middles > 6.0 && List.min middles < -6.0) "both ways"
    }
    for semitones in [ -7.0; -2.0; 0.5; 2.0; 12.0 ] do
        test $"a pitch shift by {semitones} semitones moves tones by as much and every sound stays at its time" {
            for hz in [ 700.0; 3100.0 ] do
                let moved = after "p" (shifted semitones) (tone hz 5.0)
                Expect.equal moved.Length 160_000 "length"
                Expect.isLessThan (abs (12.0 * Math.Log2(pitch moved / hz) - semitones)) 0.03 $"{hz} Hz"
                Expect.isLessThan (abs (decibels (power moved[16_000..144_000] / power (tone hz 1.0)))) 0.6 "level"
                let powers = spectrum 8192 moved[16_000..144_000]
                let peak = int (hz * 2.0 ** (semitones / 12.0) / float rate * 8192.0)
                Expect.isLessThan (decibels (1.0 - Array.sum powers[peak - 40 .. peak + 40] / Array.sum powers)) -25.0 "nothing besides the tone"
            let found = onsets (after "p" (shifted semitones) (beeps 2000.0))
            Expect.equal found.Length 4 "beeps"
            for want, got in List.zip (onsets (beeps 2000.0)) found do Expect.isLessThan (abs (want - got)) 0.012 "time"
        }
    test "a stretch and a pitch shift leave noise as loud as it was, and a click where it was" {
        let clip = hiss 160_000
        for name, augmentation in [ "slower", (tempo 0.8 :> WindowAugmentation); "faster", tempo 1.25; "lower", shifted -2.0; "higher", shifted 2.0 ] do
            Expect.isLessThan (abs (decibels (power (after "x" augmentation clip) / power clip))) 0.4 name
        let click = Array.init 160_000 (fun i -> if i = 80_000 then 1.0f else 0.0f)
        let energy = after "x" (shifted 2.0) click |> Array.map (fun v -> float v * float v)
        let middle = (energy |> Array.indexed |> Array.sumBy (fun (i, e) -> float i * e)) / Array.sum energy
        Expect.isLessThan (abs (middle - 80_000.0)) 160.0 "within 5 ms"
        Expect.isGreaterThan (Array.sum energy[79_488..80_512]) (0.99 * Array.sum energy) "not smeared beyond a frame of 16 ms on each side"
    }
    for factor in [ 0.8; 0.95; 1.1; 1.25 ] do
        test $"speed {factor} moves pitch and time, a stretch by {factor} time alone" {
            let taped = after "s" (speed factor) (tone 2000.0 5.0)
            let stretched = after "s" (tempo factor) (tone 2000.0 5.0)
            Expect.isLessThan (abs (pitch taped / 2000.0 / factor - 1.0)) 2e-4 "pitch of the faster tape"
            Expect.isLessThan (abs (pitch stretched / 2000.0 - 1.0)) 1e-3 "pitch of the stretched"
            for name, x in [ "tape", after "s" (speed factor) (beeps 2000.0); "stretch", after "s" (tempo factor) (beeps 2000.0) ] do
                let gaps = onsets x |> List.pairwise |> List.map (fun (a, b) -> b - a) |> List.filter (fun gap -> gap < 1.9 / factor)
                Expect.isGreaterThanOrEqual gaps.Length 2 name
                for gap in gaps do Expect.isLessThan (abs (gap * factor - 1.0)) 0.02 $"{name}: seconds from beep to beep"
        }
    test "a tape that runs faster folds nothing down from above the highest frequency" {
        let taped = after "s" (speed 1.25) (tone 14_500.0 5.0)   // would be 18,125 Hz, which is above 16,000
        Expect.isLessThan (decibels (power taped / power (tone 14_500.0 5.0))) -50.0 "what is left"
    }
    for rt60 in [ 0.25; 0.6; 1.2 ] do
        test $"a room of {rt60} s falls by 60 dB in {rt60} s" {
            let knock = Array.init 64_000 (fun i -> if i = 0 then 1.0f else 0.0f)
            let answer = after "r" (room rt60 0.5) knock
            // Schroeder's integral: the power that is still to come, after the sound itself.
            let coming = Array.scanBack (fun (v: float32) sum -> sum + float v * float v) answer[1..] 0.0
            let seconds db = float (Array.findIndex (fun v -> decibels (v / coming[0]) < db) coming) / float rate
            Expect.isLessThan (abs (2.0 * (seconds -35.0 - seconds -5.0) / rt60 - 1.0)) 0.06 "from the fall between -5 and -35 dB"
        }
    test "a room gives the share of the power that was asked for, and the whole keeps its power" {
        let clip = hiss 160_000
        for wet in [ 0.1; 0.4; 0.9 ] do
            let heard = after "r" (room 0.5 wet) clip
            let echo = Array.map2 (fun (a: float32) (b: float32) -> b - float32 (sqrt (1.0 - wet)) * a) clip heard
            Expect.isLessThan (abs (power echo / power clip - wet)) 0.01 "share"
            Expect.isLessThan (abs (decibels (power heard / power clip))) 0.25 "whole"
    }
    test "a gain is what it says, and polarity changes the sign" {
        let clip = hiss 3001
        let louder = after "g" (Gain(GainSettings(Probability = 1.0, MinDb = 6.0, MaxDb = 6.0))) clip
        Expect.isLessThan (widest (Array.map float louder) (clip |> Array.map (fun v -> float v * 10.0 ** 0.3))) 1e-6 "6 dB"
        Expect.equal (after "p" (Polarity(PolaritySettings(Probability = 1.0))) clip) (Array.map (~-) clip) "sign"
    }
]

/// Sound without labels for the augmentations that need some: a hum of its own for every place.
let hum =
    { new IBackgroundSounds with
        member _.Read(random, _, window) =
            let step = random.NextDouble(0.05, 0.3)
            for i in 0 .. window.Length - 1 do window[i] <- float32 (0.05 * sin (step * float i)) }

let private windows = Augmentations.All |> Seq.filter (fun e -> e.Stage = AugmentationStage.Window) |> List.ofSeq

let private everything = [
    for entry in windows do
        test $"{entry.Name} makes finite sound of silence, a click, full scale and very short windows, at every rate" {
            for rate in [ 16_000; 22_050; 32_000; 48_000 ] do
                use augmenter = new Augmenter(entry.Alone.Invoke 1.0, rate, backgrounds = hum)
                for name, window in
                    [ "silence", Array.zeroCreate<float32> rate
                      "nearly silence", Array.create rate 1e-20f
                      "a click", Array.init rate (fun i -> if i = 100 then 1.0f else 0.0f)
                      "full scale", Array.init rate (fun i -> if i % 2 = 0 then 1.0f else -1.0f)
                      "an offset", Array.create rate 0.5f
                      "one sample", [| 0.3f |]
                      "99 samples", hiss 99 ] do
                    for i in 1..3 do
                        let copy = Array.copy window
                        augmenter.OnWindow(key $"{name} {i}", copy.AsSpan())
                        Expect.isTrue (copy |> Array.forall Single.IsFinite) $"{name} at {rate} Hz"
                        Expect.isLessThan (copy |> Array.fold (fun most v -> max most (abs v)) 0.0f) 500.0f $"{name} at {rate} Hz"
        }
    test "digital silence has no SNR and no room: those leave it, and do not count it" {
        for entry in windows do
            if List.contains entry.Name [ GaussianNoise.Name; ColouredNoise.Name; Background.Name; Reverberation.Name ] then
                use augmenter = new Augmenter(entry.Alone.Invoke 1.0, rate, backgrounds = hum)
                let window = Array.zeroCreate<float32> 4000
                augmenter.OnWindow(key "silence", window.AsSpan())
                Expect.allEqual window 0.0f entry.Name
                Expect.equal (augmenter.Counts.Of entry.Name) (AugmentationCount(0L, 1L)) entry.Name
    }
    test "what one augmentation does to a sample does not depend on which others are switched on" {
        // Polarity comes last and undoes itself: with it, everything before must be the same but for the sign.
        for entry in windows do
            if entry.Name <> Polarity.Name then
                let alone = entry.Alone.Invoke 1.0
                let both = AugmentationSettings(TimeShift = alone.TimeShift, Speed = alone.Speed, TimeStretch = alone.TimeStretch, PitchShift = alone.PitchShift, Reverberation = alone.Reverberation,
                                                Background = alone.Background, Noise = alone.Noise, GaussianNoise = alone.GaussianNoise, HighPass = alone.HighPass, LowPass = alone.LowPass,
                                                Equaliser = alone.Equaliser, Gain = alone.Gain, Polarity = PolaritySettings(Probability = 1.0))
                let result (settings: AugmentationSettings) =
                    use augmenter = new Augmenter(settings, rate, backgrounds = hum)
                    let window = hiss 8000
                    augmenter.OnWindow(key "x", window.AsSpan())
                    window
                Expect.equal (result both |> Array.map (~-)) (result alone) entry.Name
    }
    test "samples are the same for one reading thread and five, whatever the batch size" {
        use scratch = new SmallData.Scratch()
        let clips = [ for i in 1..12 -> SmallData.clip $"c{i}" "a" $"g{i}" ]
        for clip in clips do scratch.Ramp(clip.File, 1.0 + float clip.Id.Length, 8000)
        let data = SmallData.dataset scratch.Root clips
        let settings = Augmentations.All |> Seq.filter (fun e -> e.Stage = AugmentationStage.Window) |> Seq.map (fun e -> e.Alone.Invoke 0.6) |> Array.ofSeq
        let of' name = settings[Seq.findIndex (fun (e: AugmentationEntry) -> e.Name = name) windows]
        let all = AugmentationSettings(TimeShift = (of' TimeShift.Name).TimeShift, Speed = (of' Speed.Name).Speed, TimeStretch = (of' TimeStretch.Name).TimeStretch, PitchShift = (of' PitchShift.Name).PitchShift,
                                       Reverberation = (of' Reverberation.Name).Reverberation, Background = (of' Background.Name).Background, Noise = (of' ColouredNoise.Name).Noise,
                                       GaussianNoise = (of' GaussianNoise.Name).GaussianNoise, Equaliser = (of' Equaliser.Name).Equaliser, Gain = (of' Gain.Name).Gain)
        let samples workers batch =
            use augmenter = new Augmenter(all, 8000, backgrounds = hum)
            let reader = WindowReader(data, 8000, 0.5)
            Map [ for b in ClipBatches.Training(reader, data.Focal, data.Classes, batch, 3L, 1, WindowChange(fun key window -> augmenter.OnWindow(key, window)), Nullable workers) do
                      for row in 0 .. b.Count - 1 -> b.Ids[row], b.Samples[row * b.WindowSamples .. (row + 1) * b.WindowSamples - 1] ],
            augmenter.Counts.All |> Seq.map (|KeyValue|) |> List.ofSeq
        let one = samples 1 4
        Expect.equal (samples 5 4) one "five threads"
        Expect.equal (samples 3 5) one "batches of five"
        Expect.isTrue (snd one |> List.exists (fun (_, count) -> count.Applied > 0L && count.Applied < 12L)) "some of them"
    }
]

let private backgrounds = [
    test "backgrounds come from soundscapes without labels or from training recordings, never from what is held out or tested on" {
        use scratch = new SmallData.Scratch()
        let clips = [ for i in 1..8 -> SmallData.clip $"c{i}" "a" $"g{i}" ]
        let window = SmallData.clip "tested_5" "a" "tested"
        let data = Dataset(Name = "made-up", Root = scratch.Root, Layout = "birdclef", Classes = [| "a" |], Focal = Array.ofList clips, Soundscapes = [| window |],
                           Unlabelled = [| "unlabeled_soundscapes/u1.wav"; window.File; "unlabeled_soundscapes/u2.wav" |], Labelling = Labelling.MultiLabel, GroupedBy = "author", ContentKey = "")
        let split = Split(Train = clips[..5], Validation = clips[6..], Fold = 0, Folds = [| 0 |], Rule = "", ClassesWithoutTraining = [||], ClassesWithoutValidation = [||])
        let reader = WindowReader(data, 8000, 0.5)
        let files source = (nonNull (BackgroundSounds.Of(BackgroundSettings(Probability = 0.5, Source = source), data, split, reader))).Files |> List.ofSeq
        Expect.equal (files BackgroundSource.Unlabelled) [ "unlabeled_soundscapes/u1.wav"; "unlabeled_soundscapes/u2.wav" ] "unlabelled"
        Expect.equal (files BackgroundSource.Training) [ for c in clips[..5] -> c.File ] "training"
        Expect.isNull (BackgroundSounds.Of(BackgroundSettings(), data, split, reader)) "not asked for"
        let none = Dataset(Name = "bare", Root = scratch.Root, Layout = "esc", Classes = [| "a" |], Focal = Array.ofList clips, Labelling = Labelling.MultiLabel, GroupedBy = "author", ContentKey = "")
        let message = messageOf (fun () -> BackgroundSounds.Of(BackgroundSettings(Probability = 0.5), none, split, reader))
        for part in [ "training.augmentation.background.probability is 0.5"; "'bare'"; "background.source=training" ] do Expect.stringContains message part "what is wrong and what to do"
    }
    test "a background is another recording than the clip's own, at the SNR asked for" {
        use scratch = new SmallData.Scratch()
        let clips = [ for i in 1..3 -> SmallData.clip $"c{i}" "a" $"g{i}" ]
        for index, clip in List.indexed clips do
            let level = 0.1f * float32 (index + 1)
            IO.Directory.CreateDirectory(IO.Path.Combine(scratch.Root, "audio")) |> ignore
            BirdResearch.Audio.AudioFile.Write(scratch.Path clip.File, BirdResearch.Audio.Waveform(Array.create 8000 level, 8000), BirdResearch.Audio.AudioFormat.WavFloat)
        let data = SmallData.dataset scratch.Root clips
        let split = Split(Train = clips, Validation = [||], Fold = 0, Folds = [| 0 |], Rule = "", ClassesWithoutTraining = [||], ClassesWithoutValidation = [||])
        let settings = BackgroundSettings(Probability = 1.0, MinSnrDb = 10.0, MaxSnrDb = 10.0, Source = BackgroundSource.Training)
        let sounds = nonNull (BackgroundSounds.Of(settings, data, split, WindowReader(data, 8000, 0.5)))
        let heard = Collections.Generic.HashSet<int>()
        for i in 1..60 do
            let window = Array.zeroCreate<float32> 4000
            sounds.Read(CounterRandom(int64 i), "c2", window.AsSpan())
            heard.Add(int (Math.Round(10.0 * float window[10]))) |> ignore
        Expect.equal (Seq.sort heard |> List.ofSeq) [ 1; 3 ] "the others"
        let clip = tone 1000.0 0.125
        let noise = added clip (after "c1" (Background(settings, sounds)) clip)
        Expect.isLessThan (abs (decibels (power clip / power noise) - 10.0)) 0.02 "SNR"
    }
]

let tests = testList "waveform augmentation" (transforms @ heard @ everything @ backgrounds)
