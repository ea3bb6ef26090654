module BirdResearch.Tests.WholeFileTests

open System
open System.IO
open System.Threading.Tasks
open Expecto
open BirdResearch.Files

let tests =
    testList "Whole files" [
        test "a writer that fails leaves what was there, and nothing beside it" {
            let folder = Scratch.fresh ()
            let file = Path.Combine(folder, "deep", "a.txt")
            WholeFile.Write(file, "old")
            let fails (beside: string) = File.WriteAllText(beside, "half"); raise (IOException "the disk is full")
            Expect.throwsT<IOException> (fun () -> WholeFile.Write(file, fails)) "told"
            Expect.equal (File.ReadAllText file) "old" "kept"
            Expect.equal (Directory.GetFiles(folder, "*", SearchOption.AllDirectories)) [| file |] "nothing else"
        }
        test "many writers at once leave one whole text, and readers meet no half" {
            let file = Path.Combine(Scratch.fresh (), "a.txt")
            let texts = [| for letter in 'a' .. 'h' -> String(letter, 200_000) |]
            WholeFile.Write(file, texts[0])
            Parallel.For(0, 400, fun i ->
                if i % 2 = 0 then WholeFile.Write(file, texts[i / 2 % 8])
                else Expect.isTrue (Array.contains (File.ReadAllText file) texts) "whole") |> ignore
            Expect.equal (Directory.GetFiles(nonNull (Path.GetDirectoryName file)).Length) 1 "nothing beside"
        }
        test "a link and a device are written through" {
            if OperatingSystem.IsWindows() then skiptest "links need rights there"
            let folder = Scratch.fresh ()
            let target, link = Path.Combine(folder, "target.txt"), Path.Combine(folder, "link.txt")
            File.WriteAllText(target, "old")
            File.CreateSymbolicLink(link, target) |> ignore
            WholeFile.Write(link, "new")
            WholeFile.Write("/dev/null", "gone")
            Expect.equal (File.ReadAllText target, FileInfo(link).LinkTarget) ("new", target) "the link stays"
            Expect.equal (FileInfo "/dev/null").Length 0L "still the device"
        }
    ]
