namespace PhysSec.Rig.Soak;

/// <summary>A stream of people at the door: badges from both sides, good ones and bad ones; whoever is let in also opens the door now and then.</summary>
public sealed class Visitors : IAsyncDisposable
{
    private static readonly string[] _badges = ["alice", "bob", "carol", "grace", "mallory"];
    private static readonly TimeSpan _hand = TimeSpan.FromMilliseconds(60); // Two cards without a gap are one frame to a reader.

    private readonly CancellationTokenSource _end;
    private readonly Task _walk;
    private int _shown;

    /// <param name="instance">Whose door.</param>
    /// <param name="random">Owned by the stream from now on.</param>
    /// <param name="cancel">Breaks it off.</param>
    public Visitors(Instance instance, Random random, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(instance);
        ArgumentNullException.ThrowIfNull(random);
        _end = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        _walk = Task.Run(() => WalkAsync(instance, random, cancel), cancel);
    }

    /// <summary>Badges shown so far.</summary>
    public int Shown => Volatile.Read(ref _shown);

    /// <summary>The last one closes the door behind him.</summary>
    public async Task<int> StopAsync()
    {
        await _end.CancelAsync();
        await _walk;
        return Shown;
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAny(_walk); // Its fault, if any, is told by StopAsync.
        _end.Dispose();
    }

    private async Task WalkAsync(Instance instance, Random random, CancellationToken cancel)
    {
        while (!_end.IsCancellationRequested)
        {
            await instance.ActAsync($"badge {_badges[random.Next(_badges.Length)]} {(random.Next(4) == 0 ? "out" : "in")}", cancel);
            Interlocked.Increment(ref _shown);
            await Task.Delay(_hand, TimeProvider.System, cancel);
            if (random.Next(3) != 0) continue;
            await instance.ActAsync("push", cancel);
            await instance.ActAsync("close", cancel);
        }

        await instance.ActAsync("close", cancel);
    }
}
