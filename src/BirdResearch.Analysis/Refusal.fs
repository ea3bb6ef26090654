namespace BirdResearch.Analysis

open Giraffe.ViewEngine

/// What stands on a page where a figure would have shown less than was asked for.
module internal Refusal =
    /// A box that says which runs are missing or stale, why, and what makes them.
    let box (title: string) (problems: Problem list) : XmlNode =
        let sentence, commands = Ledger.describe problems

        div [ _class "refused" ]
            [ p [] [ b [] [ str title ]; str ": not drawn, since of its runs "; str sentence ]
              for command in List.truncate 3 commands do
                  p [] [ code [] [ str command ] ] ]

    /// What stands at the head of a page that is not whole.
    let note (problems: Problem list) : XmlNode =
        let sentence, commands = Ledger.describe problems

        div [ _class "refused" ]
            [ p [] [ b [] [ str "Not whole" ]; str ": "; str sentence ]
              for command in List.truncate 3 commands do
                  p [] [ code [] [ str command ] ] ]

    /// The figure, unless a run that it needs is missing or stale.
    let orDraw (problems: Problem list) (title: string) (draw: unit -> XmlNode) : XmlNode =
        if problems.IsEmpty then draw () else box title problems
