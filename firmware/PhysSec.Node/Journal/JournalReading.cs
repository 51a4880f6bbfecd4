using System.Globalization;
using System.Text;
using System.Text.Json;
using PhysSec.Core.Wire;
using PhysSec.Node.Control;

namespace PhysSec.Node.Journal;

/// <summary>What the uplink reads and what it is told by the hub.</summary>
public sealed partial class JournalStore
{
    /// <summary>
    /// The first unbroken run of records from <paramref name="from"/> to <paramref name="to"/>, at most this many and this many bytes (but at least one).
    /// It may begin later than asked where older records were pruned or thinned. Empty when there is none.
    /// </summary>
    /// <exception cref="JournalException">The disk cannot be read, or what it gives does not fit the chain.</exception>
    public IReadOnlyList<StoredRecord> Read(long epoch, string stream, long from, long to, int countMax, int bytesMax)
    {
        lock (_gate) return Reading(() => ReadRun(epoch, stream, from, to, countMax, bytesMax));
    }

    /// <summary>Monotonic time of a record that was made in this run; null: of another run, or no longer here.</summary>
    /// <exception cref="JournalException">The disk cannot be read.</exception>
    public TimeSpan? MadeAt(long epoch, string stream, long seq, string boot)
    {
        lock (_gate)
        {
            return Reading<TimeSpan?>(() =>
            {
                using var command = Command("select body from records where epoch = $epoch and stream = $stream and seq = $seq", ("$epoch", epoch), ("$stream", stream), ("$seq", seq));
                return command.ExecuteScalar() is string body && JsonSerializer.Deserialize(body, WireJson.Plain.JournalRecord) is { } it && it.Boot == boot
                    ? TimeSpan.FromMicroseconds(it.Up) : null;
            });
        }
    }

    /// <summary>Where every stream of every epoch stands.</summary>
    public IReadOnlyList<ErasedStream> AllStreams()
    {
        lock (_gate) return [.. _streams.OrderBy(it => it.Key).Select(it => new ErasedStream(it.Key.Epoch, it.Key.Stream, it.Value.Seq, it.Value.Hash, it.Value.Acknowledged))];
    }

    /// <summary>
    /// Access records that the hub has not acknowledged, apart from the last word of a node that was stopped: its link is gone by then. Measurements of the last second never
    /// all reach the hub; they do not count.
    /// </summary>
    public long UnsentBesidesItsEnd()
    {
        lock (_gate)
        {
            var unsent = _streams.Where(it => it.Key.Stream == Core.Wire.Streams.Access && !it.Value.Closed).Sum(it => it.Value.Seq - it.Value.Acknowledged);
            return Previous == "stopped" && unsent > 0 ? unsent - 1 : unsent;
        }
    }

    /// <summary>The oldest stream of an epoch that is over which a restored hub has to be given again; null: there is none.</summary>
    public (long Epoch, string Stream)? Refill
    {
        get
        {
            lock (_gate) return _streams.Where(it => it.Value.Refill).Select(it => it.Key).Order().Select(it => ((long, string)?)it).FirstOrDefault();
        }
    }

