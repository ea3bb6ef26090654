/// A synthetic data set of a few seconds for tests that train.
module BirdResearch.Tests.TinyBirds

open System.IO
open System.Threading
open BirdResearch.Data

let settings = SyntheticBirdsSettings (Species = 3, RecordingsPerSpecies = 4, Soundscapes = 1, SoundscapeSeconds = 15, UnlabelledSoundscapes = 0)

let write (folder: string) = SyntheticBirds.Write (folder, settings, null, CancellationToken.None)

let copy (source: string) (target: string) =
    for file in Directory.EnumerateFiles (source, "*", SearchOption.AllDirectories) do
        let into = Path.Combine (target, Path.GetRelativePath (source, file))
        Directory.CreateDirectory (nonNull (Path.GetDirectoryName into)) |> ignore
        File.Copy (file, into, true)
