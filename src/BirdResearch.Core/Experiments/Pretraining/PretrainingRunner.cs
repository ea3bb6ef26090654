using System.Globalization;
using BirdResearch.Claims;
using BirdResearch.Data;
using BirdResearch.Features;
using BirdResearch.Models;
using BirdResearch.Training;
using TorchSharp;

namespace BirdResearch.Experiments;

/// <summary>What a listener hears while a pretraining runs.</summary>
/// <param name="Run">Name of the run.</param>
/// <param name="Phase">What happens.</param>
/// <param name="Training">How far it is, in <see cref="RunPhase.Training"/>.</param>
/// <param name="Record">The record, in <see cref="RunPhase.ReadBack"/> and <see cref="RunPhase.Finished"/>.</param>
/// <param name="Note">A sentence for the reader, or null.</param>
public sealed record PretrainingEvent(
    string Run, RunPhase Phase, PretrainingProgress? Training = null, PretrainingRecord? Record = null, string? Note = null);

/// <summary>
/// Runs pretrainings into <c>results/pretrain/&lt;model&gt;.&lt;data&gt;.s&lt;seed&gt;-&lt;hash&gt;/</c>: reads back what exists, goes on where one
/// was stopped. The folder, as <c>training.pretrained</c>, is what a training starts from.
/// </summary>
public sealed class PretrainingRunner(RunStore store)
{
    /// <summary>Folder of a finished run.</summary>
    public string FolderOf(PretrainingRecord record) => store.FolderOf(RunStore.Pretraining, record.Name);

    /// <summary>The finished pretraining of a trial: read back where it exists, made where it does not.</summary>
    public PretrainingRecord Run(
        PretrainingTrial trial, IProgress<PretrainingEvent>? listener = null, CancellationToken cancellation = default)
    {
        trial.Training.Check();
        _ = SsambaCatalogue.Named(trial.Model);
        trial = trial with { Features = trial.Features ?? FrontEnds.Named(trial.FrontEnd) };
        IReadOnlyList<Dataset> sets = [.. trial.Data.Select(name => Datasets.Open(name, null, cancellation))];
        var data = PretrainingData.Of(sets, trial.Fold, trial.Training, cancellation);
        var name = NameOf(trial, data);
        if (store.Find<PretrainingRecord>(RunStore.Pretraining, name) is { } found)
        {
            listener?.Report(new PretrainingEvent(name, RunPhase.ReadBack, Record: found));
            return found;
        }

        Directory.CreateDirectory(store.AblationFolder(RunStore.Pretraining));
        using var claim = Claim.Wait(
            store.ClaimOf(RunStore.Pretraining, name), ClaimHolder.Here(), () => store.Find<PretrainingRecord>(RunStore.Pretraining, name) is not null,
            by => listener?.Report(new PretrainingEvent(name, RunPhase.Waiting, Note: $"{by?.Holder} trains it, since {by?.Since.ToLocalTime():HH:mm}")), cancellation);
        if (claim is null) return Run(trial, listener, cancellation);   // another process has finished it meanwhile

        var folder = Directory.CreateDirectory(store.PartialFolderOf(RunStore.Pretraining, name)).FullName;
        var resumes = File.Exists(Path.Combine(folder, RunFiles.Checkpoint));
        RunFiles.Begin(folder, claim, resumes);
        listener?.Report(new PretrainingEvent(name, RunPhase.Started, Note: string.Create(CultureInfo.InvariantCulture,
            $"{data.Recordings} recordings, {data.Seconds / 3600:0.0} h; {data.Train.Count} windows an epoch, {data.Validation.Count} to validate{(resumes ? "; goes on from its last whole epoch" : "")}")));
        PretrainingRecord record;
        try
        {
            record = Train(name, trial, data, folder, claim, listener, cancellation);
        }
        catch (OperationCanceledException) when (claim.Lost.IsCancellationRequested)
        {
            claim.Check();   // says why
            throw;
        }
        claim.Seal();
        record = store.Finish(RunStore.Pretraining, name, record);
        claim.Complete();
        listener?.Report(new PretrainingEvent(name, RunPhase.Finished, Record: record));
        return record;
    }

