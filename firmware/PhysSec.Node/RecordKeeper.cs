using PhysSec.Core.Wire;
using PhysSec.Node.Control;
using PhysSec.Node.Journal;

namespace PhysSec.Node;

/// <summary>
/// Gets the records of a step onto the disk within 250 ms, or keeps them in order until the disk takes them. Owned by the control loop;
/// nothing here is called by two threads.
/// </summary>
/// <param name="writer">The journal's writer.</param>
/// <param name="clock">Measures the waits.</param>
/// <param name="committed">Told of every record that became durable.</param>
public sealed class RecordKeeper(JournalWriter writer, TimeProvider clock, Action<IReadOnlyList<StoredRecord>> committed)
{
    public static readonly TimeSpan CommitWait = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan _retryEvery = TimeSpan.FromSeconds(1);
    private const int HeldMax = 10_000;
    private const int AttemptMax = 64;

    private readonly LinkedList<JournalWrite> _held = new();
    private (JournalCommit Commit, IReadOnlyList<JournalWrite> Held)? _attempt;
    private long _attemptAt;
    private long _lost;

    /// <summary>False from the first commit that failed until everything held is durable.</summary>
    public bool Healthy { get; private set; } = true;

    /// <summary>Why not, in one sentence.</summary>
    public string? Fault { get; private set; }

    /// <summary>True: durable. False: kept for later, and <see cref="Healthy"/> is false.</summary>
    /// <param name="write">What happened.</param>
    /// <param name="otherwise">What to keep for later instead, when the disk's refusal changes what happened.</param>
    public async Task<bool> KeepAsync(JournalWrite write, JournalWrite otherwise)
    {
        if (!Healthy)
        {
            Hold(otherwise);
            return false;
        }

        var commit = writer.Enqueue(write);
        try
        {
            await commit.Task.WaitAsync(CommitWait, clock);
        }
        catch (TimeoutException)
        {
            commit.Abandon();
        }

        if (commit.Records is { } records)
        {
            committed(records);
            return true;
        }

        (Healthy, Fault) = (false, commit.Fault ?? "the journal did not answer within 250 ms");
        Hold(otherwise);
        _attempt = (commit, [otherwise]); // It may still turn out to have been written.
        _attemptAt = clock.GetTimestamp();
        return false;
    }

    /// <summary>To be called often; tries again once a second. True when the journal has just become healthy.</summary>
    public bool Retry(Stamp now)
    {
        if (Healthy || _attempt is { Commit.Task.IsCompleted: false }) return false;
        var proved = false;
        if (_attempt is { Commit: var commit, Held: var held })
        {
            if (commit.Records is { } records)
            {
                foreach (var (written, kept) in commit.Writes.Zip(held)) Settle(written, kept);
                committed(records);
                proved = !commit.Abandoned;
            }
            else
            {
                Fault = commit.Fault;
            }
        }

        _attempt = null;
        if (proved && _held.Count == 0 && _lost == 0)
        {
            (Healthy, Fault) = (true, null);
            return true;
        }

        if (!proved && clock.GetElapsedTime(_attemptAt) < _retryEvery) return false;
        if (proved && _held.Count == 0) TellWhatWasLost(now);
        var next = _held.Take(AttemptMax).ToList();
        if (next.Count == 0) next.Add(new JournalWrite([], null, now)); // Proves that the disk takes something again.
        _attempt = (writer.Enqueue(next), next);
        _attemptAt = clock.GetTimestamp();
        return false;
    }

    /// <summary>What is on the disk is held no longer. Where that came too late and something else became true meanwhile, the difference is still owed.</summary>
    private void Settle(JournalWrite written, JournalWrite kept)
    {
        if (_held.Find(kept) is not { } place) return;
        var owed = kept.Entries.Except(written.Entries).ToList();
        if (owed.Count > 0) _held.AddAfter(place, new JournalWrite(owed, null, kept.Stamp));
        _held.Remove(place);
    }

    private void TellWhatWasLost(Stamp now)
    {
        _held.AddLast(new JournalWrite(
            [new Entry(Streams.Access, new JournalRepaired($"{_lost} steps could not be kept while the journal could not be written", "nothing"))], null, now));
        _lost = 0;
    }

    private void Hold(JournalWrite write)
    {
        _held.AddLast(write);
        if (_held.Count <= HeldMax) return;

        // Measurements go first; what nobody attempts to store right now.
        var victim = _held.FirstOrDefault(it => it.Memory is null && it.Entries.All(entry => entry.Stream == Streams.Measurements) && !Attempted(it))
            ?? _held.First(it => !Attempted(it));
        _held.Remove(victim);
        _lost++;
    }

    private bool Attempted(JournalWrite write) =>
        _attempt is { } it && it.Held.Any(held => ReferenceEquals(held, write)) && (!it.Commit.Task.IsCompleted || it.Commit.Records is not null);
}
