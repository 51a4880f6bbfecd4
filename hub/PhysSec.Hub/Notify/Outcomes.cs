using Microsoft.Data.Sqlite;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Notify;

/// <summary>
/// What became of a channel's messages, until the store has it. A disk that is full must not make a message that was sent look like one that was not: it would
/// be sent again with every look.
/// </summary>
internal sealed class Outcomes(Store store, TimeProvider clock, ILogger log)
{
    private static readonly TimeSpan _first = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan _longest = TimeSpan.FromMinutes(1);

    private readonly Dictionary<long, Outcome> _open = [];
    private TimeSpan _wait;
    private long _refusedAt;

    /// <summary>So many messages the store still takes for due.</summary>
    public int Count => _open.Count;

    /// <summary>The message as it stands; null when nothing is to be done about it now.</summary>
    public Due? Judge(Due it) => !_open.TryGetValue(it.Id, out var known) ? it
        : known.Fault is not null && known.Next <= clock.GetUtcNow() ? it with { Tries = known.It.Tries + 1 } : null;

    public Task KeepAsync(Outcome outcome)
    {
        _open[outcome.It.Id] = outcome;
        return StoreAsync();
    }

    /// <summary>Stores what it can; after a refusal it waits 2 s, doubling to a minute.</summary>
    public async Task StoreAsync()
    {
        if (_open.Count == 0 || (_wait > TimeSpan.Zero && clock.GetElapsedTime(_refusedAt) < _wait)) return;
        try
        {
            foreach (var it in _open.Values.ToList())
            {
                await Outbox.StoreAsync(store, it);
                _open.Remove(it.It.Id);
            }

            _wait = TimeSpan.Zero;
        }
        catch (SqliteException fault)
        {
            _refusedAt = clock.GetTimestamp();
            _wait = _wait == TimeSpan.Zero ? _first : TimeSpan.FromTicks(Math.Min(_longest.Ticks, _wait.Ticks * 2));
            log.LogError("what became of {Count} messages is not stored: {Fault}; trying again in {Wait}", _open.Count, fault.Message, _wait);
        }
    }
}
