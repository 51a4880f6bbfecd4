namespace PhysSec.Verify;

/// <summary>What a sentence of the verdict is: proven, open (neither proven nor wrong), or wrong.</summary>
public enum FindingKind
{
    Proven,
    Open,
    Wrong,
}

/// <summary>One sentence of the verdict.</summary>
/// <param name="Kind">How it counts.</param>
/// <param name="Code">Stable; the page in the pack uses the same.</param>
/// <param name="Ja">For people.</param>
/// <param name="En">For people.</param>
/// <param name="Leaf">The first record that is concerned, as its place in the tree from 0.</param>
public sealed record Finding(FindingKind Kind, string Code, string Ja, string En, long? Leaf = null);

/// <summary>Everything that was found out about a pack.</summary>
public sealed record Verdict(IReadOnlyList<Finding> Findings)
{
    /// <summary>Something is proven and nothing is wrong.</summary>
    public bool Good => Findings.Any(it => it.Kind == FindingKind.Proven) && Findings.All(it => it.Kind != FindingKind.Wrong);

    /// <summary>The first record that is wrong: the lowest place that any sentence names.</summary>
    public long? FirstWrong => Findings.Where(it => it.Kind == FindingKind.Wrong && it.Leaf is not null).Min(it => it.Leaf);
}
