using System.Runtime.InteropServices;
using BirdResearch.Data;
using BirdResearch.Kernels;
using static TorchSharp.torch;

namespace BirdResearch.Features;

public sealed partial class ExpandAndSparsify
{
    const int MostPatches = 16_384, MostActivations = 1 << 26, Tries = 64;

    /// <inheritdoc/>
    public override int FitClips => fitted is null ? 0 : _expansion.FitClips;

    /// <inheritdoc/>
    public override bool IsFitted => fitted is null || fitted.to(ScalarType.Float32).cpu().data<float>()[0] == 1;

    /// <summary>
    /// Draws attuned kernels from patches of the sound, each equally likely, and sets each threshold so that its unit lies above it in
    /// <c>k / n_output</c> of the sound's patches (of at most 16,384 of them, evenly spread).
    /// </summary>
    public override void Fit(IEnumerable<Tensor> trainingSound, IEnumerable<Tensor>? targetSound = null)
    {
        if (fitted is null) return;
        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        FitTo([.. trainingSound.Select(sound => mel.forward(sound).squeeze(1))]);                     // (B, mels, F) each
    }

    internal void FitTo(List<Tensor> series)
    {
        using var withoutGradient = no_grad();
        if (series.Count == 0) throw new ArgumentException("There is no training sound to fit expand-and-sparsify to: give at least one batch (clips, samples).");
        if (_expansion.Projection == Projection.Attuned) DrawKernels(series);
        if (thresholds is not null) SetThresholds(series);
        fitted?.fill_(KeptScalar.Of(1.0));
    }

    /// <summary>An error where it has yet to be fitted.</summary>
    internal void RequireFitted()
    {
        if (IsFitted) return;
        var what = _expansion.Projection == Projection.Attuned ? "attuned kernels" : "thresholds";
        throw new InvalidOperationException(
            $"This expand-and-sparsify front-end has {what} that no sound was shown to yet: call Fit with about {_expansion.FitClips} windows of training sound, " +
            "or load the state that a run saved as front_end.safetensors.");
    }

    void DrawKernels(List<Tensor> series)
    {
        var random = new CounterRandom(_expansion.Seed, CounterRandom.KeyOf("expand-and-sparsify attuned"));
        var clips = series.SelectMany(batch => Enumerable.Range(0, (int)batch.shape[0]).Select(clip => (Batch: batch, Clip: clip))).ToList();
        var patches = new List<Tensor>();
        for (var unit = 0; unit < _expansion.Outputs; unit++)
        {
            using var scope = NewDisposeScope();
            Tensor patch;
            var tries = 0;
            do
            {
                var (batch, clip) = clips[random.NextInt(clips.Count)];
                var start = random.NextInt((int)batch.shape[2] - _expansion.Window + 1);
                patch = Patches(batch.narrow(0, clip, 1).narrow(2, start, _expansion.Window), PatchScaling.UnitNorm).flatten();
                if (++tries > Tries)
                    throw new ArgumentException($"{Tries} patches of training sound in a row have no contrast: attuned kernels cannot be drawn from silence.");
            }
            while (patch.count_nonzero().cpu().data<long>()[0] == 0);
            patches.Add(patch.MoveToOuterDisposeScope());
        }
        kernel!.copy_(stack(patches).reshape(kernel.shape));
    }

    void SetThresholds(List<Tensor> series)
    {
        var units = _expansion.Outputs;
        var steps = series.Sum(batch => batch.shape[0] * (1 + ((batch.shape[2] - _expansion.Window) / _expansion.Stride)));
        var every = (steps + Math.Min(MostPatches, MostActivations / units) - 1) / Math.Min(MostPatches, MostActivations / units);
        var sampled = (int)((steps + every - 1) / every);
        var answers = new float[(long)units * sampled];                                                // (n_output, patches)
        var (seen, taken) = (0L, 0);
        foreach (var batch in series)
        {
            using var scope = NewDisposeScope();
            var activations = Activations(batch).flatten(0, 1).to(ScalarType.Float32).cpu().contiguous();   // (B T', n_output)
            var values = MemoryMarshal.Cast<byte, float>(activations.bytes);
            for (var step = 0; step < activations.shape[0]; step++, seen++)
            {
                if (seen % every != 0) continue;
                for (var unit = 0; unit < units; unit++) answers[((long)unit * sampled) + taken] = values[(step * units) + unit];
                taken++;
            }
            GC.KeepAlive(activations);
        }
        var share = (double)_expansion.K / units;
        var found = new float[units];
        OpenMpPool.For(units, unit => found[unit] = UpperQuantile(answers.AsSpan(unit * sampled, sampled), share));
        if (!Array.TrueForAll(found, float.IsFinite))
            throw new ArgumentException("The training sound gives activations that are not finite, so no threshold can be set: leave the recordings out that hold NaN or infinities.");
        thresholds!.copy_(tensor(found));
    }

    /// <summary>The value above which, strictly, that share of the values lies at most; sorts them.</summary>
    internal static float UpperQuantile(Span<float> values, double share)
    {
        values.Sort();
        return values[Math.Clamp(values.Length - 1 - (int)Math.Round(share * values.Length), 0, values.Length - 1)];
    }
}
