namespace BirdResearch.Kernels;

static unsafe partial class ScanEngine<V, L>
{
    /// <summary>Picks the tile code for constant or changing B and C.</summary>
    static class Dispatch
    {
        public static void Forward(in ScanProblem p, int tokens, float* delta, float* du, float* a, float* b, float* c, float* h, float* y)
        {
            var states = p.PaddedStates;
            switch (p.ConstantB, p.ConstantC)
            {
                case (false, false): ScanTile<V, L, PerToken, PerToken>.Forward(tokens, states, delta, du, a, b, c, h, y); break;
                case (true, false): ScanTile<V, L, PerChannel, PerToken>.Forward(tokens, states, delta, du, a, b, c, h, y); break;
                case (false, true): ScanTile<V, L, PerToken, PerChannel>.Forward(tokens, states, delta, du, a, b, c, h, y); break;
                case (true, true): ScanTile<V, L, PerChannel, PerChannel>.Forward(tokens, states, delta, du, a, b, c, h, y); break;
            }
        }

        public static void Backward(
            in ScanProblem p, int tokens, float* delta, float* du, float* g, float* a, float* b, float* c, float* h, float* lambda,
            float* y, float* toInput, float* toDelta, float* dA, float* dB, float* dC, float* scratch)
        {
            var states = p.PaddedStates;
            switch (p.ConstantB, p.ConstantC)
            {
                case (false, false):
                    ScanTile<V, L, PerToken, PerToken>.Backward(tokens, states, delta, du, g, a, b, c, h, lambda, y, toInput, toDelta, dA, dB, dC, scratch);
                    break;
                case (true, false):
                    ScanTile<V, L, PerChannel, PerToken>.Backward(tokens, states, delta, du, g, a, b, c, h, lambda, y, toInput, toDelta, dA, dB, dC, scratch);
                    break;
                case (false, true):
                    ScanTile<V, L, PerToken, PerChannel>.Backward(tokens, states, delta, du, g, a, b, c, h, lambda, y, toInput, toDelta, dA, dB, dC, scratch);
                    break;
                case (true, true):
                    ScanTile<V, L, PerChannel, PerChannel>.Backward(tokens, states, delta, du, g, a, b, c, h, lambda, y, toInput, toDelta, dA, dB, dC, scratch);
                    break;
            }
        }
    }
}
