namespace PhysSec.Node.Uplink;

/// <summary>Ends with a token or, by the given clock, after a while.</summary>
internal sealed class TimeLimit : IDisposable
{
    private readonly CancellationTokenSource _while;
    private readonly CancellationTokenSource _both;

    public TimeLimit(TimeSpan after, TimeProvider clock, CancellationToken token)
    {
        _while = new(after, clock);
        _both = CancellationTokenSource.CreateLinkedTokenSource(token, _while.Token);
    }

    public CancellationToken Token => _both.Token;

    public void Dispose()
    {
        _both.Dispose();
        _while.Dispose();
    }
}
