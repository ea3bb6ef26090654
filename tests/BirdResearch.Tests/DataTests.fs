module BirdResearch.Tests.DataTests

open System
open System.IO
open System.Collections.Generic
open System.Threading
open Expecto
open BirdResearch.Audio
open BirdResearch.Data
open BirdResearch.Naming
open BirdResearch.Tests.SmallData

let names =
    testList "names" [
        test "a mistyped name finds the right one first" {
            let catalogue = [ "tf_efficientnet_b0"; "tf_efficientnet_b4"; "tsresnet18"; "ssamba_tiny" ]
            for typed, meant in [ "tf_efficientnet_b0x", "tf_efficientnet_b0"; "EfficientNet-B4", "tf_efficientnet_b4"; "tsresent18", "tsresnet18"; "samba", "ssamba_tiny" ] do
                Expect.equal (NearNames.Of(typed, catalogue) |> Seq.tryHead) (Some meant) typed
        }
        test "a name that resembles nothing gets the whole list" {
            Expect.isEmpty (NearNames.Of("qqqqqqqq", [ "mel"; "kaldi" ])) "near"
            Expect.equal (NearNames.Unknown("front-end", "qqqqqqqq", [ "mel"; "kaldi" ])) "There is no front-end 'qqqqqqqq'. There are: kaldi, mel." "message"
            Expect.equal (NearNames.Unknown("front-end", "mle", [ "mel"; "kaldi" ])) "There is no front-end 'mle'. Did you mean mel?" "message"
        }
        test "edit distance counts insertions, deletions, replacements and swaps" {
            for a, b, expected in [ "", "abc", 3; "kitten", "sitting", 3; "mel", "mle", 1; "same", "same", 0 ] do
                Expect.equal (NearNames.EditDistance(a, b)) expected $"{a} {b}"
        }
    ]

let random =
    testList "random" [
        test "random numbers follow from seed and keys alone" {
            let draw (seed: int64) (keys: int64 array) = [ let r = CounterRandom(seed, keys) in for _ in 1..5 -> r.NextBits() ]
            Expect.equal (draw 7L [| 1L; 2L |]) (draw 7L [| 1L; 2L |]) "again"
            let others = [ draw 7L [| 2L; 1L |]; draw 8L [| 1L; 2L |]; draw 7L [| 1L |]; draw 7L [| 1L; 2L; 0L |] ]
            for other in others do
                Expect.notEqual other (draw 7L [| 1L; 2L |]) "another stream"
        }
        test "uniform, whole and normal numbers have their distributions" {
            let r = CounterRandom(3L, 4L)
            let n = 200_000
            let uniform = Array.init n (fun _ -> r.NextDouble())
            Expect.isTrue (uniform |> Array.forall (fun u -> u >= 0.0 && u < 1.0)) "range"
            Expect.floatClose Accuracy.low (1.0 + Array.average uniform) 1.5 "mean" // 5 standard errors are 0.003
            let whole = Array.init n (fun _ -> r.NextInt 6) |> Array.countBy id |> Map.ofArray
            Expect.equal whole.Count 6 "faces"
            for KeyValue(face, count) in whole do
                Expect.isLessThan (abs (float count - float n / 6.0)) (5.0 * sqrt (float n * 5.0 / 36.0)) $"face {face}"
            let normal = Array.init n (fun _ -> r.NextGaussian())
            Expect.isLessThan (abs (Array.average normal)) 0.0112 "normal mean"
            Expect.isLessThan (abs (Array.averageBy (fun x -> x * x) normal - 1.0)) 0.0159 "normal variance"
        }
    ]

