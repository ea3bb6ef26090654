namespace BirdResearch.Analysis

open System
open System.Numerics
open BirdResearch.Metrics

/// Permutations of two runs on the same recordings: every recording's scores are left or exchanged between them.
/// A mask is a bit per row, 64 to a word; a set bit exchanges the row.
[<RequireQualifiedAccess>]
module Swaps =
    let private words (rows: int) = (rows + 63) / 64

    /// Random exchanges of whole recordings; equal rows give equal masks, whatever was scored on them.
    let masks (count: int) (domain: string) (ids: string seq) : uint64[][] =
        let recordings = ids |> Seq.map (Statistics.recordingOf domain) |> Array.ofSeq
        let numbers = recordings |> Array.distinct |> Array.mapi (fun index name -> name, index) |> dict
        let rows = recordings |> Array.map (fun name -> numbers[name])
        let random = Random 20_261_123

        Array.init count (fun _ ->
            let exchanged = Array.init numbers.Count (fun _ -> random.Next 2 = 1)
            let mask = Array.zeroCreate<uint64> (words rows.Length)

            for row in 0 .. rows.Length - 1 do
                if exchanged[rows[row]] then mask[row / 64] <- mask[row / 64] ||| (1UL <<< (row % 64))

            mask)

    /// The rows for which a condition holds, as bits.
    let private bits (rows: int) (condition: int -> bool) =
        let set = Array.zeroCreate<uint64> (words rows)

        for row in 0 .. rows - 1 do
            if condition row then set[row / 64] <- set[row / 64] ||| (1UL <<< (row % 64))

        set

    /// Rows at or above one threshold in each of two runs.
    [<Struct>]
    type private Above = { InLeft: uint64[]; InRight: uint64[] }

    /// Precision at a threshold when the rows of mask come from the second run; the sum over true rows of it is average precision.
    let inline private precision (mask: uint64[]) (positive: uint64[]) (first: uint64[]) (second: uint64[]) =
        let mutable seen, hits = 0, 0

        for word in 0 .. mask.Length - 1 do
            let chosen = (first[word] &&& ~~~mask[word]) ||| (second[word] &&& mask[word])
            seen <- seen + BitOperations.PopCount chosen
            hits <- hits + BitOperations.PopCount(chosen &&& positive[word])

        float hits / float seen

    /// Macro mAP of both runs after each exchange. Rows, their truth and classes must be the same in both.
    let maps (masks: uint64[][]) (left: Scores) (right: Scores) : float[] * float[] =
        let rows, classes = left.Ids.Count, left.Classes.Count
        let ofLeft, ofRight = Array.zeroCreate<float> masks.Length, Array.zeroCreate<float> masks.Length
        let truth, leftValues, rightValues = left.Truth.ToArray(), left.Values.ToArray(), right.Values.ToArray()
        let positivesOf (column: int) = [| for row in 0 .. rows - 1 do if truth[row * classes + column] then row |]
        let scored = [| for column in 0 .. classes - 1 do match positivesOf column with [||] -> () | found -> column, found |]

        for column, positives in scored do
            let positive = bits rows (fun row -> truth[row * classes + column])
            let inLeft = Array.init rows (fun row -> leftValues[row * classes + column])
            let inRight = Array.init rows (fun row -> rightValues[row * classes + column])

            let above (threshold: float) =
                { InLeft = bits rows (fun row -> inLeft[row] >= threshold)
                  InRight = bits rows (fun row -> inRight[row] >= threshold) }

            for row in positives do
                let atLeft, atRight = above inLeft[row], above inRight[row]
                let word, bit = row / 64, 1UL <<< (row % 64)
                let share = 1.0 / float (positives.Length * scored.Length)

                for index in 0 .. masks.Length - 1 do
                    let mask = masks[index]
                    let exchanged = mask[word] &&& bit <> 0UL
                    let own, other = if exchanged then atRight, atLeft else atLeft, atRight
                    ofLeft[index] <- ofLeft[index] + share * precision mask positive own.InLeft own.InRight
                    ofRight[index] <- ofRight[index] + share * precision mask positive other.InRight other.InLeft

        ofLeft, ofRight
