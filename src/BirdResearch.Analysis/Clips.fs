namespace BirdResearch.Analysis

open System
open BirdResearch.Metrics

/// A clip on the page.
type internal ShownClip =
    { Id: string
      Domain: string
      Truth: string list
      /// Its picture and sound, where a run kept them.
      Example: Example option
      /// Mean cross-entropy over species, runs and arms; nan where it is not told.
      Loss: float
      /// Arms with their highest scores.
      Told: (string * (string * float) list) list }

/// The clips on the page about one part.
type internal ShownClips =
    { Hardest: ShownClip list
      Examples: ShownClip list
      /// Clips with the codes that arms give of them.
      Codes: (ShownClip * (string * CodePicture) list) list
      /// Files that could not be read.
      Unread: Skipped list }

/// Chooses the clips that a page shows.
module internal Clips =
    /// Arms that are told beside a clip at most.
    let mostArms = 8

    /// Hardest clips per domain, other clips per domain, and codes of a clip at most.
    let private mostHardest, mostOthers, mostCodes = 4, 3, 5

    /// How far down the hardest a clip may stand that is shown.
    let hardestAsked = 12

    /// Arms whose runs are asked for clips at most.
    let private mostAsked = 12

    /// No clips.
    let none = { Hardest = []; Examples = []; Codes = []; Unread = [] }

    let private best (part: Part) =
        let score (arm: Arm) = match part.Domains with domain :: _ -> Arms.map domain arm | [] -> nan
        part.Arms |> List.sortBy (fun arm -> let value = score arm in if Double.IsNaN value then infinity else -value)

    /// What the runs of each arm kept: of its first run that kept any, and of all.
    let private kept (arms: Arm list) =
        let found = [ for arm in arms -> arm, [ for run in arm.Runs -> run, SoundCharts.load run ] ]

        let first =
            [ for arm, loaded in found do
                  match loaded |> List.tryPick (fun (_, clips) -> match clips with Ok(_ :: _ as clips) -> Some clips | _ -> None) with
                  | Some clips -> arm.Label, clips
                  | None -> () ]

        let all = [ for _, loaded in found do for _, clips in loaded do match clips with Ok clips -> yield! clips | Error _ -> () ]

        let unread =
            [ for _, loaded in found do
                  for run, clips in loaded do
                      match clips with
                      | Error reason -> { Folder = $"{run.Name}/examples"; Reason = reason }
                      | Ok _ -> () ]

        first, all, unread

    /// Mean scores of an arm's runs in some rows, highest first, and what is true there.
    let private told (domain: string) (ids: Set<string>) (arm: Arm) =
        [ for run in arm.Runs do
              match Runs.scores domain run with
              | Ok scores ->
                  for row in 0 .. scores.Ids.Count - 1 do
                      if ids.Contains scores.Ids[row] then
                          for column in 0 .. scores.Classes.Count - 1 do
                              let at = row * scores.Classes.Count + column
                              scores.Ids[row], (scores.Classes[column], scores.Values[at], scores.Truth[at])
              | Error _ -> () ]
        |> List.groupBy fst
        |> List.map (fun (id, cells) ->
            let byClass = cells |> List.map snd |> List.groupBy (fun (label, _, _) -> label)
            let truth = [ for label, own in byClass do if own |> List.exists (fun (_, _, truth) -> truth) then label ]
            id, (truth, [ for label, own in byClass -> label, own |> List.averageBy (fun (_, value, _) -> value) ] |> List.sortByDescending snd))
        |> Map

    let private hardest (part: Part) (arms: Arm list) (examples: Map<string * string, Example>) (mistakes: Mistakes list) =
        [ for domain in part.Domains do
              // Of the hardest, those come first that a run kept: a window is best judged by eye and ear.
              let worst =
                  Mistakes.hardest domain mistakes
                  |> List.truncate hardestAsked
                  |> List.sortBy (fun (id, _) -> not (examples.ContainsKey(domain, id)))
                  |> List.truncate mostHardest

              let told = [ for arm in arms -> arm.Label, told domain (worst |> List.map fst |> Set) arm ]

              for id, loss in worst do
                  { Id = id
                    Domain = domain
                    Truth = told |> List.tryPick (fun (_, rows) -> rows.TryFind id |> Option.map fst) |> Option.defaultValue []
                    Example = examples.TryFind(domain, id)
                    Loss = loss
                    Told = [ for arm, rows in told do match rows.TryFind id with Some(_, scores) -> arm, scores | None -> () ] } ]

    let private ofExample (kept: (string * Example list) list) (example: Example) =
        { Id = example.Id
          Domain = example.Domain
          Truth = example.Truth
          Example = Some example
          Loss = nan
          Told =
            [ for arm, clips in kept |> List.truncate mostArms do
                  match clips |> List.tryFind (fun clip -> clip.Id = example.Id && clip.Domain = example.Domain) with
                  | Some clip -> arm, clip.Predictions
                  | None -> () ] }

    /// The clips of a part: the hardest over all arms, some that runs kept, and codes.
    let ofPart (part: Part) (mistakes: Mistakes list) : ShownClips =
        let ranked = best part
        let kept, all, unread = kept (List.truncate mostAsked ranked)
        let hardest = hardest part (List.truncate mostArms ranked) (Map [ for clip in List.rev all -> (clip.Domain, clip.Id), clip ]) mistakes

        let others =
            match kept with
            | [] -> []
            | (_, first) :: _ ->
                first
                |> List.filter (fun clip -> hardest |> List.forall (fun shown -> (shown.Domain, shown.Id) <> (clip.Domain, clip.Id)))
                |> List.groupBy _.Domain
                |> List.sortBy fst
                |> List.collect (snd >> List.truncate mostOthers)
                |> List.map (ofExample kept)

        let codes =
            [ for arm, clips in kept do
                  for clip in clips do
                      match clip.Code with
                      | Some code -> (clip.Domain, clip.Id), (clip, (arm, code))
                      | None -> () ]
            |> List.groupBy fst
            |> List.sortBy fst
            |> List.map (fun (_, told) -> { ofExample [] (told.Head |> snd |> fst) with Told = [] }, told |> List.map (snd >> snd) |> List.truncate mostCodes)
            |> List.truncate 2

        { Hardest = hardest; Examples = others; Codes = codes; Unread = unread }