let reading =
    testList "tables" [
        test "python lists of strings parse as Python reads them" {
            let cases =
                [ "[]", []
                  " [ ] ", []
                  "['call']", [ "call" ]
                  "['call', \"male's song\"]", [ "call"; "male's song" ]
                  @"['it\'s', 'a\\b', 'tab\t', '\xe9\u00e9\U0001f426']", [ "it's"; @"a\b"; "tab\t"; "\u00e9\u00e9\U0001f426" ]
                  "['a, b]', '[']", [ "a, b]"; "[" ]
                  "['a',]", [ "a" ]
                  "['']", [ "" ] ]
            for text, expected in cases do
                Expect.equal (PythonList.Parse text |> List.ofSeq) expected text
        }
        test "anything but a list of strings is refused with the place" {
            for text in [ ""; "call"; "[call]"; "['a'"; "['a' 'b']"; "['a'] x"; "[1]"; "[None]"; "['a"; @"['\q']"; @"['\ud800']"; @"['\x4']"; "[,]"; "['a',,]"; "('a',)"; "__import__('os')"; "[['a']]" ] do
                let said = message (fun () -> PythonList.Parse text)
                Expect.stringContains said "at character" text
        }
        test "a python list of two million characters parses in linear time" {
            let long = "[" + String.replicate 400_000 "'abc'," + "]"
            let clock = Diagnostics.Stopwatch.StartNew()
            Expect.hasLength (PythonList.Parse long) 400_000 "items"
            let bad = "['" + String('\\', 2_000_001)
            Expect.throws (fun () -> PythonList.Parse bad |> ignore) "unclosed"
            Expect.isLessThan clock.Elapsed.TotalSeconds 5.0 "seconds"
        }
        test "columns are found by name in any order, among others" {
            use folder = new Scratch()
            folder.Text("t.csv", [ "\uFEFFextra,\"b\", a ,"; "x,\"two, \"\"quoted\"\"\",1,0"; ""; "y,\"line\nbreak\",,1" ])
            let table = CsvTable.Read(folder.Path "t.csv", "a", "b")
            Expect.equal [ for row in table.Rows -> row["b"] ] [ "two, \"quoted\""; "line\nbreak" ] "b"
            Expect.equal [ for row in table.Rows -> row.Integer "a" ] [ Nullable 1; Nullable() ] "a"
            Expect.equal (table.Rows[0]["missing"]) "" "a column that is not there"
        }
        test "an error of a table names file, row and column" {
            use folder = new Scratch()
            folder.Text("t.csv", [ "a,b"; "1,2"; "x,3" ])
            let table = CsvTable.Read(folder.Path "t.csv", "a")
            Expect.equal (message (fun () -> table.Rows[1].Integer "a")) "t.csv, row 3: a is 'x'; expected a whole number." "cell"
            Expect.equal (message (fun () -> CsvTable.Read(folder.Path "t.csv", "a", "c"))) "t.csv has no column 'c'. Its columns are: a, b." "column"
            folder.Text("ragged.csv", [ "a,b"; "1,2"; "3" ])
            Expect.equal (message (fun () -> CsvTable.Read(folder.Path "ragged.csv"))) "ragged.csv, row 3: 1 cells where the header has 2 columns." "ragged"
            folder.Text("quote.csv", [ "a,b"; "1,\"2" ])
            Expect.stringStarts (message (fun () -> CsvTable.Read(folder.Path "quote.csv"))) "quote.csv, row " "unclosed quote"
            folder.Text("twice.csv", [ "a,a"; "1,2" ])
            Expect.stringContains (message (fun () -> CsvTable.Read(folder.Path "twice.csv"))) "'a' twice" "twice"
        }
        test "a written table reads back the same" {
            use folder = new Scratch()
            let rows: IReadOnlyList<obj | null> list = [ [| box "a, \"b\""; box 0.1; box null |]; [| box "=1+1"; box 3; box true |] ]
            CsvTable.Write(folder.Path "t.csv", [ "x"; "y"; "z" ], rows)
            Expect.equal (File.ReadAllText(folder.Path "t.csv")) "x,y,z\n\"a, \"\"b\"\"\",0.1,\n=1+1,3,True\n" "text"
            Expect.equal [ for row in CsvTable.Read(folder.Path "t.csv").Rows -> row["x"] ] [ "a, \"b\""; "=1+1" ] "cells"
        }
        test "paths that leave their folder are refused" {
            use folder = new Scratch()
            for bad in [ ""; "/etc/passwd"; @"\\server\share"; "../x"; "a/../../x"; @"a\..\..\x"; "a/.. /x"; "C:/x"; "C:x"; "a:b"; "nul"; "a/CON.ogg"; "com1.wav"; "a//b"; "a/"; "a\u0000b"; "x."; "." ] do
                Expect.stringContains (message (fun () -> SafePath.Inside(folder.Root, bad))) "is refused" bad
        }
        test "paths inside their folder are joined, whichever slash they use" {
            use folder = new Scratch()
            for good in [ "asbfly/XC1.ogg"; @"asbfly\XC1.ogg"; "./asbfly/XC1.ogg" ] do
                Expect.equal (SafePath.Inside(folder.Root, good)) (Path.Combine(folder.Root, "asbfly", "XC1.ogg")) good
            Expect.equal (SafePath.Plain "..hidden/console/franklin's gull.mp3") "..hidden/console/franklin's gull.mp3" "ordinary names that look odd"
        }
        test "a link out of the folder is refused and one inside is followed" {
            if OperatingSystem.IsWindows() then skiptest "links need a privilege on Windows"
            use folder = new Scratch()
            use other = new Scratch()
            other.Text("secret.csv", [ "x" ])
            folder.Text("in/file.csv", [ "x" ])
            File.CreateSymbolicLink(folder.Path "out", other.Root) |> ignore
            File.CreateSymbolicLink(folder.Path "file.csv", other.Path "secret.csv") |> ignore
            File.CreateSymbolicLink(folder.Path "same", folder.Path "in") |> ignore
            Expect.stringContains (message (fun () -> SafePath.Inside(folder.Root, "out/secret.csv"))) "'out' is a link" "folder"
            Expect.stringContains (message (fun () -> SafePath.Inside(folder.Root, "file.csv"))) "'file.csv' is a link" "file"
            Expect.isTrue (File.Exists(SafePath.Inside(folder.Root, "same/file.csv"))) "inside"
        }
    ]

