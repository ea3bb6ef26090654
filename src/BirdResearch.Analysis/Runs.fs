namespace BirdResearch.Analysis
module Runs =
    let x = 1
