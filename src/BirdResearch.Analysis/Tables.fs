namespace BirdResearch.Analysis

open System
open System.Collections.Generic
open System.Globalization
open System.IO
open System.Threading.Tasks
open BirdResearch.Files
open BirdResearch.Data
open Parquet
open Parquet.Schema

/// A table for papers: a name, the heads of its columns, and rows of texts, whole numbers and floats, null where a figure is not known.
type Table =
    { Name: string
      Heads: string list
      Rows: IReadOnlyList<obj | null> list }

/// Every number of an ablation as tables, each as CSV and as Parquet.
[<RequireQualifiedAccess>]
module Tables =
    let private cell (value: float) : obj | null = if Double.IsFinite value then box value else null
    let private row (cells: (obj | null) list) : IReadOnlyList<obj | null> = Array.ofList cells
    let private edges (interval: Interval option) = match interval with Some found -> [ cell found.Low; cell found.High ] | None -> [ null; null ]

    /// One row per run.
    let runs (set: RunSet) : Table =
        let heads, rows = Runs.cells set
        { Name = "report"; Heads = heads; Rows = rows }

    let private held = Runs.domains |> List.filter ((<>) "train")

    /// One row per arm: data, design, mean, spread, interval and letters in every held-out domain, gaps, size and cost.
    let arms (parts: (string * Arm list * Comparison list) list) : Table =
        let heads =
            [ "data"; "arm"; "model"; "front_end"; "distinction"; "budget"; "runs"; "seeds"; "folds"; "train_map"
              for domain in held do
                  for column in [ "map"; "map_sd"; "map_low"; "map_high"; "map_letters"; "roc_auc" ] do
                      $"{domain}_{column}"
              "overfitting_gap"; "domain_gap"; "parameters"; "multiply_adds"; "train_seconds"; "clips"; "train_clips_per_second"; "infer_clips_per_second" ]

        let rows =
            [ for data, arms, comparisons in parts do
                  let letters = Map [ for domain in held -> domain, Comparisons.letters (comparisons |> List.filter (fun found -> found.Domain = domain)) arms ]

                  for arm in arms do
                      let count (value: Run -> 'a) = arm.Runs |> List.distinctBy value |> List.length |> int64 |> box

                      row
                          [ data; arm.Label; arm.Model; arm.FrontEnd; arm.Distinction; Arms.budget arm
                            box (int64 arm.Runs.Length); count _.Record.Trial.Seed; count _.Record.Trial.Fold
                            cell (Arms.map "train" arm)
                            for domain in held do
                                match arm.Domains.TryFind domain with
                                | Some result ->
                                    yield! [ cell result.Map.Mean; cell result.Map.Deviation ]
                                    yield! edges result.Interval
                                    yield! [ box (letters[domain].[arm.Label]); cell (arm.Mean(Runs.metric "roc_auc" domain)) ]
                                | None -> yield! List.replicate 6 null
                            cell (Arms.overfittingGap arm)
                            cell (Arms.domainGap arm)
                            cell (arm.Mean(fun run -> float run.Record.Model.Parameters))
                            cell (arm.Mean(fun run -> float run.Record.Model.MultiplyAdds))
                            cell (arm.Mean _.Record.Cost.TrainSeconds)
                            cell (arm.Mean(fun run -> float run.Record.Cost.Clips))
                            cell (arm.Mean _.Record.Cost.TrainClipsPerSecond)
                            cell (arm.Mean _.Record.Cost.InferClipsPerSecond) ] ]

        { Name = "arms"; Heads = heads; Rows = rows }

    /// One row per pair of arms and domain.
    let comparisons (parts: (string * Arm list * Comparison list) list) : Table =
        { Name = "comparisons"
          Heads =
            [ "data"; "budget"; "domain"; "left"; "right"; "difference"; "low"; "high"; "p"; "holm"; "detectable"; "told_apart"; "seed_sd"; "seed_freedom"; "note" ]
          Rows =
            [ for data, arms, comparisons in parts do
                  for found in comparisons do
                      let budget = arms |> List.tryFind (fun arm -> arm.Label = found.Left) |> Option.map Arms.budget |> Option.defaultValue ""

                      row
                          [ data; budget; found.Domain; found.Left; found.Right; cell found.Difference
                            yield! edges found.Interval
                            cell found.P; cell found.Holm; cell found.Detectable
                            box (if found.ToldApart then "yes" else "no")
                            yield! (match found.Seeds with Some seeds -> [ cell seeds.Deviation; cell seeds.Freedom ] | None -> [ null; null ])
                            box found.Note ] ] }

    /// One row per arm, class and held-out domain: positives in a run, and mean and spread of average precision over runs.
    let classes (parts: (string * Arm list * Comparison list) list) : Table =
        let column (name: string) (label: string) (run: Run) =
            match run.Classes.TryGetColumn<float>(name, Deedle.Lookup.Exact) with
            | found when found.HasValue -> found.Value |> Deedle.Series.tryGet label |> Option.defaultValue nan
            | _ -> nan

        { Name = "classes"
          Heads = [ "data"; "budget"; "arm"; "class"; "common_name"; "train_recordings"; "domain"; "support"; "ap"; "ap_sd"; "roc_auc"; "runs" ]
          Rows =
            [ for data, arms, _ in parts do
                  for arm in arms do
                      for label in arm.Runs |> List.collect (fun run -> List.ofSeq run.Classes.RowKeys) |> List.distinct do
                          let name = arm.Runs |> List.tryPick _.CommonNames.TryFind(label) |> Option.defaultValue ""

                          for domain in held |> List.filter arm.Domains.ContainsKey do
                              let precision = arm.Runs |> List.map (column $"{domain}_ap" label) |> Statistics.spread

                              row
                                  [ data; Arms.budget arm; arm.Label; label; name
                                    cell (arm.Mean(column "train_recordings" label))
                                    domain
                                    cell (arm.Mean(column $"{domain}_support" label))
                                    cell precision.Mean; cell precision.Deviation
                                    cell (arm.Mean(column $"{domain}_auc" label))
                                    box (int64 precision.Count) ] ] }

    let private isA<'t> (table: Table) (column: int) =
        let known = table.Rows |> List.map (fun row -> row[column]) |> List.filter (isNull >> not)
        not known.IsEmpty && known |> List.forall (fun value -> value :? 't)

    let private isNumber (table: Table) (column: int) =
        table.Rows |> List.forall (fun row -> match row[column] with null -> true | :? float | :? int | :? int64 -> true | _ -> false)
        && table.Rows |> List.exists (fun row -> not (isNull row[column]))

    let private field (table: Table) (column: int, head: string) : DataField =
        if isA<int64> table column || isA<int> table column then DataField(head, typeof<int64>, Nullable true)
        elif isNumber table column then DataField(head, typeof<float>, Nullable true)
        else DataField(head, typeof<string>, Nullable true)

    let private writeParquet (path: string) (table: Table) : Task =
        task {
            let fields = table.Heads |> List.indexed |> List.map (field table)
            use stream = File.Create path
            use! writer = ParquetWriter.CreateAsync(ParquetSchema(fields |> List.map (fun field -> field :> Field)), stream)
            use group = writer.CreateRowGroup()

            for column, field in List.indexed fields do
                let values = [| for row in table.Rows -> row[column] |]
                let number (convert: obj -> 'n) = values |> Array.map (fun value -> match value with null -> Nullable() | known -> Nullable(convert known))

                if field.ClrType = typeof<int64> then
                    do! group.WriteAsync<int64>(field, ReadOnlyMemory(number (fun value -> Convert.ToInt64(value, CultureInfo.InvariantCulture))))
                elif field.ClrType = typeof<float> then
                    do! group.WriteAsync<float>(field, ReadOnlyMemory(number (fun value -> Convert.ToDouble(value, CultureInfo.InvariantCulture))))
                else
                    do! group.WriteAsync(field, values |> Array.map (fun value -> match value with null -> null | known -> string known) :> IReadOnlyCollection<string | null>)
        }

    /// Writes a table as <name>.csv and <name>.parquet into a folder, each whole or not at all, and returns both paths.
    let write (folder: string) (table: Table) : string list =
        let csv, parquet = Path.Combine(folder, table.Name + ".csv"), Path.Combine(folder, table.Name + ".parquet")
        CsvTable.Write(csv, table.Heads, table.Rows)
        WholeFile.Write(parquet, fun (beside: string) -> (writeParquet beside table).GetAwaiter().GetResult())
        [ csv; parquet ]

    /// Writes all tables of an ablation: report (runs), arms, comparisons and classes.
    let writeAll (set: RunSet) (parts: (string * Arm list * Comparison list) list) : string list =
        [ runs set; arms parts; comparisons parts; classes parts ] |> List.collect (write set.Folder)
