/// Where this run of the tests writes: one folder that no earlier run can have left anything in, process numbers being used again.
module BirdResearch.Tests.Scratch

open System
open System.IO

let root = Directory.CreateTempSubdirectory("bird-tests-").FullName

// What the code under test and the processes it starts put aside goes there too, and goes with it, whatever ends the run but SIGKILL.
Environment.SetEnvironmentVariable ((if OperatingSystem.IsWindows () then "TMP" else "TMPDIR"), root)
Environment.SetEnvironmentVariable ("BIRD_CACHE", Path.Combine (root, "cache"))
AppDomain.CurrentDomain.ProcessExit.Add (fun _ -> try Directory.Delete (root, true) with :? IOException | :? UnauthorizedAccessException -> ())

/// A path in it; nothing is there yet unless this run made it.
let path name = Path.Combine (root, name)

/// A folder in it.
let folder name = Directory.CreateDirectory(path name).FullName

/// A folder of its own for whoever asks.
let fresh () = Directory.CreateTempSubdirectory().FullName
