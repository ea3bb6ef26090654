namespace BirdResearch.Experiments;

/// <summary>An arm that a file of its own adds to an ablation: <c>bird run ABLATION --arm FILE</c>. The class needs a constructor without parameters.</summary>
public interface IArm
{
    /// <summary>What reports call it.</summary>
    string Label { get; }

    /// <summary>Whether it is tried on every model of the ablation; false tries it on the first cell alone.</summary>
    bool OnEveryModel => false;

    /// <summary>Adds what it needs to the catalogues: an augmentation, a model. Called once, before <see cref="On"/>.</summary>
    void Register()
    {
    }

    /// <summary>The cell of the arm, made from a cell of the ablation by changing what it is about.</summary>
    Trial On(Trial baseline);
}
