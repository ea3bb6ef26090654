namespace BirdResearch.Analysis

open System

/// Student's t distribution, from which the chance of seeds is drawn.
[<RequireQualifiedAccess>]
module Distributions =
    /// Degrees of freedom from which on t is as good as normal.
    let private plenty = 1e4

    /// ln Γ(x) for x > 0, by Stirling's series after a shift to x >= 10.
    let private logGamma (x: float) =
        let mutable at, shift = x, 0.0
        while at < 10.0 do
            shift <- shift + log at
            at <- at + 1.0
        let inverse = 1.0 / (at * at)
        let series = (1.0 / 12.0 - inverse * (1.0 / 360.0 - inverse * (1.0 / 1260.0 - inverse / 1680.0))) / at
        (at - 0.5) * log at - at + 0.5 * log (2.0 * Math.PI) + series - shift

    /// The continued fraction of the incomplete beta function, by Lentz's method.
    let private fraction (a: float) (b: float) (x: float) =
        let kept value = if abs value < 1e-300 then 1e-300 else value

        let apply coefficient struct (c, d, result) =
            let d = 1.0 / kept (1.0 + coefficient * d)
            let c = kept (1.0 + coefficient / c)
            struct (c, d, result * c * d)

        let rec go step (struct (_, _, before) as state) =
            let m = float step
            let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
            let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
            let struct (_, _, result) as next = state |> apply even |> apply odd
            if abs (result - before) <= 1e-14 * abs result || step >= 2000 then result else go (step + 1) next

        let first = 1.0 / kept (1.0 - (a + b) * x / (a + 1.0))
        go 1 (struct (1.0, first, first))

    /// The regularised incomplete beta function I_x(a, b).
    let private incompleteBeta (a: float) (b: float) (x: float) =
        if x <= 0.0 then 0.0
        elif x >= 1.0 then 1.0
        else
            let front = exp (logGamma (a + b) - logGamma a - logGamma b + a * log x + b * Math.Log(1.0 - x))
            if x < (a + 1.0) / (a + b + 2.0) then front * fraction a b x / a else 1.0 - front * fraction b a (1.0 - x) / b

    /// P(T > t) of a t distribution with so many degrees of freedom (> 0; infinity gives the normal distribution).
    let rec upperTail (freedom: float) (t: float) : float =
        if t < 0.0 then 1.0 - upperTail freedom -t
        else
            let freedom = min freedom plenty
            0.5 * incompleteBeta (0.5 * freedom) 0.5 (freedom / (freedom + t * t))

    /// The t that is exceeded with that probability, in 0 to 1.
    let rec exceeded (freedom: float) (probability: float) : float =
        if probability > 0.5 then -(exceeded freedom (1.0 - probability))
        else
            let mutable low, high = 0.0, 1.0
            while upperTail freedom high > probability && high < 1e12 do high <- 2.0 * high
            for _ in 1..80 do
                let middle = 0.5 * (low + high)
                if upperTail freedom middle > probability then low <- middle else high <- middle
            0.5 * (low + high)

    /// The derivative of ln Γ(x) for x > 0.
    let digamma (x: float) : float =
        let rec up x sum = if x < 10.0 then up (x + 1.0) (sum - 1.0 / x) else x, sum
        let x, sum = up x 0.0
        let inverse = 1.0 / (x * x)
        sum + log x - 0.5 / x - inverse * (1.0 / 12.0 - inverse * (1.0 / 120.0 - inverse / 252.0))

    /// The second derivative of ln Γ(x) for x > 0.
    let trigamma (x: float) : float =
        let rec up x sum = if x < 10.0 then up (x + 1.0) (sum + 1.0 / (x * x)) else x, sum
        let x, sum = up x 0.0
        let inverse = 1.0 / (x * x)
        sum + 1.0 / x + 0.5 * inverse + inverse / x * (1.0 / 6.0 - inverse * (1.0 / 30.0 - inverse / 42.0))

    /// The x whose trigamma is the value, which is above 0.
    let trigammaInverse (value: float) : float =
        let rec find low high count =
            let middle = sqrt (low * high)
            if count = 0 then middle elif trigamma middle > value then find middle high (count - 1) else find low middle (count - 1)
        find 1e-8 1e8 200