    /// <summary>Takes a verified acknowledgement. What it says becomes durable with the next record: losing it only means sending again.</summary>
    /// <param name="epoch">Whose records.</param>
    /// <param name="stream">Which of them.</param>
    /// <param name="through">The hub has every record up to here.</param>
    /// <param name="hubEpoch">The hub's own; it rises when a backup is restored.</param>
    /// <param name="sent">This run of the node has sent everything up to here. What it has not, the hub may have from another board with this one's name: it is sent before it is believed.</param>
    /// <param name="resend">What the hub lacks; of an epoch that is over, all of it.</param>
    public AckOutcome Acknowledge(long epoch, string stream, long through, long hubEpoch, long sent = long.MaxValue, IReadOnlyList<SeqRange>? resend = null)
    {
        lock (_gate)
        {
            var state = StateOf(epoch, stream);
            if (epoch != Epoch && state.Refill && hubEpoch == state.HubEpoch) return Refilled(epoch, stream, state, through, sent, resend ?? []);
            if (epoch == 0 || epoch != Epoch || hubEpoch < state.HubEpoch) return AckOutcome.Stale;
            if (through > state.Seq)
            {
                return LoseContinuity();
            }

            // What the hub asks for was acknowledged and is pruned: nobody can prove any more what it was.
            if (hubEpoch == state.HubEpoch && resend is not null && resend.Any(it => it.Last <= state.Acknowledged && FirstIn(epoch, stream, it with { First = it.Last }) is null)) return LoseContinuity();

            if (hubEpoch > NewestHubEpoch) SendAgain(hubEpoch);
            // A restored hub may have others under all these keys: the last record, sent once more, shows it whether it is of this journal.
            if (hubEpoch > state.HubEpoch && through == state.Seq && state.Acknowledged == state.Seq && FirstIn(epoch, stream, new(state.Seq, state.Seq)) is not null) through = state.Seq - 1;
            through = Math.Min(through, Math.Max(sent, state.Acknowledged));
            var rewound = hubEpoch > state.HubEpoch && through < state.Acknowledged;
            if (!rewound && hubEpoch == state.HubEpoch && through <= state.Acknowledged) return AckOutcome.Stale;
            SetState(epoch, stream, state with { Acknowledged = through, HubEpoch = hubEpoch });
            if (rewound && (FindOldest(epoch, stream, state.Seq)?.First ?? state.Seq + 1) > through + 1) return LoseContinuity();
            return rewound ? AckOutcome.Rewound : AckOutcome.Advanced;
        }
    }

    /// <summary>Ends the refill of a stream of which nothing is left to give: no acknowledgement will ever end it, and the streams behind it wait.</summary>
    /// <exception cref="JournalException">The disk cannot be read.</exception>
    public void EndRefill(long epoch, string stream)
    {
        lock (_gate)
        {
            if (StateOf(epoch, stream) is { Refill: true } state && Reading(() => FirstIn(epoch, stream, new(state.Acknowledged + 1, state.Seq))) is null)
                SetState(epoch, stream, state with { Acknowledged = state.Seq, Refill = false });
        }
    }

    /// <summary>
    /// Begins the epoch that the hub has issued: its first record says where the old one ended; then whatever the hub does not hold is issued
    /// again, in order, with its own times and a new key. The old rows stay as they were written.
    /// </summary>
    /// <param name="epoch">Above every one that this journal has had.</param>
    /// <param name="stamp">For its first record.</param>
    /// <param name="held">What the hub says that it holds beyond what it has acknowledged here. Believed only of this journal's very record: another board may have written the hub's.</param>
    /// <returns>Null, or why not.</returns>
    /// <exception cref="JournalException">Nothing was changed.</exception>
    public string? BeginEpoch(long epoch, Stamp stamp, IReadOnlyList<HeldRecord>? held = null)
    {
        lock (_gate)
        {
            var highest = HighestEpoch;
            if (epoch <= highest) return $"epoch {epoch} is not above {highest}, the highest that this node has had";
            Change(() =>
            {
                var (ended, hub) = (StateOf(highest, Core.Wire.Streams.Access), NewestHubEpoch);
                Append(epoch, new Entry(Core.Wire.Streams.Access, new EpochBegan(highest, ended.Seq, ended.Hash)), stamp);
                foreach (var (key, state) in _streams.Where(it => !it.Value.Closed && it.Key.Epoch < epoch).OrderByDescending(it => it.Key.Epoch).ToList())
                {
                    Reissue(key.Epoch, key.Stream, state, epoch, held ?? []);
                    SetState(key.Epoch, key.Stream, state with { Closed = true });
                    if (state.Acknowledged > 0 && (state.HubEpoch < hub || !IsHeld(key.Epoch, key.Stream, state, held ?? []))) SendAgain(key.Epoch, key.Stream, hub); // Acknowledged by an earlier life of the hub, or for another board's records.
                }

                Set(EpochName, epoch.ToString(CultureInfo.InvariantCulture));
            });
            return null;
        }
    }

