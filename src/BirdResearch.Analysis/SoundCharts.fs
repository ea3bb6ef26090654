namespace BirdResearch.Analysis

open System
open System.IO
open System.Text.Json

/// A sparse code as a picture: the units that fire most often over time, the busiest above.
type CodePicture =
    { /// Units of the code in all, and in the picture.
      Units: int
      Shown: int
      Png: byte[] }

/// A clip that one run was asked about: its sound, its picture, what it is and what the run says.
type Example =
    { Id: string
      Domain: string
      /// Classes that are heard.
      Truth: string list
      /// Classes with the run's scores in 0 to 1, highest first.
      Predictions: (string * float) list
      /// Path of its sound, a wav file; None where it was left out.
      Sound: string option
      /// The spectrogram as a PNG file, low bands below; made when it is asked for.
      Png: Lazy<byte[]>
      /// Edges of the spectrogram in Hz, and its length in seconds.
      MinHz: float
      MaxHz: float
      Seconds: float
      /// Where the run's front-end gives a sparse code: that of the clip.
      Code: CodePicture option }

/// Spectrogram pictures with their sound.
[<RequireQualifiedAccess>]
module SoundCharts =
    /// A 5 s clip at 48 kHz and 16 bit has 0.5 MB; what is much larger does not belong into a page.
    let private largestWav = 4_000_000L

    let private soundOf (folder: string) (file: string) =
        if file <> RunReader.nameOf file || file.StartsWith '.' then
            RunReader.unreadable $"examples.json names '{file}'; a file beside it was expected."

        let path = Path.Combine(folder, file)

        // Results that are handed on have no sound, since recordings have licences.
        if not (File.Exists path) then
            None
        else
            if FileInfo(path).Length > largestWav then
                RunReader.unreadable $"examples/{file} is larger than {largestWav / 1_000_000L} MB."

            use stream = File.OpenRead path
            let head = Array.zeroCreate 12
            let read = stream.ReadAtLeast(head.AsSpan(), 12, throwOnEndOfStream = false)
            let has (offset: int) (mark: string) = read = 12 && Text.Encoding.ASCII.GetString(head, offset, 4) = mark

            if not (has 0 "RIFF" && has 8 "WAVE") then
                RunReader.unreadable $"examples/{file} is no wav file."

            Some path

    let private codeOf (item: JsonElement) =
        match item.TryGetProperty "code" with
        | true, code when code.ValueKind = JsonValueKind.Object ->
            let number (name: string) = code.GetProperty(name).GetInt32()
            let rows, frames = number "rows", number "frames"
            let values = code.GetProperty("values").GetBytesFromBase64()
            if values.Length <> rows * frames then RunReader.unreadable $"examples.json has a code of {values.Length} cells; {rows} x {frames} were expected."
            // The picture's lowest line is its first row.
            Some { Units = number "units"; Shown = rows; Png = Picture.png rows frames (Array.chunkBySize frames values |> Array.rev |> Array.concat) }
        | _ -> None

    let private exampleOf (folder: string) (item: JsonElement) =
        let text (name: string) (of': JsonElement) = string (of'.GetProperty(name).GetString())
        let picture = item.GetProperty "spectrogram"
        let number (name: string) = picture.GetProperty(name).GetDouble()
        let rows, frames, values = int (number "rows"), int (number "frames"), picture.GetProperty("values").GetBytesFromBase64()
        if values.Length <> rows * frames then RunReader.unreadable $"examples.json has a picture of {values.Length} cells; {rows} x {frames} were expected."

        { Id = text "id" item
          Domain = text "domain" item
          Truth = [ for label in item.GetProperty("truth").EnumerateArray() -> string (label.GetString()) ]
          Predictions =
            [ for guess in item.GetProperty("predictions").EnumerateArray() -> text "class" guess, guess.GetProperty("score").GetDouble() ]
            |> List.sortByDescending snd
          Sound = soundOf folder (text "file" item)
          Png = lazy Picture.png rows frames values
          MinHz = number "min_hz"
          MaxHz = number "max_hz"
          Seconds = number "seconds"
          Code = codeOf item }

    /// The examples that a run left; none where it left none; the reason where they cannot be read.
    let load (run: Run) : Result<Example list, string> =
        let folder = Path.Combine(run.Folder, "examples")
        let path = Path.Combine(folder, "examples.json")

        RunReader.attempt (fun () ->
            if not (File.Exists path) then
                []
            else
                use document = JsonDocument.Parse(File.ReadAllBytes path)
                [ for item in document.RootElement.EnumerateArray() -> exampleOf folder item ])

    /// Levels of rows x frames, the lowest band first, as a PNG file with the lowest band below.
    let picture (rows: int) (frames: int) (values: byte[]) : byte[] = Picture.png rows frames values

    /// A file as an address that a page can carry.
    let dataUri (kind: string) (bytes: byte[]) = $"data:{kind};base64,{Convert.ToBase64String bytes}"
