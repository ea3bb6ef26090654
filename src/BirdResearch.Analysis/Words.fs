namespace BirdResearch.Analysis

open System
open System.Globalization

/// Numbers and lists as text, the same everywhere in a report; a dash stands for what is not known.
module internal Words =
    let private text (format: string) (value: float) =
        if Double.IsFinite value then value.ToString(format, CultureInfo.InvariantCulture) else "–"

    /// Three digits behind the point with a sign, for differences.
    let signed (value: float) = text "+0.000;−0.000;0.000" (Math.Round(value, 3) + 0.0) // not −0

    /// Two digits behind the point, for running text.
    let two = text "0.00"

    /// Three digits behind the point, for tables.
    let three = text "0.000"

    /// Whole numbers with thin gaps between thousands.
    let whole (value: float) = (text "#,##0" value).Replace(",", "\u2009")

    /// Three significant digits, without exponent.
    let significant (value: float) =
        if not (Double.IsFinite value) then "–"
        elif value = 0.0 then "0"
        else
            let digits = max 0 (2 - int (floor (log10 (abs value))))
            if digits = 0 then whole value else value.ToString("F" + string digits, CultureInfo.InvariantCulture)

    /// Round numbers on an axis: "500", "20 k", "1.5 M".
    let short (value: float) =
        let scaled, unit = if value >= 1e6 then value / 1e6, "\u2009M" elif value >= 1e3 then value / 1e3, "\u2009k" else value, ""
        scaled.ToString("0.###", CultureInfo.InvariantCulture) + unit

    /// A probability with as many digits as it deserves.
    let probability (value: float) =
        if not (Double.IsFinite value) then "–"
        elif value < 0.0001 then "below 0.0001"
        elif value < 0.01 then value.ToString("0.0000", CultureInfo.InvariantCulture)
        else value.ToString("0.000", CultureInfo.InvariantCulture)

    /// "a", "a and b", "a, b and c".
    let listed (items: string list) =
        match List.rev items with
        | [] -> ""
        | [ only ] -> only
        | last :: before -> String.Join(", ", List.rev before) + " and " + last

    /// "1 run", "3 runs".
    let counted (count: int) (word: string) = if count = 1 then $"1 {word}" else $"{count} {word}s"

    /// Seconds as "41 s", "3 min 20 s" or "2 h 5 min".
    let duration (seconds: float) =
        let span = TimeSpan.FromSeconds(max 0.0 seconds)
        if span.TotalSeconds < 60.0 then $"{significant span.TotalSeconds} s"
        elif span.TotalHours < 1.0 then $"{span.Minutes} min {span.Seconds} s"
        else $"{int span.TotalHours} h {span.Minutes} min"

    /// A moment in UTC, to the minute.
    let moment (time: DateTime) = time.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)
