using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using BirdResearch.Data;
using BirdResearch.Naming;

namespace BirdResearch.Experiments;

/// <summary>
/// The folder of finished runs: <c>results/&lt;ablation&gt;/&lt;run&gt;/</c>. A run is written beside, in <c>&lt;run&gt;.partial</c>, and renamed
/// when it is whole, so a folder without that ending is finished and is read back instead of being trained again.
/// </summary>
public sealed class RunStore
{
    /// <summary>What changes the numbers of a run although its settings stay the same; raised when training itself changes.</summary>
    public const int Recipe = 5;

    /// <summary>The folder of pretrainings beside those of the ablations.</summary>
    public const string Pretraining = "pretrain";

    const string Partial = ".partial";

    /// <param name="root">Folder of the ablations, such as <c>results</c>.</param>
    public RunStore(string root) => Root = Path.GetFullPath(root);

    /// <summary>Folder of the ablations.</summary>
    public string Root { get; }

    /// <summary>How records are written: snake_case keys, enums by name, readable.</summary>
    public static JsonSerializerOptions Json { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DictionaryKeyPolicy = null,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
    };

    /// <summary>The store of this checkout: <c>results/</c> beside <c>BirdResearch.sln</c>.</summary>
    public static RunStore Open() => new(Folders.Results);

    /// <summary>Folder of an ablation.</summary>
    public string AblationFolder(string ablation) => Path.Combine(Root, ablation);

    /// <summary>Folder of a finished run.</summary>
    public string FolderOf(string ablation, string run) => Path.Combine(Root, ablation, run);

    /// <summary>Folder in which a run is made until it is whole.</summary>
    public string PartialFolderOf(string ablation, string run) => FolderOf(ablation, run) + Partial;

    /// <summary>The claim on a run (see <see cref="Claims.Claim"/>): files beside its partial folder.</summary>
    public string ClaimOf(string ablation, string run) => FolderOf(ablation, run) + ".claim";

    /// <summary>
    /// Name of the run of a complete trial on that data: readable first, then the hash of <see cref="RunIdentity"/>. Of weights to start from only
    /// the content plays a part in it.
    /// </summary>
    public static string NameOf(Trial trial, Dataset data)
    {
        var start = trial.Training.Pretrained is { } weights ? PretrainedWeights.DigestOf(weights) : null;
        var hash = RunIdentity.HashOf(trial, data.ContentKey, SoundWithoutLabels.KeyOf(trial, data), Recipe, start);
        return string.Create(CultureInfo.InvariantCulture,
            $"{trial.Model}.{trial.FrontEnd}.{data.Name}.f{trial.Fold}.s{trial.Seed}-{hash}");
    }

    /// <summary>The finished run of that name, or null. A folder whose record cannot be read is an error that names the file.</summary>
    public RunRecord? Find(string ablation, string run) => Find<RunRecord>(ablation, run);

    /// <summary>The record of a finished run of another kind, or null.</summary>
    internal T? Find<T>(string ablation, string run)
        where T : class
    {
        var file = Path.Combine(FolderOf(ablation, run), "run.json");
        return File.Exists(file) ? Read<T>(file) : null;
    }

    /// <summary>Ablations that hold at least one finished run, in ordinal order.</summary>
    public IReadOnlyList<string> Ablations() =>
        Directory.Exists(Root)
            ? [.. Directory.EnumerateDirectories(Root).Select(d => Path.GetFileName(d)).Where(a => a != Pretraining && Runs(a).Any()).Order(StringComparer.Ordinal)]
            : [];

    /// <summary>Names of the finished runs of an ablation, in ordinal order.</summary>
    public IEnumerable<string> Runs(string ablation) =>
        Directory.Exists(AblationFolder(ablation))
            ? Directory.EnumerateDirectories(AblationFolder(ablation))
                .Where(d => !d.EndsWith(Partial, StringComparison.Ordinal) && File.Exists(Path.Combine(d, "run.json")))
                .Select(d => Path.GetFileName(d))
                .Order(StringComparer.Ordinal)
            : [];

    /// <summary>
    /// The folder of a finished run that is named by its folder, its name or a part of its name; none, or more than one, is an error that
    /// lists what there is.
    /// </summary>
    public string FolderNamed(string run)
    {
        if (File.Exists(Path.Combine(run, "run.json"))) return Path.GetFullPath(run);
        var all = Ablations().SelectMany(a => Runs(a).Select(name => (Folder: FolderOf(a, name), Name: name))).ToList();
        var whole = all.Where(r => r.Name == run).ToList();
        var found = whole.Count > 0 ? whole : [.. all.Where(r => r.Name.Contains(run, StringComparison.Ordinal))];
        if (found is [var one]) return one.Folder;
        if (found.Count > 1)
            throw new ArgumentException(
                $"'{run}' names {found.Count} runs; say more of the name of one: {string.Join(", ", found.Take(8).Select(r => Path.GetRelativePath(Root, r.Folder)))}.");
        throw new ArgumentException(all.Count == 0
            ? $"There is no finished run '{run}': {Root} holds none yet. Train one with 'bird run'."
            : NearNames.Unknown("run", run, all.Select(r => r.Name)));
    }

    /// <summary>Reads <c>run.json</c>.</summary>
    public static RunRecord ReadRecord(string file) => Read<RunRecord>(file);

    static T Read<T>(string file)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(File.ReadAllText(file), Json)
                ?? throw new JsonException("the file holds null");
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            throw new InvalidDataException(
                $"'{file}' is not a run record of this version: {e.Message} Move its folder away to have the run made again.", e);
        }
    }

    /// <summary>
    /// Writes the record into the partial folder as its last file and renames the folder: from here on the run exists. Where it exists
    /// already it stays, and the partial folder goes. Returns the record that counts.
    /// </summary>
    public RunRecord Finish(RunRecord record) => Finish(record.Ablation, record.Name, record);

    internal T Finish<T>(string ablation, string run, T record)
        where T : class
    {
        var folder = PartialFolderOf(ablation, run);
        try
        {
            File.WriteAllText(Path.Combine(folder, "run.json"), JsonSerializer.Serialize(record, Json) + "\n");
            Directory.Move(folder, FolderOf(ablation, run));
        }
        catch (IOException) when (Find<T>(ablation, run) is not null)
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
            return Find<T>(ablation, run)!;
        }
        // Only now: a training whose record did not get here is not to be done again.
        foreach (var file in RunFiles.Checkpoints(FolderOf(ablation, run))) File.Delete(file);
        return record;
    }
}
