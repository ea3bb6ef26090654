namespace BirdResearch.Analysis

open System
open System.IO
open System.Text.Json
open BirdResearch.Data
open BirdResearch.Experiments
open BirdResearch.Metrics
open Deedle

/// A file of a run that is not as it should be.
exception internal Unreadable of reason: string with
    override error.Message = error.reason

/// The files of one run, parsed; anything unexpected is Unreadable and names the file.
module internal RunReader =
    /// The layout of run.json that this version reads.
    let format = 1

    let unreadable (reason: string) : 'a = raise (Unreadable reason)

    /// The last part of a path.
    let nameOf (path: string) = Path.GetFileName path |> string

    /// Runs a reader of an untrusted file; whatever it throws becomes a reason.
    let attempt (read: unit -> 'a) : Result<'a, string> =
        try
            Result.Ok(read ())
        with
        | error -> Result.Error error.Message

    let private number (row: CsvRow) (column: string) = row.Number64 column |> Option.ofNullable |> Option.defaultValue nan

    /// The numeric columns of a table; nan, which Deedle takes for missing, stands for an empty cell.
    let private frameOf (text: string list) (table: CsvTable) (key: CsvRow -> 'key) : Frame<'key, string> =
        let keys = table.Rows |> Seq.map key |> Array.ofSeq

        [ for column in table.Header do
              if not (List.contains column text) then
                  yield column, Series(keys, [| for row in table.Rows -> number row column |]) ]
        |> Frame.ofColumns

    /// epochs.csv by epoch.
    let epochs (path: string) : Frame<int, string> =
        frameOf [ "epoch" ] (CsvTable.Read(path, [| "epoch" |])) (fun row -> int (row.Text "epoch"))

    /// classes.csv by class, and its readable names.
    let classes (path: string) : Frame<string, string> * Map<string, string> =
        let table = CsvTable.Read(path, [| "class" |])
        let names = Map [ for row in table.Rows do if row["common_name"] <> "" then row["class"], row["common_name"] ]
        frameOf [ "class"; "common_name" ] table (fun row -> row.Text "class"), names

    /// scores.<domain>.csv: id, the true classes, and a column of scores per class.
    let scores (domain: string) (path: string) : Scores =
        let table = CsvTable.Read(path, [| "id"; "label" |])
        let classes = table.Header |> Seq.skip 2 |> Array.ofSeq
        let truth = Array.zeroCreate (table.Rows.Count * classes.Length)
        let values = Array.zeroCreate (table.Rows.Count * classes.Length)

        for index, row in Seq.indexed table.Rows do
            let label = row["label"]
            let labels = label.Split(' ', StringSplitOptions.RemoveEmptyEntries)

            for column in 0 .. classes.Length - 1 do
                truth[index * classes.Length + column] <- label = classes[column] || Array.contains classes[column] labels
                values[index * classes.Length + column] <- number row classes[column]

        Scores(domain, [| for row in table.Rows -> row.Text "id" |], classes, truth, values)

    /// The leaves of a JSON value by their dotted path.
    let rec private leaves (path: string) (value: JsonElement) : (string * string) seq =
        match value.ValueKind with
        | JsonValueKind.Object ->
            value.EnumerateObject()
            |> Seq.collect (fun part -> leaves (if path = "" then part.Name else $"{path}.{part.Name}") part.Value)
        | JsonValueKind.String -> Seq.singleton (path, string (value.GetString()))
        | JsonValueKind.Null -> Seq.singleton (path, "")
        | _ -> Seq.singleton (path, value.GetRawText())

    /// Whether a part is null that the type says is there: JSON can say so.
    let private hollow (record: RunRecord) =
        let parts: (obj | null) list =
            [ record.Name; record.Trial; record.Model; record.Data; record.Scores; record.Cost; record.Machine ]

        List.exists isNull parts || record.Scores.Values |> Seq.exists (fun scores -> obj.ReferenceEquals(scores, null))

    /// run.json, and the trial's settings by their dotted paths.
    let record (path: string) : RunRecord * Map<string, string> =
        if not (File.Exists path) then
            unreadable "It has no run.json, so it is not a run."

        let text = File.ReadAllText path
        use document = JsonDocument.Parse text

        match document.RootElement.TryGetProperty "format" with
        | true, version when version.ValueKind = JsonValueKind.Number && version.GetInt32() = format -> ()
        | true, version ->
            unreadable $"run.json has format {version.GetRawText()}; this version reads {format}. Move the folder away to train it again."
        | false, _ -> unreadable "run.json has no format, so it is not a run's record."

        match JsonSerializer.Deserialize<RunRecord>(text, RunStore.Json) with
        | null -> unreadable "run.json holds null."
        | record when hollow record -> unreadable "run.json has null where a value is needed."
        // Written again, so that a setting which the record is too old to know has its default.
        | record -> record, Map(leaves "" (JsonSerializer.SerializeToElement(record.Trial, RunStore.Json)))