let birdclef =
    testList "birdclef layout" [
        test "a BirdCLEF folder opens with labels, groups, soundscapes and facts" {
            use folder = new Scratch()
            smallBirds folder
            folder.Ramp("unlabeled_soundscapes/460830.wav", 1.0)
            let data = Datasets.Open folder.Root
            Expect.equal (List.ofSeq data.Classes) [ "robin"; "wren" ] "classes"
            Expect.equal (ids data.Focal) [ "XC1"; "XC2"; "XC3" ] "ids"
            let wren = data.Focal[0]
            Expect.equal (wren.File, List.ofSeq wren.Labels, List.ofSeq wren.SecondaryLabels, wren.Group) ("train_audio/wren/XC1.wav", [ "wren" ], [ "robin"; "owl" ], "Ann") "wren"
            Expect.equal (List.ofSeq wren.Facts.Types, wren.Facts.Latitude, wren.Facts.Rating, wren.Facts.License) ([ "call"; "male" ], Nullable(), Nullable(), "CC0") "facts"
            Expect.equal (data.CommonNames["wren"], data.GroupedBy, data.Labelling, data.Layout) ("Common wren", "author", Labelling.MultiLabel, "birdclef") "set"
            Expect.equal (List.ofSeq data.Unlabelled) [ "unlabeled_soundscapes/460830.wav" ] "unlabelled"
        }
        test "a soundscape window ends at the second of its row, the last one at the file's true end" {
            use folder = new Scratch()
            smallBirds folder
            let data = Datasets.Open folder.Root
            let windows = [ for w in data.Soundscapes -> w.Id, w.StartSeconds, w.Seconds, List.ofSeq w.Labels ]
            Expect.equal windows
                [ "scape_1_5", 0.0, Nullable 5.0, [ "robin"; "wren" ]
                  "scape_1_10", 5.0, Nullable 5.0, []
                  "scape_1_15", 10.0, Nullable 2.0, [ "wren" ] ] "windows"
            Expect.exists data.Notes (fun n -> n.Contains "owl (1)") "a label outside the classes is noted"
        }
        test "the 0/1 table gives the same windows as the list, and must agree with it" {
            use folder = new Scratch()
            smallBirds folder
            let listed = (Datasets.Open folder.Root).Soundscapes
            folder.Text("soundscape_truth.csv", [ "row_id,wren,robin"; "scape_1_5,1,1"; "scape_1_10,0,0"; "scape_1_15,1,0" ])
            Expect.equal (ids (Datasets.Open folder.Root).Soundscapes) (ids listed) "both"
            File.Delete(folder.Path "soundscape_labels.csv")
            let marked = (Datasets.Open folder.Root).Soundscapes
            Expect.equal [ for w in marked -> set w.Labels ] [ for w in listed -> set w.Labels ] "table alone"
            folder.Text("soundscape_labels.csv", [ "row_id,birds"; "scape_1_5,robin" ])
            Expect.stringContains (message (fun () -> Datasets.Open folder.Root)) "disagree on scape_1_5" "disagreement"
            folder.Text("soundscape_truth.csv", [ "row_id,wren,robin"; "scape_1_5,1,0.5" ])
            Expect.stringContains (message (fun () -> Datasets.Open folder.Root)) "soundscape_truth.csv, row 2: robin is '0.5'" "not 0 or 1"
        }
        test "bad row names, repeated rows and windows past the end are told" {
            use folder = new Scratch()
            smallBirds folder
            folder.Text("soundscape_labels.csv", [ "row_id,birds"; "scape5,robin" ])
            Expect.stringContains (message (fun () -> Datasets.Open folder.Root)) "row 2: row_id is 'scape5'; expected <soundscape>_<end second>" "name"
            folder.Text("soundscape_labels.csv", [ "row_id,birds"; "scape_1_5,robin"; "scape_1_5,wren" ])
            Expect.stringContains (message (fun () -> Datasets.Open folder.Root)) "row 3: row_id 'scape_1_5' is in the table twice" "twice"
            folder.Text("soundscape_labels.csv", [ "row_id,birds"; "scape_1_5,robin"; "scape_1_240,wren"; "gone_5,wren" ])
            let data = Datasets.Open folder.Root
            Expect.equal (ids data.Soundscapes) [ "scape_1_5" ] "kept"
            Expect.equal (List.ofSeq data.Notes)
                [ "1 of 2 labelled soundscapes are missing, first: gone. Their windows are left out."
                  "1 labelled windows begin after the end of their file, first: scape_1_240. Their windows are left out." ] "notes"
        }
        test "missing and empty files are told at once and left out" {
            use folder = new Scratch()
            smallBirds folder
            File.Delete(folder.Path "train_audio/robin/XC3.wav")
            File.WriteAllBytes(folder.Path "train_audio/robin/XC2.wav", [||])
            let data = Datasets.Open folder.Root
            Expect.equal (ids data.Focal) [ "XC1" ] "kept"
            Expect.containsAll data.Notes
                [ "1 of 3 files of train_metadata.csv is missing, first: train_audio/robin/XC3.wav. Their rows are left out."
                  "1 of 3 files of train_metadata.csv is empty (0 bytes), first: train_audio/robin/XC2.wav. Their rows are left out." ] "notes"
            Expect.equal (List.ofSeq data.Classes) [ "robin"; "wren" ] "classes stay"
            Directory.Delete(folder.Path "train_audio", true)
            Expect.stringContains (message (fun () -> Datasets.Open folder.Root)) "3 of 3 files of train_metadata.csv are missing, first: train_audio/robin/XC2.wav" "all"
        }
        test "a row that cannot be used is named" {
            use folder = new Scratch()
            smallBirds folder
            let withRow row =
                folder.Text("train_metadata.csv", [ metadataHeader; metadataRow "wren" "[]" "Ann" "wren/XC1.wav"; row ])
                message (fun () -> Datasets.Open folder.Root)
            Expect.stringContains (withRow (metadataRow "robin" "[]" "Ann" "../../etc/passwd")) "train_metadata.csv, row 3: filename cannot be used" "path"
            let list = withRow (metadataRow "robin" "[robin]" "Ann" "robin/XC2.wav")
            Expect.stringContains list "train_metadata.csv, row 3: secondary_labels is no list of strings" "list"
            Expect.stringContains list "[robin]" "its text"
            Expect.stringContains (withRow (metadataRow "" "[]" "Ann" "robin/XC2.wav")) "row 3: primary_label is empty" "label"
            Expect.stringContains (withRow (metadataRow "robin" "[]" "Ann" "wren/XC1.wav")) "lists train_audio/wren/XC1.wav 2 times" "twice"
            folder.Text("train_metadata.csv", [ "primary_label,filename"; "wren,wren/XC1.wav" ])
            Expect.stringContains (message (fun () -> Datasets.Open folder.Root)) "train_metadata.csv has no column 'secondary_labels'" "column"
        }
        test "one recording under two species keeps two ids and one group" {
            use folder = new Scratch()
            folder.Text("train_metadata.csv",
                [ metadataHeader
                  metadataRow "wren" "[]" "Ann" "wren/XC1.wav"
                  metadataRow "robin" "[]" "" "robin/XC1.wav"
                  metadataRow "robin" "[]" "" "robin/XC2.wav" ])
            for file in [ "wren/XC1"; "robin/XC1"; "robin/XC2" ] do
                folder.Ramp($"train_audio/{file}.wav", 1.0)
            let data = Datasets.Open folder.Root
            Expect.equal [ for c in data.Focal -> c.Id, c.Group ] [ "XC2", "XC2"; "robin/XC1", "Ann"; "wren/XC1", "Ann" ] "ids and groups"
        }
        test "classes of the submission file count, and another order than ours is told" {
            use folder = new Scratch()
            smallBirds folder
            folder.Text("sample_submission.csv", [ "row_id,wren,owl,robin"; "scape_1_5,0,0,0" ])
            let data = Datasets.Open folder.Root
            Expect.equal (List.ofSeq data.Classes) [ "owl"; "robin"; "wren" ] "classes"
            Expect.exists data.Notes (fun n -> n.Contains "another order") "note"
            Expect.equal (List.ofSeq data.Soundscapes[2].Labels) [ "owl"; "wren" ] "owl is now a class"
        }
        test "given folds are used, and a source that they divide is told" {
            use folder = new Scratch()
            smallBirds folder
            folder.Text("train_extra.csv", [ "fold,filename,recordist_group"; "0,wren/XC1.wav,ann"; "1,robin/XC2.wav,ann"; "1,robin/XC3.wav,bob" ])
            let data = Datasets.Open folder.Root
            Expect.equal data.GroupedBy "fold" "grouped by"
            Expect.equal [ for c in data.Focal -> c.Fold, c.Group ] [ Nullable 0, "ann/fold0"; Nullable 1, "ann/fold1"; Nullable 1, "bob" ] "folds and groups"
            Expect.exists data.Notes (fun n -> n.Contains "divide 1 of 2 authors or sources") "note"
            folder.Text("train_extra.csv", [ "fold,filename"; "0,wren/XC1.wav" ])
            let partial = Datasets.Open folder.Root
            Expect.equal partial.GroupedBy "author" "folds for some recordings only are not used"
            Expect.exists partial.Notes (fun n -> n.Contains "Only 1 of the 3 recordings") "note"
        }
        test "the content key follows rows and sizes, not place and row order" {
            use first = new Scratch()
            use second = new Scratch()
            smallBirds first
            smallBirds second
            let key (folder: Scratch) = (Datasets.Open folder.Root).ContentKey
            Expect.equal (key second) (key first) "same content elsewhere"
            let lines = File.ReadAllLines(second.Path "train_metadata.csv")
            second.Text("train_metadata.csv", [ lines[0]; lines[3]; lines[1]; lines[2] ])
            Expect.equal (key second) (key first) "rows in another order"
            second.Ramp("train_audio/robin/XC3.wav", 1.5)
            Expect.notEqual (key second) (key first) "another size"
            smallBirds second
            second.Text("soundscape_labels.csv", [ "row_id,birds"; "scape_1_5,robin"; "scape_1_10,nocall"; "scape_1_15,owl wren" ])
            Expect.notEqual (key second) (key first) "another label"
        }
        test "soundscapes without recordings make a data set that cannot be trained on" {
            use folder = new Scratch()
            smallBirds folder
            File.Delete(folder.Path "train_metadata.csv")
            let data = Datasets.Open folder.Root
            Expect.equal (List.ofSeq data.Classes, data.Focal.Count, data.Soundscapes.Count) ([ "owl"; "robin"; "wren" ], 0, 3) "content"
            Expect.stringContains (message (fun () -> Splits.Of data)) "no recordings to train on" "split"
        }
        test "the synthetic data set takes the same road" {
            use folder = new Scratch()
            let settings = SyntheticBirdsSettings(Species = 3, RecordingsPerSpecies = 4, ShortestFocalSeconds = 3.0, LongestFocalSeconds = 3.0, Soundscapes = 1, SoundscapeSeconds = 10, UnlabelledSoundscapes = 1, SampleRate = 16000)
            SyntheticBirds.Write(folder.Path "synthetic", settings, null, CancellationToken.None)
            let data = Datasets.Open(folder.Path "synthetic")
            Expect.equal (data.Classes.Count, data.Soundscapes.Count, data.Unlabelled.Count, data.Notes.Count) (3, 2, 1, 0) "content"
            Expect.isEmpty (Splits.Of data).ClassesWithoutTraining "every class can be trained"
        }
    ]