    /// <summary>The highest epoch that this journal has had; 0: none.</summary>
    public long HighestEpoch
    {
        get
        {
            lock (_gate) return Math.Max(Epoch, _streams.Keys.Select(it => it.Epoch).DefaultIfEmpty(0).Max());
        }
    }

    /// <summary>This journal's mark and the number of the birth that is about to be said, durably counted.</summary>
    /// <exception cref="JournalException">It was not counted.</exception>
    public (string Journal, long Number) NextBirth()
    {
        const string Mark = "mark";
        const string Births = "births";
        lock (_gate)
        {
            var mark = Meta(Mark) ?? System.Security.Cryptography.RandomNumberGenerator.GetHexString(16, lowercase: true);
            var next = (Meta(Births) is { } text ? long.Parse(text, CultureInfo.InvariantCulture) : 0) + 1;
            Change(() =>
            {
                Set(Mark, mark);
                Set(Births, next.ToString(CultureInfo.InvariantCulture));
            });
            return (mark, next);
        }
    }

    /// <summary>
    /// Remembers a command's nonce until its deadline has long passed. False: it was seen before, or its deadline is no later than one that is forgotten already: after a clock
    /// that was set ahead and back nobody could say that it was not seen.
    /// </summary>
    /// <exception cref="JournalException">It could not be remembered: the command must not be carried out.</exception>
    public bool TakeNonce(string nonce, DateTimeOffset notAfter, DateTimeOffset now)
    {
        const string Name = "nonces";
        lock (_gate)
        {
            var seen = Meta(Name) is { } text ? JsonSerializer.Deserialize(text, JournalJson.Default.DictionaryStringDateTimeOffset)! : [];
            DateTimeOffset? forgotten = Meta(ForgottenName) is { } last ? DateTimeOffset.Parse(last, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind) : null;
            if (notAfter <= forgotten || !seen.TryAdd(nonce, notAfter)) return false;
            foreach (var (old, deadline) in seen.Where(it => it.Value < now - TimeSpan.FromDays(1)).ToList())
            {
                seen.Remove(old);
                if (!(forgotten >= deadline)) forgotten = deadline;
            }

            Change(() =>
            {
                Set(Name, JsonSerializer.Serialize(seen, JournalJson.Default.DictionaryStringDateTimeOffset));
                if (forgotten is { } through) Set(ForgottenName, through.ToString("O", CultureInfo.InvariantCulture));
            });
            return true;
        }
    }

