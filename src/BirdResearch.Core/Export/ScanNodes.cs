using BirdResearch.Export.Graph;

namespace BirdResearch.Export;

/// <summary>
/// The selective scan, h_t = exp(delta_t A) h_{t-1} + delta_t B_t u_t and y_t = C_t h_t, as ONNX's Scan over tokens: every value is made once, in
/// the caches, and nothing grows. What a step costs is its arithmetic more than its operators, so forms that do more of it lose. CPU time over
/// this form's, at batch 1 and batch 8: 8 chunks scanned side by side, then carried, 0.9 and 1.7 (5000 tokens of 128 channels), 1.5 and 2.4 (500 of
/// 512); blocks of 16 tokens whose decays are made at once 0.85 and 1.2, 1.1 and 1.7.
/// </summary>
static class ScanNodes
{
    /// <summary>y (B, L, D) without skip and gate.</summary>
    /// <param name="graph">Receives the nodes.</param>
    /// <param name="u">Input (B, L, D).</param>
    /// <param name="delta">Step sizes, positive, (B, L, D).</param>
    /// <param name="a">(N, D), negative.</param>
    /// <param name="b">(B, L, N).</param>
    /// <param name="c">(B, L, N).</param>
    /// <param name="size">Tokens L, channels D and states N.</param>
    /// <param name="reverse">Whether it goes from the last token to the first.</param>
    public static OnnxValue Scan(
        OnnxGraph graph, OnnxValue u, OnnxValue delta, OnnxValue a, OnnxValue b, OnnxValue c, (long Tokens, long Channels, long States) size, bool reverse)
    {
        var (length, channels, states) = size;
        var body = graph.Body();
        var before = body.Input("h", OnnxType.Float, "batch", states, channels);
        var step = body.Input("delta", OnnxType.Float, "batch", 1L, channels);
        var given = body.Input("given", OnnxType.Float, "batch", 1L, channels);
        var into = body.Input("b", OnnxType.Float, "batch", states, 1L);
        var from = body.Input("c", OnnxType.Float, "batch", 1L, states);
        var kept = body.Times(body.Add("Exp", [body.Times(step, a)]), before);
        var after = body.Plus(kept, body.MatMul(into, given));                                   // (B, N, D)
        var y = body.MatMul(from, after);                                                        // (B, 1, D)
        body.Output("h_next", after, OnnxType.Float, "batch", states, channels);
        body.Output("y", y, OnnxType.Float, "batch", 1L, channels);

        var batch = graph.Add("Shape", [u], ("start", 0), ("end", 1));
        var none = graph.Add("ConstantOfShape", [graph.Concat(0, batch, graph.Integers(states, channels))],
            ("value", new OnnxConstant(OnnxType.Float, [1], new byte[sizeof(float)])));
        var tokens = new[] { 1L, 1, 1, 1 };
        var turned = Enumerable.Repeat(reverse ? 1L : 0, 4).ToArray();
        OnnxValue[] inputs =
        [
            none,
            graph.Reshape(delta, -1, length, 1, channels),
            graph.Reshape(graph.Times(delta, u), -1, length, 1, channels),
            graph.Reshape(b, -1, length, states, 1),
            graph.Reshape(c, -1, length, 1, states),
        ];
        var results = graph.Add("Scan", inputs, 2,
            ("body", body), ("num_scan_inputs", 4), ("scan_input_axes", tokens), ("scan_input_directions", turned),
            ("scan_output_axes", tokens[..1]), ("scan_output_directions", turned[..1]));
        return graph.Reshape(results[1], -1, length, channels);
    }
}