let esc =
    let header = "filename,fold,target,category,esc10,src_file,take"
    testList "esc layout" [
        test "an ESC folder opens as published, with folds and one label per clip" {
            use folder = new Scratch()
            folder.Text("meta/esc50.csv", [ header; "1-100-A-0.wav,1,0,dog,True,100,A"; "2-101-A-14.wav,2,14,chirping_birds,False,101,A" ])
            folder.Ramp("audio/1-100-A-0.wav", 1.0)
            folder.Ramp("audio/2-101-A-14.wav", 1.0)
            let data = Datasets.Open folder.Root
            Expect.equal (List.ofSeq data.Classes, data.Labelling, data.Layout, data.GroupedBy) ([ "chirping_birds"; "dog" ], Labelling.SingleLabel, "esc", "fold") "set"
            Expect.equal [ for c in data.Focal -> c.Id, c.Fold, c.Group, List.ofSeq c.Labels ]
                [ "1-100-A-0", Nullable 1, "100", [ "dog" ]; "2-101-A-14", Nullable 2, "101", [ "chirping_birds" ] ] "clips"
        }
        test "categories and targets that contradict each other are refused" {
            use folder = new Scratch()
            folder.Text("esc10.csv", [ header; "1-100-A-0.wav,1,0,dog,True,100,A"; "2-101-A-14.wav,2,0,rain,False,101,A" ])
            Expect.stringContains (message (fun () -> Datasets.Open folder.Root)) "esc10.csv, row 3: target 0 stands for dog and for rain" "target"
        }
    ]

