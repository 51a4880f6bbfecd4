using PhysSec.Core.Wire;

namespace PhysSec.Node.Uplink;

/// <summary>
/// What of one stream to send next. Pure. Only an acknowledgement moves the window; when none comes for 10 s it sends again from the last acknowledged
/// record on. Sending twice is harmless, because the key of a record never changes.
/// </summary>
public sealed class SendWindow(long acknowledged)
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private const int HolesMax = 100;

    private readonly Queue<(long Last, TimeSpan At)> _flying = new();
    private readonly Queue<SeqRange> _holes = new();

    /// <summary>The hub has everything up to here.</summary>
    public long Acknowledged { get; private set; } = acknowledged;

    /// <summary>Everything up to here has been sent at least once on this connection.</summary>
    public long Sent { get; private set; } = acknowledged;

    /// <summary>Batches sent and not acknowledged.</summary>
    public int Flying => _flying.Count;

    /// <summary>Whether a batch may be sent: fewer than this many fly, or a hole keeps those that fly from landing.</summary>
    public bool MaySend(int flyingMax) => Flying < flyingMax || _holes.Count > 0;

    /// <summary>Gives up waiting when it is time. To be called often, also while nothing may be sent.</summary>
    public void Expire(TimeSpan now)
    {
        if (!_flying.TryPeek(out var oldest) || now - oldest.At < Patience) return;
        _flying.Clear();
        _holes.Clear();
        Sent = Acknowledged;
    }

    /// <summary>The records to send next, or null. A hole that the hub has named comes first.</summary>
    public SeqRange? Next(long head)
    {
        if (_holes.TryPeek(out var hole)) return hole;
        return Sent < head ? new(Sent + 1, head) : null;
    }

    /// <summary>A batch with these records was handed to the broker.</summary>
    /// <param name="asked">What <see cref="Next"/> said.</param>
    /// <param name="last">The last record that fitted.</param>
    /// <param name="now">Uptime.</param>
    public void Sending(SeqRange asked, long last, TimeSpan now)
    {
        if (_holes.TryPeek(out var hole) && hole.First == asked.First)
        {
            _holes.Dequeue();
            if (last < asked.Last) _holes.Enqueue(asked with { First = last + 1 });
            return; // The flight that lost it is still in the air, and with it the patience.
        }

        Sent = last;
        _flying.Enqueue((last, now));
    }

    /// <summary>Nothing is left of what was asked for (pruned): it is not waited for.</summary>
    public void Skip(SeqRange asked)
    {
        if (_holes.TryPeek(out var hole) && hole.First == asked.First) _holes.Dequeue();
        else Sent = asked.Last;
    }

    public void Take(long through, IReadOnlyList<SeqRange> resend)
    {
        Acknowledged = Math.Max(Acknowledged, through);
        Sent = Math.Max(Sent, Acknowledged);
        while (_flying.TryPeek(out var oldest) && oldest.Last <= Acknowledged) _flying.Dequeue();
        foreach (var range in resend.Where(it => it.First >= 1 && it.First <= it.Last))
        {
            var hole = range with { Last = Math.Min(range.Last, Sent) };
            if (_holes.Count < HolesMax && hole.First <= hole.Last && !_holes.Contains(hole)) _holes.Enqueue(hole);
        }
    }

    /// <summary>The hub was restored from a backup: what follows this record is sent again.</summary>
    public void Rewind(long through)
    {
        (Acknowledged, Sent) = (through, through);
        _flying.Clear();
        _holes.Clear();
    }
}
