namespace PhysSec.Tests.Simulation.Record;

/// <summary>
/// The one thread on which everything of a round happens, turn by turn in the order of its causes: a turn is what runs between two awaits. Only the store's own loop works
/// elsewhere; while the hub waits for it nobody else has a turn, so that a seed gives the same run again.
/// </summary>
internal sealed class Turns
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly object _gate = new(); // Waited on, which a Lock cannot be.
    private readonly PriorityQueue<(Life Life, SendOrPostCallback What, object? State), long> _ready = new();
    private long _order;

    /// <summary>Everybody has a turn, until nobody wants one.</summary>
    public void Run()
    {
        while (Next(null) is { } it) it.Life.Turn(it.What, it.State);
    }

    /// <summary>Work that also waits for the store: only this life has turns until it is done. False: the life ended first.</summary>
    public bool Finish(Life life, Task work)
    {
        while (!work.IsCompleted && !life.Dead)
        {
            if ((Next(life) ?? Awaited(life)) is { } it) it.Life.Turn(it.What, it.State);
        }

        return work.IsCompleted;
    }

    public void Post(Life life, SendOrPostCallback what, object? state)
    {
        lock (_gate)
        {
            _ready.Enqueue((life, what, state), _order++);
            Monitor.Pulse(_gate);
        }
    }

    private (Life Life, SendOrPostCallback What, object? State)? Awaited(Life life)
    {
        lock (_gate)
        {
            while (true)
            {
                if (Next(life) is { } it) return it;
                if (!Monitor.Wait(_gate, _patience)) throw new TimeoutException("the hub waits for something that does not come");
            }
        }
    }

    private (Life Life, SendOrPostCallback What, object? State)? Next(Life? only)
    {
        lock (_gate)
        {
            List<((Life, SendOrPostCallback, object?) Turn, long Order)> others = [];
            (Life, SendOrPostCallback, object?)? found = null;
            while (found is null && _ready.TryDequeue(out var turn, out var order))
            {
                if (turn.Life.Dead) continue;
                if (only is null || turn.Life == only) found = turn;
                else others.Add((turn, order));
            }

            foreach (var (turn, order) in others) _ready.Enqueue(turn, order);
            return found;
        }
    }
}

/// <summary>A process from its start to its end. When it dies, what it was waiting for finds nobody any more: the same as a kill between two awaits.</summary>
internal sealed class Life(Turns turns) : SynchronizationContext
{
    public bool Dead { get; private set; }

    /// <summary>Turns that it has had.</summary>
    public int Age { get; private set; }

    /// <summary>It dies instead of having its n-th turn; null: it lives.</summary>
    public int? DiesAt { get; set; }

    public void Die() => Dead = true;

    public override void Post(SendOrPostCallback d, object? state) => turns.Post(this, d, state);

    public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException("nobody here waits for another's turn");

    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Does something as this process, unless it is dead.</summary>
    public void Turn(SendOrPostCallback what, object? state = null)
    {
        if (DiesAt is { } end && Age >= end) Die();
        if (Dead) return;
        Age++;
        var before = Current;
        SetSynchronizationContext(this);
        try
        {
            what(state);
        }
        finally
        {
            SetSynchronizationContext(before);
        }
    }

    /// <summary>Begins something as this process; null: it is dead.</summary>
    public T? Begin<T>(Func<T> what)
        where T : Task
    {
        T? task = null;
        Turn(_ => task = what());
        return task;
    }
}