let catalogue =
    testList "catalogue" [
        test "an unknown data set names near ones and where was looked" {
            let said = message (fun () -> Datasets.Open "syntetic-birds")
            Expect.stringContains said "There is no data set 'syntetic-birds'. Did you mean synthetic-birds" "near"
            Expect.stringContains said Folders.Data "where"
            Expect.stringContains (message (fun () -> Datasets.Open "no/such/folder")) "There is no folder 'no/such/folder'" "folder"
        }
        test "a folder of another kind is told what was expected" {
            use folder = new Scratch()
            folder.Text("other.csv", [ "a" ])
            Expect.stringContains (message (fun () -> Datasets.Open folder.Root)) "train_metadata.csv (BirdCLEF)" "message"
        }
        test "the catalogue lists well-known data sets whether or not they are here" {
            let all = Datasets.All()
            for name in [ "synthetic-birds"; "birdclef-2024"; "esc50" ] do
                Expect.exists all (fun e -> e.Name = name) name
            for entry in all do
                Expect.equal entry.Present (Directory.Exists entry.Where) entry.Name
        }
        test "the root is found upward by the solution file" {
            use folder = new Scratch()
            folder.Text("BirdResearch.sln", [ "" ])
            folder.Text("notebooks/deep/x", [ "" ])
            Expect.equal (Folders.Above(folder.Path "notebooks/deep")) folder.Root "above"
            use outside = new Scratch()
            Expect.isNull (Folders.Above outside.Root) "outside"
        }
    ]

let tests = testList "Data" [ names; random; reading; birdclef; esc; catalogue ]
