using BirdResearch.Notebooks.Cells;
using TorchSharp;

namespace BirdResearch.Notebooks.Display;

/// <summary>Tensors by shape, type, place and statistics.</summary>
static class TensorForm
{
    const int MostValues = 8;

    public static MimeBundle Of(torch.Tensor tensor)
    {
        if (tensor.IsInvalid) return MimeBundle.Plain("Tensor that has been disposed");
        using var scope = torch.NewDisposeScope();
        var what = $"Tensor ({string.Join(", ", tensor.shape)}) {tensor.dtype}, {tensor.device}";
        if (tensor.numel() == 0 || tensor.is_complex()) return MimeBundle.Plain(what);
        var plain = tensor.detach();
        var isFloat = plain.dtype is torch.ScalarType.Float32 or torch.ScalarType.Float64;
        var values = isFloat ? plain : plain.to(torch.ScalarType.Float32);
        var finite = values[values.isfinite()];
        var (all, count) = (tensor.numel(), finite.numel());
        List<(string, object?)> facts = [("shape", $"({string.Join(", ", tensor.shape)})"), ("dtype", tensor.dtype.ToString()), ("device", tensor.device.ToString())];
        if (count > 0)
        {
            facts.Add(("mean", finite.mean().ToDouble()));
            if (count > 1) facts.Add(("std", finite.std().ToDouble()));
            facts.AddRange([("min", finite.min().ToDouble()), ("max", finite.max().ToDouble())]);
        }
        if (count < all) facts.AddRange([("NaN", values.isnan().sum().ToInt64()), ("infinite", values.isinf().sum().ToInt64())]);
        using var first = values.flatten()[..(int)Math.Min(all, MostValues)].cpu().to(torch.ScalarType.Float64);
        facts.Add(("first values", string.Join(", ", first.data<double>().ToArray().Select(Values.Number)) + (all > MostValues ? ", …" : "")));
        var text = what + "\n" + string.Join(", ", facts.Skip(3).SkipLast(1).Select(f => $"{f.Item1} {Values.Cell(f.Item2)}")) + $"\n[{facts[^1].Item2}]";
        return Table.Of("Tensor", [.. facts]).Bundle().With(MimeBundle.PlainType, text);
    }
}
