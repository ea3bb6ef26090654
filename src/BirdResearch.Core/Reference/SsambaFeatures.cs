using System.Text.Json;
using BirdResearch.Models;
using static TorchSharp.torch;

namespace BirdResearch.Reference;

/// <summary>
/// Records the tensors of an SSAMBA that a reference file lists, as the model runs. The file's odd layers see the sequence turned around,
/// ours do not turn it: theirs are compared with ours turned.
/// </summary>
sealed class SsambaFeatures : IDisposable
{
    const string HiddenMark = "[hidden]", ResidualMark = "[residual]";

    readonly List<JsonElement> _expected;
    readonly Dictionary<string, Queue<Figures>> _recorded = [];
    readonly List<Action> _removals = [];

    public SsambaFeatures(nn.Module model, List<JsonElement> expected)
    {
        _expected = expected;
        foreach (var encoder in model.modules().OfType<VimEncoder>()) encoder.IsStepwise = true;
        var modules = model.named_modules().ToDictionary(m => m.name, m => m.module);
        foreach (var entry in expected.DistinctBy(NameOf))
        {
            var name = NameOf(entry);
            var path = name.Replace(HiddenMark, "", StringComparison.Ordinal).Replace(ResidualMark, "", StringComparison.Ordinal);
            if (modules.GetValueOrDefault(path) is not nn.Module<Tensor, Tensor> module) continue;
            var probes = Figures.ProbesOf(entry);
            var turned = module is VimLayer { Flipped: true } or VimMixer { Flipped: true };
            _removals.Add(module.register_forward_hook((_, input, output) =>
            {
                using var off = no_grad();
                var seen = name.EndsWith(ResidualMark, StringComparison.Ordinal) ? input : output;
                using var shown = turned ? seen.flip(1) : seen.alias();
                if (!_recorded.TryGetValue(name, out var calls)) _recorded[name] = calls = new();
                calls.Enqueue(Figures.Of(shown, probes));
                return output;
            }).remove);
        }
    }

    /// <summary>Compares what was recorded, a name that comes twice with the first and the second call.</summary>
    public void Compare(ReferenceComparison comparison)
    {
        foreach (var entry in _expected)
        {
            var name = NameOf(entry);
            if (_recorded.TryGetValue(name, out var calls) && calls.TryDequeue(out var figures)) comparison.Figures(name, entry, figures);
            else comparison.Exact($"{name}: the model has no such module, or calls it less often", false);
        }
    }

    /// <summary>Stops recording.</summary>
    public void Dispose()
    {
        foreach (var remove in _removals) remove();
    }

    static string NameOf(JsonElement entry) => entry.GetProperty("name").GetString()!;
}
