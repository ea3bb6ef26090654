namespace BirdResearch.Analysis

open System
open Giraffe.ViewEngine
open BirdResearch.Analysis.Words

/// The figures of one part of a report, each a list that is empty where there is nothing to draw.
module internal Figures =
    /// Species in one figure at most; a page of paper holds them.
    let private mostSpecies = 40

    let private figure name title caption key charts =
        { Name = name; Title = title; Caption = caption; Key = key; Charts = charts; Choices = [] }

    /// What the comparative figure shows.
    let comparison styles (part: Part) : Figure list =
        let caption =
            $"Bars are means over runs, markers single runs, black lines the 95 %% bootstrap interval of the mean over recordings \
              ({Statistics.defaultResamples} resamples, percentiles less the resampling bias; soundscape windows are drawn by recording). \
              The interval holds the chance of which recordings were scored and, where an arm has several seeds, that of the seed. \
              The dotted line is what guessing reaches. Budget of every arm: {part.Budget}."

        [ figure "comparison" "Comparative mAP" caption (rawText "") [ Charts.comparison styles part.Domains part.Arms ] ]

    /// Arms by rank, with what is told apart.
    let ranks styles (part: Part) : Figure list =
        let caption (domain: string) =
            let detectable = part.Comparisons[domain] |> List.map _.Detectable |> List.filter Double.IsFinite
            let smallest =
                if detectable.IsEmpty then ""
                else $" Between two arms this design finds differences from {three (List.min detectable)} to {three (List.max detectable)} on, in 80 of 100 repetitions."

            $"Large marks are means with their 95 %% interval, small ones single runs. Arms on one vertical bar are not told apart (paired permutation test over recordings and seeds,               Holm's correction over all pairs, 5 %%); gaps that are not told apart are grey. Cells are the row's mAP less the column's, blue where told apart.{smallest}"

        [ for domain in part.Domains do
              if (RankCharts.ranked domain part.Arms).Length > 1 then
                  figure $"ranks-{domain}" $"{Charts.domainTitle domain}: ranks, and what is told apart" (caption domain) (rawText "")
                      [ RankCharts.ranks styles domain part.Comparisons[domain] part.Arms ] ]

    /// The same arms under several budgets: where each stands.
    let budgets styles (parts: Part list) : Figure list =
        [ for domain in parts.Head.Domains do
              if parts |> List.forall (fun part -> part.Comparisons.ContainsKey domain) then
                  figure $"budgets-{domain}" $"{Charts.domainTitle domain}: ranks under each budget"
                      "The same arms, each column under one budget. Filled marks are the best and those that are not told apart from it there; behind each line the arm and its mAP under the last budget.                        Epochs are unequal where arms see unequal clips in one, clips where they cost unequal time, and seconds hold for the machine of the runs alone."
                      (rawText "")
                      [ RankCharts.underBudgets styles domain Sections.spent [ for part in parts -> part.Budget, part.Arms, part.Comparisons[domain] ] ] ]

    /// The gap between training and validation.
    let overfitting styles (part: Part) : Figure list =
        let caption =
            "Macro mAP of the kept weights without augmentation, mean over runs. The farther the open circle lies from \
             the filled one, the more a model knows its training recordings by heart."

        [ figure "overfitting" "The over-fitting gap" caption (Page.domainKey ("train" :: part.Domains)) [ Charts.overfitting styles part.Arms ] ]

    /// Learning curves against epochs, and validation against what training had cost by then.
    let curves styles (part: Part) : Figure list =
        let curve progress column title = CurveCharts.learning styles progress column title part.Arms
        let key = Page.key styles part.Arms
        let lines = "Thick lines are means over runs, thin lines single runs where the arms are few."
        let validation progress = curve progress "focal_map" "mAP, validation"

        [ figure "learning-curves" "Learning curves" $"{lines} The training loss is that of augmented batches." key
              [ curve CurveCharts.epochs "train_loss" "training loss"; curve CurveCharts.epochs "train_map" "mAP, training"; validation CurveCharts.epochs ]
          figure "learning-prices" "Validation mAP against what training had cost"
              $"{lines} Seconds are those of training on the run's machine; evaluation is left out. Multiply-adds are those of the forward pass, \
                as the model counts them; the backward pass costs about twice as many more." key
              [ validation CurveCharts.clips; validation CurveCharts.seconds; validation CurveCharts.multiplyAdds ] ]

    /// mAP against one setting that was changed in steps, up to three settings a figure.
    let sweeps (part: Part) : Figure list =
        let sweeps = Sweeps.ofArms part.Arms
        let styles = sweeps |> List.map _.Model |> List.distinct |> Theme.styles

        [ for domain in part.Domains do
              for number, settings in sweeps |> List.groupBy _.Setting |> List.chunkBySize 3 |> List.indexed do
                  let charts = [ for setting, own in settings -> Charts.sweep styles domain setting own ]
                  let names = settings |> List.map fst |> listed
                  let place = if number = 0 then "" else $"-{number + 1}"

                  figure $"sweep-{domain}{place}" $"{Charts.domainTitle domain} mAP against {names}"
                      "Arms of a model that differ in this number alone. Large marks are means over runs, small ones single runs; the lower axes are logarithmic."
                      (Page.keyOfModels styles) charts ]

    /// From focal recordings to soundscapes.
    let shift styles (part: Part) : Figure list =
        if part.Arms |> List.exists (Arms.domainGap >> Double.IsFinite) then
            [ figure "domain-shift" "From focal recordings to soundscapes"
                  "A line per arm from its focal validation mAP to its soundscape mAP, means over runs; behind it the signed gap (soundscape less focal). \
                   Both are averaged over the species that are heard there, so part of the gap may be that of other species."
                  (rawText "") [ ShiftCharts.slopes styles part.Arms ] ]
        else []

    /// Average precision by species.
    let species styles (part: Part) : Figure list =
        match Sections.species part with
        | [], _ -> []
        | labels, unscored ->
            let half = mostSpecies / 2
            let all = labels.Length <= mostSpecies
            let shown = if all then labels else List.take half labels @ List.skip (labels.Length - half) labels
            let domains = part.Domains |> List.map Charts.domainName |> String.concat " / "
            let many = part.Arms.Length > Charts.mostMarkers

            let caption =
                [ $"Mean over runs, lowest validation first. Behind each name: positives in {domains}. Few positives make a noisy precision."
                  if many then "The darker a cell, the higher; a column per arm, in the order of the table."
                  if not all then $"The {half} lowest and the {half} highest of {labels.Length}; classes.csv of each run has all."
                  if not unscored.IsEmpty then $"Without positives, so not averaged: {listed unscored}." ]

            let key = if many then rawText "" else Page.key styles part.Arms
            let charts =
                if many then [ for domain in part.Domains -> Charts.speciesGrid domain shown part.Arms ]
                else [ Charts.perSpecies styles part.Domains shown part.Arms ]

            [ figure "species" "Average precision by species" (String.concat " " caption) key charts ]

    let private machineOf (part: Part) =
        match part.Runs |> List.map _.Record.Machine |> List.distinct with
        | [ one ] -> counted one.Threads "thread" + $" of {one.Cpu}"
        | several -> $"{several.Length} machines, which do not compare"

    /// Scores against the minutes of a hidden test, size, and training time.
    let prices styles (part: Part) : Figure list =
        let caption (domain: string) =
            $"{Charts.domainTitle domain} mAP. Large markers are means with their interval over recordings, small ones single runs. Ringed: the Pareto front, arms that no \
              other beats in both. The lower axes are logarithmic. Minutes are {CostCharts.testSoundscapes} soundscapes of {CostCharts.testWindows} windows at the speed at which the run \
              scored its own held-out recordings: decoding and features included, torch in fp32 or bf16, one model, {machineOf part}. \
              bird rehearse measures an exported ensemble on a real test. The dotted line is the contest's limit."

        [ for domain in part.Domains do
              figure $"price-{domain}" $"{Charts.domainTitle domain} mAP against CPU minutes, size and training time" (caption domain) (Page.key styles part.Arms)
                  [ for price in [ CostCharts.minutes; CostCharts.parameters; CostCharts.training ] -> CostCharts.pareto styles domain price part.Arms ] ]

    /// Arms that scored all species, the best first.
    let private ranked (part: Part) (domain: string) (mistakes: Mistakes list) =
        let score (mistakes: Mistakes) = part.Arms |> List.tryFind (fun arm -> arm.Label = mistakes.Arm) |> Option.map (Arms.map domain) |> Option.defaultValue nan
        mistakes
        |> List.filter (fun one -> one.Classes = mistakes.Head.Classes)
        |> List.sortBy (fun one -> let value = score one in if Double.IsNaN value then infinity else -value)
        |> List.truncate ConfusionCharts.mostArms

    /// Which species are taken for which, and which are scored together.
    let mistakes (part: Part) (mistakes: Mistakes list) : Figure list =
        let name (label: string) = part.Names.TryFind label |> Option.defaultValue label
        let most (classes: int) = if classes > ConfusionCharts.mostClasses then $" The {ConfusionCharts.mostClasses} species that are most often mistaken, of {classes}." else ""

        let confused = mistakes |> List.filter (fun one -> one.Confusion |> Array.exists (Array.exists Double.IsFinite))
        let paired = mistakes |> List.filter ConfusionCharts.hasPairs

        [ if not confused.IsEmpty then
              let ranked = ranked part "focal" confused

              { figure "confusion" "Which species are taken for which"
                    $"Share of each species' held-out focal recordings (rows) by the species that scores highest (columns), over runs; in brackets how many recordings. Recordings of several species are left out. \
                      The best arm is shown; the {ConfusionCharts.mostArms} best can be chosen.{most ranked.Head.Classes.Length}" (rawText "") [ ConfusionCharts.confusion name ranked ] with
                  Choices = ranked |> List.map _.Arm }

          if not paired.IsEmpty then
              let ranked = ranked part "soundscape" paired

              { figure "co-occurrence" "Species that are heard together, and species that are scored together"
                    "Correlation over soundscape windows: left of presence, right of the scores, mean over runs. Blue rises together, brown apart. What is blue on the right and \
                     not on the left, an arm cannot tell apart; what is blue on both may be habit that it learned or birds that sing together."
                    (rawText "") [ ConfusionCharts.presence name ranked; ConfusionCharts.scores name ranked ] with
                  Choices = ranked |> List.map _.Arm } ]

    /// Scores against the knobs of a synthetic world, up to three a figure.
    let robustness styles (part: Part) : Figure list =
        [ for number, knobs in Robustness.ofArms part.Arms |> List.chunkBySize 3 |> List.indexed do
              let drawn (arm: Arm) = knobs |> List.exists (fun (_, curves) -> curves |> List.exists (fun (other, _) -> other.Label = arm.Label))
              figure (if number = 0 then "robustness" else $"robustness-{number + 1}") $"Score against {listed [ for knob, _ in knobs -> Robustness.title knob ]}"
                  "Soundscapes that differ in this knob alone, with known truth, scored by the runs' weights without training again. Lines are means over runs with the interval over recordings of \
                   the first run; nothing was trained on these soundscapes."
                  (Page.key styles (List.filter drawn part.Arms)) [ for knob, curves in knobs -> ShiftCharts.robustness styles knob curves ] ]

    /// How often the units of sparse codes fire.
    let codes styles (part: Part) : Figure list =
        match Codes.ofArms part.Arms with
        | [] -> []
        | found ->
            let idle (use': CodeUse) = use'.Shares |> List.exists (fun (_, shares) -> shares |> Array.exists ((=) 0.0))

            let silent =
                [ for use' in found do
                      for domain, shares in use'.Shares do
                          let never = shares |> Array.filter ((=) 0.0) |> Array.length
                          if never > 0 then $"{use'.Arm.Label}: {never} of {shares.Length} units never fire in the {Charts.domainName domain}" ]

            let told = if silent.IsEmpty then "Every unit fires somewhere." elif silent.Length <= 6 then String.Join("; ", silent) + "." else $"In {(found |> List.filter idle).Length} of {found.Length} arms some units never fire."
            let domains = found |> List.collect (_.Shares >> List.map fst) |> List.distinct

            [ figure "codes" "How often the units of a code fire"
                  $"Share of time steps in which a unit fires, over up to 64 windows of each domain, first run of each arm; units by falling share. A flat line uses all units alike; where the \
                    soundscapes' line differs from the focal one, the code meets sounds that it was not fitted to. {told}"
                  (Page.key styles [ for use' in found -> use'.Arm ]) [ for domain in domains -> CodeCharts.uses styles domain found ] ]
