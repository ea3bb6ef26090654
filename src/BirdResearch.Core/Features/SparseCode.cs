using BirdResearch.Kernels;
using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>Writes a sparse code out as the tensor that models read.</summary>
static unsafe class SparseCode
{
    /// <summary>
    /// (B, n_output, T') with 1, or the activation, for a winner and 0 for the others. In one pass for float32 on the CPU.
    /// </summary>
    /// <param name="activations">(B, T', n_output)</param>
    /// <param name="winners">Indices (B, contests, winners) into each of B x contests equal shares of the activations.</param>
    /// <param name="binary">Whether a winner is written as 1.</param>
    public static Tensor Written(Tensor activations, Tensor winners, bool binary)
    {
        if (!SoundBatch.CanFuse(activations)) return Reference(activations, winners, binary);
        using var scope = NewDisposeScope();
        var (rows, chosen) = (activations.contiguous(), winners.contiguous());
        var (clips, steps, units) = (rows.shape[0], (int)rows.shape[1], (int)rows.shape[2]);
        var contests = chosen.shape[1];
        var (contenders, perContest) = (steps * (long)units / contests, (int)chosen.shape[2]);
        var code = zeros(clips, units, steps);
        float* from = TensorMemory.First(rows), to = TensorMemory.First(code);
        fixed (byte* first = chosen.bytes)
        {
            var indices = (long*)first;
            OpenMpPool.For((int)clips, clip =>
            {
                float* values = from + ((long)clip * steps * units), cells = to + ((long)clip * steps * units);
                for (var contest = 0; contest < contests; contest++)
                {
                    var own = indices + (((clip * contests) + contest) * perContest);
                    for (var i = 0; i < perContest; i++)
                    {
                        var place = (contest * contenders) + own[i];
                        var (step, unit) = Math.DivRem(place, units);
                        cells[(unit * steps) + step] = binary ? 1 : values[place];
                    }
                }
            });
        }
        GC.KeepAlive((rows, chosen));
        return code.MoveToOuterDisposeScope();
    }

    /// <summary>The slow twin of <see cref="Written"/>, by torch's operations; for any device and precision.</summary>
    public static Tensor Reference(Tensor activations, Tensor winners, bool binary)
    {
        using var scope = NewDisposeScope();
        var contenders = activations.reshape([winners.shape[0], winners.shape[1], -1]);
        var kept = binary ? ones(winners.shape, dtype: activations.dtype, device: activations.device) : contenders.gather(2, winners);
        return zeros_like(contenders).scatter_(2, winners, kept).reshape(activations.shape).transpose(1, 2).contiguous().MoveToOuterDisposeScope();
    }
}
