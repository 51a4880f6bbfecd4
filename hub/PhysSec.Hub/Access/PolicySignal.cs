namespace PhysSec.Hub.Access;

/// <summary>Raised after every committed change that a node's policy may depend on.</summary>
public sealed class PolicySignal
{
    public event Action? Raised;

    public void Raise() => Raised?.Invoke();
}
