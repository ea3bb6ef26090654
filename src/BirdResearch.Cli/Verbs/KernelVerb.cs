using System.CommandLine;
using BirdResearch.Naming;
using BirdResearch.Notebooks.Documents;
using BirdResearch.Notebooks.Jupyter;
using BirdResearch.Notebooks.Languages;

namespace BirdResearch.Cli.Verbs;

/// <summary><c>bird kernel</c>: C# and F# notebooks in VS Code and Jupyter.</summary>
public static class KernelVerb
{
    /// <summary>The verb.</summary>
    public static Command Create() => new("kernel", "The Jupyter kernel for C# and F# cells: install it, see where it is, remove it.")
    {
        Install(), List(), Uninstall(), Start(),
    };

    static Command Install()
    {
        var user = new Option<bool>("--user") { Description = "Into the user's Jupyter folder (the default)" };
        var prefix = Prefix();
        var variables = new Option<string[]>("--env") { Description = "NAME=VALUE: a variable that the kernel gets, such as BIRD_DATA=/recordings, wherever VS Code is started from" };
        return new Command("install",
            """
            Writes the kernels 'C# (BirdResearch)' and 'F# (BirdResearch)' where VS Code and Jupyter find them. Both run both languages.

            Examples:
              bird kernel install
              bird kernel install --env BIRD_DATA=/recordings
              bird kernel install --prefix .venv
            """)
        { user, prefix, variables }.Does((p, _) =>
        {
            var folder = Folder(p, prefix);
            foreach (var place in KernelSpec.Write(folder, KernelSpec.OwnCommand, Variables(p.GetValue(variables) ?? []))) Screen.Line($"wrote {place}");
            Screen.Line();
            Screen.Line($"They start {string.Join(' ', KernelSpec.OwnCommand)}");
            Screen.Line("VS Code:  open a notebook, Select Kernel > Jupyter Kernel... > C# (BirdResearch). No Python is needed; reload the window if it was open.");
            Screen.Line("Jupyter:  choose C# (BirdResearch) or F# (BirdResearch) under New or in the launcher.");
            if (!KernelSpec.SearchPath.Contains(folder))
                Screen.Line($"This folder is no one's default: it is found by the Jupyter of that prefix, or with JUPYTER_PATH={Path.GetDirectoryName(folder)}");
            return 0;
        });
    }

    static Command List() => new Command("list", "Where our kernels are installed, and whether they would start.").Does((_, _) =>
    {
        var found = KernelSpec.Installed(KernelSpec.SearchPath);
        foreach (var (name, folder, missing) in found)
            Screen.Line($"{name}  {folder}{(missing is null ? "" : $"  does not start: {missing} is missing; call 'bird kernel install' again")}");
        if (found.Count == 0) Screen.Line("No kernel of ours is installed where front-ends look; 'bird kernel install' does it.");
        return found.Any(f => f.Missing is not null) ? Verb.Failed : 0;
    });

    static Command Uninstall()
    {
        var prefix = Prefix();
        return new Command("uninstall", "Removes both kernels from the user's Jupyter folder or a prefix.") { prefix }.Does((p, _) =>
        {
            var folder = Folder(p, prefix);
            var removed = KernelSpec.Remove(folder);
            foreach (var place in removed) Screen.Line($"removed {place}");
            if (removed.Count == 0) Screen.Line($"There is none of our kernels in {folder}.");
            return 0;
        });
    }

    static Command Start()
    {
        var file = new Argument<string>("FILE") { Description = "The connection file that the front-end wrote" };
        var language = new Option<string>("--language") { Description = "Language of cells that name none", DefaultValueFactory = _ => NotebookSession.CSharp };
        var command = new Command("start", "Runs a kernel. Started by VS Code and Jupyter, not by hand.") { file, language };
        // Not by Does: here Ctrl-C interrupts a cell, however often, and never ends the process.
        command.SetAction(p =>
        {
            var given = p.GetValue(language);
            var spoken = LanguageInfo.Find(given) ?? throw new ArgumentException(NearNames.Unknown("language", given ?? "", [.. LanguageInfo.All.Select(l => l.Id)]));
            KernelProcess.Serve(p.GetRequiredValue(file), spoken, () => new NotebookSession(spoken.Id) { Notebook = Notebook.RequestsOf });
            Environment.Exit(0);   // whatever threads a cell has left behind
        });
        return command;
    }

    static Option<string?> Prefix() => new("--prefix") { Description = "Below this folder instead: DIR/share/jupyter/kernels" };

    static string Folder(ParseResult p, Option<string?> prefix) => p.GetValue(prefix) is { } given ? KernelSpec.FolderBelow(given) : KernelSpec.UserFolder;

    static Dictionary<string, string> Variables(IEnumerable<string> given) => given.Select(g => g.Split('=', 2)).ToDictionary(
        parts => parts is [{ Length: > 0 } name, _] ? name : throw new ArgumentException($"--env holds '{string.Join('=', parts)}'; it takes NAME=VALUE such as BIRD_DATA=/recordings."),
        parts => parts[1]);
}
