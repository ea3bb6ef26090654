using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace BirdResearch.Cli;

/// <summary>Writes the figures of a report as files: a browser without a window draws them all in one start.</summary>
public static class FigureFiles
{
    /// <summary>How long the browser may draw.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "msedge", "chrome"];

    /// <summary>The first browser of Chromium's kind on the path; null where there is none.</summary>
    public static string? Browser()
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        var ending = OperatingSystem.IsWindows() ? ".exe" : "";
        return (from name in Names from folder in folders select Path.Combine(folder, name + ending)).FirstOrDefault(File.Exists);
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
        var figures = Drawn(browser, File.ReadAllBytes(report), report);
        if (figures.FirstOrDefault(f => f.Error is not null) is { } bad) throw new InvalidOperationException($"The figure '{bad.Name}' could not be drawn: {bad.Error}");
        Directory.CreateDirectory(folder);
        foreach (var old in Directory.EnumerateFiles(folder).Where(f => Path.GetExtension(f) is ".svg" or ".png").ToList()) File.Delete(old);
        foreach (var figure in figures)
        {
            var file = Path.Combine(folder, Path.GetFileName(figure.Name));
            File.WriteAllText(file + ".svg", figure.Svg);
            File.WriteAllBytes(file + ".png", Convert.FromBase64String(figure.Png!));
        }
        return [.. figures.Select(f => (f.Name, f.Title))];
    }

    /// <summary>The figures of a page, made as reports are, as PNG files in its order; null where there is no browser.</summary>
    public static IReadOnlyList<byte[]>? Pictures(string page)
    {
        if (Browser() is not { } browser) return null;
        var figures = Drawn(browser, Encoding.UTF8.GetBytes(page), "the charts' page");
        return figures.FirstOrDefault(f => f.Error is not null) is { } bad
            ? throw new InvalidOperationException($"The chart {bad.Name} ({bad.Title}) could not be drawn: {bad.Error}")
            : [.. figures.Select(f => Convert.FromBase64String(f.Png!))];
    }

    sealed record Figure(string Name, string Title, string? Svg, string? Png, string? Error);

    /// <summary>Opens the report in the browser, from a server on this machine alone, and waits for what it sends back.</summary>
    static IReadOnlyList<Figure> Drawn(string browser, byte[] page, string report)
    {
        using var server = Listening(out var address);
        var profile = Directory.CreateTempSubdirectory("bird-browser-").FullName;
        var start = new ProcessStartInfo(browser) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[]
        {
            "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-extensions", "--mute-audio", "--remote-debugging-port=0", $"--user-data-dir={profile}", "--window-size=1280,1000", address + "#figures",
        })
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"'{browser}' did not start.");
        try
        {
            process.OutputDataReceived += (_, _) => { };
            process.ErrorDataReceived += (_, _) => { };
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            var answer = Task.Run(() => Answer(server, page));
            return answer.Wait(Patience)
                ? answer.Result
                : throw new InvalidOperationException($"'{browser}' did not draw the figures of '{report}' within {Patience.TotalMinutes} minutes. Open the page and look whether it draws there.");
        }
        finally
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            Remove(profile);
        }
    }

    static HttpListener Listening(out string address)
    {
        int port;
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            port = ((IPEndPoint)free.LocalEndpoint).Port;
        }
        address = $"http://127.0.0.1:{port}/";
        var server = new HttpListener();
        server.Prefixes.Add(address);
        server.Start();
        return server;
    }

    /// <summary>Hands out the page until its figures come.</summary>
    static IReadOnlyList<Figure> Answer(HttpListener server, byte[] report)
    {
        while (true)
        {
            var context = server.GetContext();
            using var response = context.Response;
            if (context.Request.HttpMethod == "POST")
                return JsonSerializer.Deserialize<List<Figure>>(context.Request.InputStream, JsonSerializerOptions.Web) ?? throw new InvalidDataException("The page sent no figures.");
            if (context.Request.Url?.AbsolutePath != "/")
            {
                response.StatusCode = 404;
                continue;
            }
            response.ContentType = "text/html; charset=utf-8";
            response.OutputStream.Write(report);
        }
    }

    static void Remove(string profile)
    {
        try
        {
            Directory.Delete(profile, recursive: true);
        }
        catch (IOException)
        {
            // A child of the browser may still write there; the system empties its temporary folder.
        }
    }
}
