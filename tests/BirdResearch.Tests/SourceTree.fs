/// Where the sources lie, found from the executable upwards.
module BirdResearch.Tests.SourceTree

open System
open System.IO

let root =
    let rec up (folder: DirectoryInfo | null) =
        match folder with
        | null -> failwith $"BirdResearch.sln is in no folder above {AppContext.BaseDirectory}."
        | folder when File.Exists(Path.Combine(folder.FullName, "BirdResearch.sln")) -> folder.FullName
        | folder -> up folder.Parent
    up (DirectoryInfo AppContext.BaseDirectory)

/// Reference files; BIRD_REFERENCE names another folder of the same kinds.
let oracles =
    match Environment.GetEnvironmentVariable "BIRD_REFERENCE" with
    | null | "" -> Path.Combine(root, "tests", "BirdResearch.Tests", "oracles")
    | folder -> folder