    static PretrainingRecord Train(
        string name, PretrainingTrial trial, PretrainingData data, string folder, Claim claim,
        IProgress<PretrainingEvent>? listener, CancellationToken cancellation)
    {
        using var scope = torch.NewDisposeScope();
        var settings = trial.Training;
        using var frontEnd = FrontEnds.Create(trial.Features!);
        torch.manual_seed(trial.Seed);
        using var model = SsambaPretrainer.Create(trial.Model, TrialRunner.ShapeOf(frontEnd, settings.WindowSeconds), settings.DropPathRate);
        var reader = new WindowReader(data.Sound, frontEnd.SampleRate, settings.WindowSeconds, disk: DiskCache.FromEnvironment());
        var pretrainer = new Pretrainer(frontEnd, model, reader, data, settings, trial.Seed);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, claim.Lost);
        pretrainer.Run(Path.Combine(folder, RunFiles.Checkpoint), listener is null ? null : new Relay(name, listener), stop.Token, claim.Check);

        WriteEpochs(folder, pretrainer.Rows);
        Safetensors.Write(Path.Combine(folder, "weights.safetensors"), StateDictionary.Of(model), new Dictionary<string, string>
        {
            ["model"] = trial.Model,
            ["front_end"] = trial.FrontEnd,
            ["sample_rate"] = frontEnd.SampleRate.ToString(CultureInfo.InvariantCulture),
            ["run"] = name,
        });
        var (seconds, clips, last) = (pretrainer.Rows.Sum(r => r.Seconds), pretrainer.Rows.Sum(r => r.Clips), pretrainer.Rows[^1]);
        return new PretrainingRecord
        {
            Name = name,
            Trial = trial,
            Model = new PretrainingModelFacts(
                trial.Model, model.ParameterCount, model.Input.Rows, model.Input.Frames, model.Grid.Count, pretrainer.HiddenPatches),
            Data = new PretrainingDataFacts(data.Name, data.ContentKey, data.Recordings, data.Seconds, data.Train.Count, data.Validation.Count),
            Validation = last is { ValidationNce: { } nce, ValidationMse: { } mse, ValidationMaskedAccuracy: { } accuracy } ? new(nce, mse, accuracy) : null,
            Cost = new PretrainingCost(seconds, clips / seconds, pretrainer.Steps, clips, DateTime.UtcNow),
            Machine = Machine.Current(),
        };
    }

    static string NameOf(PretrainingTrial trial, PretrainingData data) => string.Create(CultureInfo.InvariantCulture,
        $"{trial.Model}.{data.Name}.s{trial.Seed}-{RunIdentity.HashOf(new { RunStore.Recipe, Trial = trial with { Data = [] }, data.ContentKey })}");

    static void WriteEpochs(string folder, IReadOnlyList<PretrainingRow> rows) => CsvTable.Write(Path.Combine(folder, "epochs.csv"),
        ["epoch", "seconds", "clips", "clips_per_second", "learning_rate", "nce", "mse", "masked_accuracy",
            "validation_nce", "validation_mse", "validation_masked_accuracy"],
        rows.Select(r => new object?[]
        {
            r.Epoch, r.Seconds, r.Clips, r.ClipsPerSecond, r.LearningRate, r.Nce, r.Mse, r.MaskedAccuracy,
            r.ValidationNce, r.ValidationMse, r.ValidationMaskedAccuracy,
        }));

    sealed class Relay(string name, IProgress<PretrainingEvent> listener) : IProgress<PretrainingProgress>
    {
        public void Report(PretrainingProgress value) => listener.Report(new PretrainingEvent(name, RunPhase.Training, value));
    }
}
