namespace BirdResearch.Analysis

open System
open System.IO
open BirdResearch.Naming
open BirdResearch.Analysis.Words

/// Runs that were asked for by one name.
type Named = { Label: string; Runs: Run list }

/// Two sets of runs beside each other.
type Pair =
    { Heading: string
      Left: Named
      Right: Named
      /// One per domain that both were scored in.
      Comparisons: Comparison list }

/// Two runs or arms, of one ablation or of two, compared by name.
[<RequireQualifiedAccess>]
module Pairs =
    /// Heads of cells; numbers end in >.
    let Heads = [| "domain"; "A>"; "B>"; "A − B>"; "95 % interval>"; "p>"; "could have found>"; "" |]

    /// Heads of classes.
    let ClassHeads = [| "class"; "domain"; "positives>"; "A>"; "B>"; "A − B>" |]

    /// A run by its folder.
    let run (folder: string) : Named =
        let parent = match Path.GetDirectoryName(Path.GetFullPath folder) with null -> "." | found -> found
        let name = RunReader.nameOf (Path.TrimEndingDirectorySeparator folder)

        match (Runs.load parent).Runs |> List.tryFind (fun run -> run.Name = name) with
        | Some found -> { Label = found.Name; Runs = [ found ] }
        | None -> raise (InvalidDataException $"'{folder}' cannot be read as a run.")

    /// The arm of an ablation's folder whose label is the text or is the only one that holds all its words.
    let arm (folder: string) (text: string) : Named =
        let set = Runs.load folder
        let arms = [ for data, runs in Runs.byData set do for arm in Arms.ofRuns runs -> $"{arm.Label} on {data}", arm ]
        let words = text.Split([| ' '; '·'; ',' |], StringSplitOptions.RemoveEmptyEntries)
        let holds (label: string) = words |> Array.forall (fun word -> label.Contains(word, StringComparison.OrdinalIgnoreCase))
        let exact = arms |> List.filter (fun (label, arm) -> label = text || arm.Label = text)

        match (if exact.IsEmpty then arms |> List.filter (fst >> holds) else exact) with
        | [ label, arm ] -> { Label = $"{set.Ablation}: {label}"; Runs = arm.Runs }
        | [] -> raise (ArgumentException(NearNames.Unknown($"arm of {set.Ablation}", text, arms |> List.map fst)))
        | several ->
            let names = several |> List.truncate 8 |> List.map fst |> String.concat "; "
            raise (ArgumentException $"'{text}' names {several.Length} arms of {set.Ablation}; say more words of one: {names}.")

    /// A run by its folder, or with words of a label the arm in an ablation's folder.
    let named (folder: string) (label: string | null) : Named =
        match label with
        | null -> run folder
        | text -> arm folder text

    let private one (what: string) (value: Run -> string) (named: Named) =
        match named.Runs |> List.map value |> List.distinct with
        | [ only ] -> only
        | several -> raise (ArgumentException $"The runs of {named.Label} differ in their {what}: {listed several}. Compare them one by one.")

    let private scores (domain: string) (named: Named) =
        [ for run in named.Runs do
              match Runs.scores domain run with
              | Ok scores -> run.Record.Trial.Fold.GetValueOrDefault(), run.Record.Trial.Seed, scores
              | Error reason -> raise (InvalidDataException $"{run.Name} cannot be compared: {reason}. Scores may not be committed; make the run again to have them.") ]

    /// The comparison of two sets of runs in every domain that both were scored in. They must be of the same data and, unless any budget will
    /// do, of the same budget.
    let ofNamed (left: Named) (right: Named) (anyBudget: bool) : Pair =
        let budget = one "budget" (fun run -> string run.Record.Trial.Training.Budget)
        let data = one "data" (fun run -> $"{run.Record.Data.Name} ({run.Record.Data.ContentKey})")

        if data left <> data right then
            raise (ArgumentException $"{left.Label} is of {data left}, {right.Label} of {data right}: scores compare on the same recordings only.")

        if budget left <> budget right && not anyBudget then
            raise (ArgumentException $"{left.Label} was given {budget left}, {right.Label} {budget right}: that would be no fair comparison. Say --any-budget to make it all the same.")

        let label, other = if left.Label = right.Label then "A", "B" else left.Label, right.Label
        let both (domain: string) = left.Runs @ right.Runs |> List.forall _.Record.Scores.ContainsKey(domain)

        let compare (domain: string) =
            Comparisons.ofScores Statistics.defaultResamples 10_000 domain [ label, scores domain left; other, scores domain right ] |> List.exactlyOne

        let found = Runs.domains |> List.filter (fun domain -> domain <> "train" && both domain) |> List.map compare

        match found with
        | [] -> raise (ArgumentException $"{left.Label} and {right.Label} were not scored in one and the same domain.")
        | first :: _ when Double.IsNaN first.Difference -> raise (ArgumentException $"{left.Label} and {right.Label} do not compare: {first.Note}.")
        | _ -> ()

        let budgets = if budget left = budget right then budget left else $"{budget left} against {budget right}"
        let name = left.Runs.Head.Record.Data.Name
        let design (named: Named) = counted named.Runs.Length "run"

        { Heading = $"A  {left.Label}, {design left}\nB  {right.Label}, {design right}\non {name}, {budgets}"
          Left = left
          Right = right
          Comparisons = found }

    let private mean (domain: string) (named: Named) = (Statistics.spread (named.Runs |> List.map (Runs.metric "map" domain))).Mean

    /// A row of texts per domain under Heads.
    let cells (pair: Pair) : string[] list =
        [ for found in pair.Comparisons ->
              let interval = match found.Interval with Some edges -> $"{signed edges.Low} to {signed edges.High}" | None -> "–"

              [| found.Domain; three (mean found.Domain pair.Left); three (mean found.Domain pair.Right); signed found.Difference; interval
                 probability found.P; three found.Detectable; (if found.P < Comparisons.level then "" else "not told apart") |] ]

    /// What to know about the numbers.
    let sentences (pair: Pair) : string list =
        [ for note, found in pair.Comparisons |> List.groupBy _.Note do
              if note <> "" then
                  let domains = found |> List.map _.Domain |> listed
                  $"{domains}: {note}."
          match pair.Comparisons |> List.tryPick _.Seeds with
          | Some seeds -> $"Standard deviation between seeds {three seeds.Deviation}, {significant seeds.Freedom} degrees of freedom."
          | None -> ()
          "p is of this pair alone: among many pairs some fall below 0.05 by chance, which the report of an ablation corrects for." ]

    let private column (name: string) (label: string) (named: Named) =
        let value (run: Run) =
            match run.Classes.TryGetColumn<float>(name, Deedle.Lookup.Exact) with
            | found when found.HasValue -> found.Value |> Deedle.Series.tryGet label |> Option.defaultValue nan
            | _ -> nan

        (Statistics.spread (named.Runs |> List.map value)).Mean

    /// The classes whose average precision differs most, at most so many, as texts under ClassHeads.
    let classes (most: int) (pair: Pair) : string[] list =
        let names = pair.Left.Runs |> List.map _.CommonNames |> List.tryFind (Map.isEmpty >> not) |> Option.defaultValue Map.empty

        [ for found in pair.Comparisons do
              for label in pair.Left.Runs |> List.collect (fun run -> List.ofSeq run.Classes.RowKeys) |> List.distinct do
                  let a, b = column $"{found.Domain}_ap" label pair.Left, column $"{found.Domain}_ap" label pair.Right
                  if Double.IsFinite(a - b) then
                      abs (a - b), (names.TryFind label |> Option.defaultValue label, found.Domain, column $"{found.Domain}_support" label pair.Left, a, b) ]
        |> List.sortByDescending fst
        |> List.truncate most
        |> List.map (fun (_, (name, domain, support, a, b)) -> [| name; domain; significant support; three a; three b; signed (a - b) |])
