using System.Diagnostics;
using System.Net;
using System.Text.RegularExpressions;

namespace BirdResearch.Cli;

/// <summary>Writes the figures of a report as files: a browser without a window draws them all in one start.</summary>
public static partial class FigureFiles
{
    /// <summary>How long the browser may draw.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "msedge", "chrome"];

    /// <summary>The first browser of Chromium's kind on the path; null where there is none.</summary>
    public static string? Browser()
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        string[] endings = OperatingSystem.IsWindows() ? [".exe"] : [""];
        return (from name in Names from folder in folders from ending in endings select Path.Combine(folder, name + ending)).FirstOrDefault(File.Exists);
    }

    /// <summary>
    /// Writes <c>&lt;name&gt;.svg</c> and <c>&lt;name&gt;.png</c> (twice the size, at most 256 colours) of every figure of a report into a folder,
    /// in the page's order, and returns names and titles. Files of figures that the page no longer has are removed.
    /// </summary>
    /// <param name="report">Path of <c>report.html</c>.</param>
    /// <param name="folder">Where to, made where it is missing.</param>
    public static IReadOnlyList<(string Name, string Title)> Write(string report, string folder)
    {
        var browser = Browser() ?? throw new InvalidOperationException(
            "Figures are drawn by Chromium, which is not on the path. Install it (Debian: apt install chromium; or Google Chrome or Edge), or save figures " +
            "one by one with the buttons beside them in report.html.");
        var page = Page(browser, report);
        var found = FigurePlace().Matches(page);
        if (!page.Contains("data-figures=\"done\"", StringComparison.Ordinal) || found.Count == 0)
            throw new InvalidOperationException($"'{browser}' did not finish drawing the figures of '{report}' in {Patience.TotalMinutes} minutes. Open the page and look whether it draws there.");
        Directory.CreateDirectory(folder);
        foreach (var old in Directory.EnumerateFiles(folder).Where(f => Path.GetExtension(f) is ".svg" or ".png").ToList()) File.Delete(old);
        var written = new List<(string, string)>();
        foreach (Match place in found)
        {
            var attributes = Attribute().Matches(place.Groups[1].Value).ToDictionary(m => m.Groups[1].Value, m => WebUtility.HtmlDecode(m.Groups[2].Value));
            if (attributes.TryGetValue("error", out var error)) throw new InvalidOperationException($"The figure '{attributes["name"]}' could not be drawn: {error}");
            var file = Path.Combine(folder, Path.GetFileName(attributes["name"]));
            File.WriteAllText(file + ".svg", WebUtility.HtmlDecode(place.Groups[2].Value));
            File.WriteAllBytes(file + ".png", Convert.FromBase64String(attributes["png"][(attributes["png"].IndexOf(',') + 1)..]));
            written.Add((attributes["name"], attributes["title"]));
        }
        return written;
    }

    /// <summary>The report's document after its scripts have turned it into its figures.</summary>
    static string Page(string browser, string report)
    {
        var profile = Directory.CreateTempSubdirectory("bird-browser-").FullName;
        try
        {
            var start = new ProcessStartInfo(browser) { RedirectStandardOutput = true, RedirectStandardError = true };
            foreach (var argument in new[]
            {
                "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
                "--disable-sync", "--disable-extensions", "--mute-audio", $"--user-data-dir={profile}", "--window-size=1280,1000",
                $"--virtual-time-budget={(long)Patience.TotalMilliseconds}", "--dump-dom", new Uri(Path.GetFullPath(report)).AbsoluteUri + "#figures",
            })
                start.ArgumentList.Add(argument);
            using var process = Process.Start(start) ?? throw new InvalidOperationException($"'{browser}' did not start.");
            var (page, _) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            if (!process.WaitForExit(Patience)) process.Kill(entireProcessTree: true);
            return page.GetAwaiter().GetResult();
        }
        finally
        {
            try
            {
                Directory.Delete(profile, recursive: true);
            }
            catch (IOException)
            {
                // A child of the browser may still write there; the system's temporary folder is emptied anyway.
            }
        }
    }

    [GeneratedRegex("<pre ([^>]*)>(.*?)</pre>", RegexOptions.Singleline)]
    private static partial Regex FigurePlace();

    [GeneratedRegex("data-(\\w+)=\"([^\"]*)\"")]
    private static partial Regex Attribute();
}
