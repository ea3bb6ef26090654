/// Models and clocks that tests can see through.
module BirdResearch.Tests.Listening

open System
open System.Threading
open BirdResearch.Inference

/// A clock that stands still until someone advances it.
type HandClock() =
    inherit TimeProvider()
    let mutable ticks = 0L
    override _.GetTimestamp() = Interlocked.Read &ticks
    override _.TimestampFrequency = 1_000_000L
    member _.Advance(seconds: float) = Interlocked.Add(&ticks, int64 (seconds * 1e6)) |> ignore

let card name rate seconds (classes: string list) =
    ModelCard(
        Name = name, Model = "listener", FrontEnd = "none", Run = name, SampleRate = rate, Seconds = seconds, Classes = classes,
        Scores = ScoreRule.Sigmoid, Prior = [ for i in 1 .. classes.Length -> 0.01 * float i ], Preprocessing = "{}")

/// Logits are the first sample of a window, its mean, its last sample ...: what it heard can be read off what it says.
type Listener(card: ModelCard, cost: unit -> unit) =
    let mutable calls = 0
    member _.Calls = calls
    interface IWindowClassifier with
        member _.Card = card
        member _.Dispose() = ()
        member _.Score(windows, count, logits) =
            Interlocked.Increment &calls |> ignore
            let samples = windows.Span
            for i in 0 .. count - 1 do
                cost ()
                let window = samples.Slice(i * card.WindowSamples, card.WindowSamples)
                let mutable sum = 0f
                for x in window do sum <- sum + x
                let figures = [| window[0]; sum / float32 window.Length; window[window.Length - 1] |]
                for c in 0 .. card.Classes.Count - 1 do logits[i * card.Classes.Count + c] <- figures[c % 3]

let sigmoid (x: float32) = 1f / (1f + MathF.Exp -x)