    /// <summary>Whatever a read comes upon is the journal's fault in one sentence; damage is remembered, so that the writer opens the journal anew.</summary>
    private T Reading<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception failure) when (failure is not JournalException)
        {
            Damaged |= IsDamage(failure) && _db.State == System.Data.ConnectionState.Open;
            throw new JournalException($"the journal cannot be read: {failure.Message}", failure);
        }
    }

    private AckOutcome LoseContinuity()
    {
        Set(EpochName, "0");
        return AckOutcome.ContinuityLost;
    }

    /// <summary>A hub that was restored, or that this journal has never heard, may lack what was acknowledged in epochs that are over.</summary>
    private void SendAgain(long hubEpoch)
    {
        foreach (var (epoch, stream) in _streams.Where(it => it.Value.Closed).Select(it => it.Key).ToList()) SendAgain(epoch, stream, hubEpoch);
    }

    private void SendAgain(long epoch, string stream, long hubEpoch)
    {
        if (epoch > 0 && StateOf(epoch, stream) is { Seq: > 0 } state) SetState(epoch, stream, state with { Refill = true, Acknowledged = 0, HubEpoch = hubEpoch });
    }

    private long NewestHubEpoch => _streams.Values.Select(it => it.HubEpoch).DefaultIfEmpty(0).Max();

    /// <summary>What was pruned cannot be given any more: it does not hold up the rest.</summary>
    private AckOutcome Refilled(long epoch, string stream, StreamState state, long through, long sent, IReadOnlyList<SeqRange> resend)
    {
        var owed = resend.Select(it => FirstIn(epoch, stream, it)).OfType<long>().DefaultIfEmpty(state.Seq + 1).Min();
        var given = Math.Clamp(Math.Min(resend.Count == 0 ? through : owed - 1, sent), state.Acknowledged, state.Seq);
        if (given == state.Acknowledged && given < state.Seq) return AckOutcome.Stale;
        SetState(epoch, stream, state with { Acknowledged = given, Refill = given < state.Seq });
        return AckOutcome.Advanced;
    }

    private long? FirstIn(long epoch, string stream, SeqRange range)
    {
        using var command = Command(
            "select min(seq) from records where epoch = $epoch and stream = $stream and seq between $first and $last and body is not null",
            ("$epoch", epoch), ("$stream", stream), ("$first", range.First), ("$last", range.Last));
        return command.ExecuteScalar() as long?;
    }

    private void Reissue(long oldEpoch, string stream, StreamState state, long epoch, IReadOnlyList<HeldRecord> held)
    {
        for (var from = Math.Max(state.Acknowledged, Stored(oldEpoch, stream, state, held)) + 1; from <= state.Seq;)
        {
            var run = ReadRun(oldEpoch, stream, from, state.Seq, 500, int.MaxValue);
            if (run.Count == 0) return;
            foreach (var old in run)
            {
                var record = JsonSerializer.Deserialize(old.Body, WireJson.Plain.JournalRecord)!;
                AppendRecord(record with { Epoch = epoch }, hot: false);
            }

            from = run[^1].Seq + 1;
        }
    }

    /// <summary>Up to where the hub has proved that it holds this journal's own records.</summary>
    private long Stored(long epoch, string stream, StreamState state, IReadOnlyList<HeldRecord> held) =>
        held.Where(it => it.Epoch == epoch && it.Stream == stream && it.Seq <= state.Seq && HashAt(it) == it.Hash).Select(it => it.Seq).DefaultIfEmpty(0).Max();

    private bool IsHeld(long epoch, string stream, StreamState state, IReadOnlyList<HeldRecord> held) => Stored(epoch, stream, state, held) >= state.Acknowledged;

    private string? HashAt(HeldRecord it)
    {
        using var command = Command("select hash from records where epoch = $epoch and stream = $stream and seq = $seq", ("$epoch", it.Epoch), ("$stream", it.Stream), ("$seq", it.Seq));
        return command.ExecuteScalar() as string;
    }

    private List<StoredRecord> ReadRun(long epoch, string stream, long from, long to, int countMax, int bytesMax)
    {
        var run = new List<StoredRecord>();
        var previous = from == 1 ? Chain.Genesis : null;
        var (expected, bytes) = (from, 0);
        using var command = Command(
            "select seq, hash, body from records where epoch = $epoch and stream = $stream and seq between $from and $to order by seq",
            ("$epoch", epoch), ("$stream", stream), ("$from", from - 1), ("$to", to));
        using var rows = command.ExecuteReader();
        while (run.Count < countMax && rows.Read())
        {
            var (seq, hash) = (rows.GetInt64(0), rows.GetString(1));
            var body = rows.IsDBNull(2) ? null : rows.GetString(2);
            if (body is null && run.Count > 0) break;
            if (body is null || seq < from)
            {
                (previous, expected) = (hash, seq + 1); // The record before, or what is left of a removed stretch, carries the chain.
                continue;
            }

            if (previous is null || seq != expected) throw new JournalCorruptException($"record {epoch}/{stream}/{expected} is missing");
            if (Chain.Next(previous, body) != hash) throw new JournalCorruptException($"record {epoch}/{stream}/{seq} does not fit the chain");
            bytes += Encoding.UTF8.GetByteCount(body);
            if (run.Count > 0 && bytes > bytesMax) break;
            run.Add(new(epoch, stream, seq, previous, hash, body));
            (previous, expected) = (hash, seq + 1);
        }

        // A damaged index can hide rows from a search: nothing found where something was written is damage, not the end.
        if (run.Count == 0 && expected <= Math.Min(to, StateOf(epoch, stream).Seq))
            throw new JournalCorruptException($"record {epoch}/{stream}/{expected} cannot be found");
        return run;
    }
}
