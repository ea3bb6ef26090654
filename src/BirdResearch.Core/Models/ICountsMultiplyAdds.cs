using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>A module that reckons its own multiply-adds, because its work does not pass through submodules that can be watched.</summary>
public interface ICountsMultiplyAdds
{
    /// <summary>Multiply-adds of the call that gave this output, its submodules' included.</summary>
    long MultiplyAddsOf(Tensor output);
}
