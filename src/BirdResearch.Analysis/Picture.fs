namespace BirdResearch.Analysis

open System
open System.Buffers.Binary
open System.IO
open System.IO.Compression
open System.Text

/// A spectrogram as a PNG file: one byte per pixel with a palette, so that a page can carry many.
module internal Picture =
    /// Anchors of matplotlib's magma (S. van der Walt and N. Smith, 2015), dark for silence and light for loud.
    let private anchors =
        [ 0x00, 0x00, 0x04; 0x1c, 0x10, 0x44; 0x4f, 0x12, 0x7b; 0x81, 0x25, 0x81; 0xb5, 0x36, 0x7a
          0xe5, 0x50, 0x64; 0xfb, 0x87, 0x61; 0xfe, 0xc2, 0x87; 0xfc, 0xfd, 0xbf ]

    let private palette =
        [| for level in 0..255 do
               let position = float level / 255.0 * float (anchors.Length - 1)
               let index = min (int position) (anchors.Length - 2)
               let share = position - float index
               let (r0, g0, b0), (r1, g1, b1) = anchors[index], anchors[index + 1]
               let between (low: int) (high: int) = byte (Math.Round(float low + share * float (high - low)))
               yield! [ between r0 r1; between g0 g1; between b0 b1 ] |]

    let private crcTable =
        let shifted crc _ = if crc &&& 1u = 1u then 0xedb88320u ^^^ (crc >>> 1) else crc >>> 1
        [| for number in 0u .. 255u -> List.fold shifted number [ 1..8 ] |]

    /// CRC-32 as PNG's annex D has it.
    let private crc (bytes: byte[]) =
        ~~~(bytes |> Array.fold (fun crc value -> crcTable[int ((crc ^^^ uint32 value) &&& 0xffu)] ^^^ (crc >>> 8)) 0xffffffffu)

    let private bigEndian (value: uint32) =
        let bytes: byte[] = Array.zeroCreate 4
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(), value)
        bytes

    let private chunk (name: string) (data: byte[]) =
        let body = Array.append (Encoding.ASCII.GetBytes name) data
        Array.concat [ bigEndian (uint32 data.Length); body; bigEndian (crc body) ]

    let private deflated (data: byte[]) =
        use target = new MemoryStream()

        do
            use zlib = new ZLibStream(target, CompressionLevel.Optimal, leaveOpen = true)
            zlib.Write(data, 0, data.Length)

        target.ToArray()

    /// values holds rows x frames levels, row 0 the lowest band, which becomes the lowest line of the picture.
    let png (rows: int) (frames: int) (values: byte[]) : byte[] =
        if rows < 1 || frames < 1 || values.Length <> rows * frames then
            raise (ArgumentException $"A picture of {rows} x {frames} needs {rows * frames} values, not {values.Length}.")

        let lines = Array.concat [ for row in rows - 1 .. -1 .. 0 -> Array.append [| 0uy |] (Array.sub values (row * frames) frames) ]
        let header = Array.concat [ bigEndian (uint32 frames); bigEndian (uint32 rows); [| 8uy; 3uy; 0uy; 0uy; 0uy |] ]

        Array.concat
            [ [| 0x89uy; 0x50uy; 0x4euy; 0x47uy; 0x0duy; 0x0auy; 0x1auy; 0x0auy |]
              chunk "IHDR" header
              chunk "PLTE" palette
              chunk "IDAT" (deflated lines)
              chunk "IEND" [||] ]
