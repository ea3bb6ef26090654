module BirdResearch.Tests.SubmissionTests

open System
open System.IO
open Expecto
open BirdResearch.Audio
open BirdResearch.Inference.Detections
open BirdResearch.Inference.Submission
open BirdResearch.Metrics
open BirdResearch.Tests.SmallData

let private idsOf (plan: SubmissionPlan) = [ for row in plan.Rows -> row.Id ]

let private planOf (folder: Scratch) = SubmissionPlan.Of(TestFolder.Open folder.Root, [ "wren"; "robin" ])

let private throwsAbout (words: string list) (work: unit -> unit) =
    let error = try work (); None with e -> Some e
    match error with
    | None -> failtest "nothing was refused"
    | Some e -> for word in words do Expect.stringContains e.Message word "the message"

let tests =
    testList "Submission" [
        test "every 5 s have a row, named by the recording and the second at which they end" {
            use folder = new Scratch()
            folder.Ramp("b.wav", 15.0)
            folder.Ramp("a_1.wav", 10.0)
            Expect.equal (idsOf (planOf folder)) [ "a_1_5"; "a_1_10"; "b_5"; "b_10"; "b_15" ] "rows"
        }

        test "a recording of 39 s ends in a row of 4 s that names its true end" {
            use folder = new Scratch()
            folder.Ramp("short.wav", 39.0)
            folder.Ramp("tail.wav", 12.25)
            let plan = planOf folder
            Expect.equal (idsOf plan |> List.filter (fun id -> id.StartsWith "short")) [ for e in [ "5"; "10"; "15"; "20"; "25"; "30"; "35"; "39" ] -> $"short_{e}" ] "rows"
            let last = plan.Rows |> Seq.filter (fun r -> r.Id.StartsWith "short") |> Seq.last
            Expect.equal (last.Start, last.End) (35.0, 39.0) "the last window"
            Expect.equal (idsOf plan |> List.filter (fun id -> id.StartsWith "tail")) [ "tail_5"; "tail_10"; "tail_12.25" ] "a fraction of a second is kept"
        }

        test "milliseconds that an encoder adds or loses make no row of their own" {
            use folder = new Scratch()
            folder.Ramp("longer.wav", 10.04)
            folder.Ramp("shorter.wav", 9.96)
            folder.Ramp("tiny.wav", 0.05)
            Expect.equal (idsOf (planOf folder)) [ "longer_5"; "longer_10"; "shorter_5"; "shorter_10"; "tiny_0.05" ] "rows"
        }

        test "recordings stand in the order of their names; hidden files and other kinds of file are no recordings" {
            use folder = new Scratch()
            for name in [ "c"; "B"; "a" ] do folder.Ramp(name + ".wav", 5.0)
            folder.Ramp("._a.wav", 5.0)
            folder.Text("notes.txt", [ "x" ])
            Expect.equal (idsOf (planOf folder)) [ "B_5"; "a_5"; "c_5" ] "ordinal order"
        }

        test "a recording that cannot be read gets as many rows as most recordings have, and the log says why" {
            use folder = new Scratch()
            for name in [ "a"; "b" ] do folder.Ramp(name + ".wav", 20.0)
            folder.Ramp("c.wav", 5.0)
            folder.Text("broken.ogg", [ "this is no sound" ])
            File.WriteAllBytes(folder.Path "empty.flac", [||])
            let plan = planOf folder
            for stem in [ "broken"; "empty" ] do
                Expect.equal (idsOf plan |> List.filter (fun id -> id.StartsWith stem)) [ for e in [ 5; 10; 15; 20 ] -> $"{stem}_{e}" ] "rows"
                Expect.isTrue (plan.Notes |> Seq.exists (fun n -> n.Contains stem && n.Contains "prior")) $"the log names {stem}: %A{plan.Notes}"
        }

        test "two recordings of one name get one set of rows: of the one that can be read" {
            use folder = new Scratch()
            folder.Ramp("a.wav", 10.0)
            folder.Text("a.ogg", [ "no sound" ])
            let plan = planOf folder
            Expect.equal (idsOf plan) [ "a_5"; "a_10" ] "rows"
            Expect.isTrue (plan.Notes |> Seq.exists (fun n -> n.Contains "a.ogg" && n.Contains "left out")) "the log tells"
        }

        test "a sample submission decides columns and the rows of what it names, found or not" {
            use folder = new Scratch()
            folder.Ramp("a.wav", 12.0)
            folder.Ramp("b.wav", 10.0)
            folder.Text("sample.csv", [ "row_id,zebra,ant,robin"; "a_10,0.1,0.1,0.1"; "a_5,0.1,0.1,0.1"; "gone_5,0.1,0.1,0.1" ])
            let plan = SubmissionPlan.Of(TestFolder.Open folder.Root, [ "robin" ], 5.0, SampleSubmission.Read(folder.Path "sample.csv"))
            Expect.equal (List.ofSeq plan.Columns) [ "zebra"; "ant"; "robin" ] "columns in the sample's order"
            Expect.equal (idsOf plan) [ "a_5"; "a_10"; "b_5"; "b_10"; "gone_5" ] "rows"
            Expect.isTrue (plan.Notes |> Seq.exists (fun n -> n.Contains "gone")) "the log names what is missing"
        }

        test "an empty test folder is scored by the sample submission's rows alone, as in a competition's first run" {
            use folder = new Scratch()
            folder.Text("test/readme.txt", [ "recordings come later" ])
            folder.Text("sample.csv", [ "row_id,a,b"; "s_5,0,0"; "s_10,0,0" ])
            let found = TestFolder.Open(folder.Path "test", true)
            let plan = SubmissionPlan.Of(found, [], 5.0, SampleSubmission.Read(folder.Path "sample.csv"))
            Expect.equal (idsOf plan) [ "s_5"; "s_10" ] "rows"
        }

        test "a sample submission with a row twice or a row that names no second is refused" {
            use folder = new Scratch()
            folder.Text("twice.csv", [ "row_id,a"; "x_5,0"; "x_5,0" ])
            folder.Text("odd.csv", [ "row_id,a"; "x5,0" ])
            folder.Text("bare.csv", [ "row_id"; "x_5" ])
            for file, words in [ "twice.csv", [ "x_5"; "twice" ]; "odd.csv", [ "x5"; "row 2" ]; "bare.csv", [ "no class column" ] ] do
                throwsAbout words (fun () -> SampleSubmission.Read(folder.Path file) |> ignore)
        }

        test "a folder that is missing or holds no recording is refused" {
            use folder = new Scratch()
            throwsAbout [ "no recording"; ".ogg" ] (fun () -> TestFolder.Open folder.Root |> ignore)
            throwsAbout [ "There is no folder" ] (fun () -> TestFolder.Open(folder.Path "nowhere") |> ignore)
        }

        test "a submission reads back as it was written, and numbers outside [0, 1] never reach the file" {
            use folder = new Scratch()
            folder.Ramp("a.wav", 10.0)
            let plan = planOf folder
            let path = folder.Path "out/submission.csv"
            SubmissionFile.Write(path, plan, ReadOnlyMemory [| 0f; 1f; 1e-9f; 0.123456f |])
            Expect.equal (File.ReadAllLines path |> List.ofArray) [ "row_id,wren,robin"; "a_5,0,1"; "a_10,1E-09,0.123456" ] "the file"
            let struct (ids, columns, scores) = SubmissionFile.Read path
            Expect.equal (List.ofSeq ids, List.ofSeq columns) ([ "a_5"; "a_10" ], [ "wren"; "robin" ]) "read back"
            Expect.equal scores.[3] 0.123456 "a score"
            let before = File.ReadAllText path
            for bad in [ Single.NaN; -0.1f; 1.1f ] do
                Expect.throws (fun () -> SubmissionFile.Write(path, plan, ReadOnlyMemory [| 0f; 1f; bad; 0f |])) "refused"
            Expect.equal (File.ReadAllText path) before "the file before stays"
        }

        test "scoring joins by id, whatever the order of rows and columns, and equals the metrics of the joined table" {
            use folder = new Scratch()
            folder.Text("sub.csv", [ "row_id,b,a,extra"; "x_10,0.9,0.2,0"; "x_5,0.1,0.8,0"; "x_15,0.3,0.4,0" ])
            folder.Text("truth.csv", [ "row_id,a,b"; "x_5,1,0"; "x_10,0,1"; "x_15,1,0" ])
            folder.Text("list.csv", [ "row_id,birds"; "x_5,a"; "x_10,b"; "x_15,a" ])
            let scores = SubmissionScoring.Join(folder.Path "sub.csv", folder.Path "truth.csv")
            Expect.equal (scores.Values.ToArray() |> List.ofArray) [ 0.8; 0.1; 0.2; 0.9; 0.4; 0.3 ] "values by row of the truth"
            Expect.floatClose Accuracy.veryHigh (Ranking.MacroRocAuc scores) 1.0 "ROC-AUC"
            let listed = SubmissionScoring.Join(folder.Path "sub.csv", folder.Path "list.csv")
            Expect.equal (listed.Truth.ToArray() |> Array.filter id |> Array.length) 3 "labels of a list"
        }

        test "a submission that lacks a row or class of the truth, or holds no probability, is refused by name" {
            use folder = new Scratch()
            folder.Text("truth.csv", [ "row_id,a,b"; "x_5,1,0" ])
            for lines, words in
                [ [ "row_id,a,b"; "y_5,0,0" ], [ "x_5" ]
                  [ "row_id,a"; "x_5,0" ], [ "'b'" ]
                  [ "row_id,a,b"; "x_5,0,0"; "x_5,0,0" ], [ "x_5"; "2 times" ]
                  [ "row_id,a,b"; "x_5,0,1.5" ], [ "1.5"; "no probability" ]
                  [ "row_id,a,b"; "x_5,0," ], [ "empty" ] ] do
                folder.Text("sub.csv", lines)
                throwsAbout words (fun () -> SubmissionScoring.Join(folder.Path "sub.csv", folder.Path "truth.csv") |> ignore)
        }

        test "detections are those that reach the threshold, the strongest first, in the forms that Audacity and Raven read" {
            use folder = new Scratch()
            folder.Ramp("dawn.wav", 10.0)
            folder.Text("taxonomy.csv", [ "primary_label,scientific_name,common_name"; "wren,Troglodytes,Winter Wren" ])
            let plan = planOf folder
            let names = SpeciesNames.Read(folder.Path "taxonomy.csv")
            let found = DetectionList.Of(plan, ReadOnlyMemory [| 0.5f; 0.9f; 0.6f; 0.2f |], 0.5, 3, names)
            Expect.equal [ for d in found -> d.Start, d.Class, d.CommonName ] [ 0.0, "robin", "robin"; 0.0, "wren", "Winter Wren"; 5.0, "wren", "Winter Wren" ] "detections"
            Expect.equal (DetectionList.Of(plan, ReadOnlyMemory [| 0.5f; 0.9f; 0.6f; 0.2f |], 0.5, 1, names).Count) 2 "one per window"
            DetectionTables.Write(folder.Path "a.txt", "audacity", found)
            Expect.equal (File.ReadAllLines(folder.Path "a.txt").[1]) "0.000000\t5.000000\tWinter Wren 0.50" "a label of Audacity"
            DetectionTables.Write(folder.Path "r.txt", "raven", found)
            let raven = File.ReadAllLines(folder.Path "r.txt") |> Array.map (fun l -> l.Split '\t')
            Expect.equal [ for line in raven -> line.Length ] [ 12; 12; 12; 12 ] "columns of Raven"
            Expect.equal raven.[0].[..6] [| "Selection"; "View"; "Channel"; "Begin Time (s)"; "End Time (s)"; "Low Freq (Hz)"; "High Freq (Hz)" |] "names of columns"
            Expect.equal raven.[3].[3..4] [| "5"; "10" |] "times"
            DetectionTables.Write(folder.Path "d.csv", "csv", found)
            Expect.stringContains (File.ReadAllText(folder.Path "d.csv")) "Troglodytes" "scientific names"
            Expect.throws (fun () -> DetectionTables.Write(folder.Path "x", "ravn", found)) "an unknown form"
        }
    ]
