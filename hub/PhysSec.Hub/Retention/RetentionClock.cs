using System.Globalization;
using Microsoft.Data.Sqlite;
using PhysSec.Hub.Access;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Retention;

/// <summary>Why the hub's clock is not believed, and so nothing is deleted.</summary>
public enum ClockDoubt
{
    /// <summary>It stands before the newest record, checkpoint or round.</summary>
    Back,

    /// <summary>It went on by more than time did, or nobody has seen it for a month. An administrator looks at it.</summary>
    Ahead,

    /// <summary>An administrator has confirmed it within the last day, which others have to object.</summary>
    JustConfirmed,
}

/// <summary>
/// Judges the hub's clock before anything is deleted by it: a clock that is set ahead would delete what must be kept. Where the same process saw the last round, wall time
/// may not have gained a day on the monotonic clock; over a restart, no more than a month may lie between two rounds.
/// </summary>
public sealed class RetentionClock(Store store, TimeProvider clock)
{
    public const string ConfirmedVerb = "retention.clock-confirmed";

    private const string Round = "retention-round";
    private const string Ahead = "retention-ahead";
    private const string Confirmed = "retention-confirmed";
    private const string Believed = "retention-believed-through";

    private static readonly TimeSpan _unseenMax = TimeSpan.FromDays(31);
    private static readonly TimeSpan _gainMax = TimeSpan.FromDays(1);
    private static readonly TimeSpan _objection = TimeSpan.FromDays(1);

    // Records that came while this was being looked at.
    private static readonly TimeSpan _meanwhile = TimeSpan.FromMinutes(1);

    private Seen? _seen;

    /// <summary>As it stands; null: the clock is believed.</summary>
    public ClockDoubt? Doubt() => store.Read(it => Judge(it, clock.GetUtcNow()));

    /// <summary>Puts on record that somebody has compared the hub's clock with another one. Deletion goes on a day later.</summary>
    /// <exception cref="InputException">No reason is given, or the clock is not in doubt.</exception>
    public Task ConfirmAsync(Actor actor, string reason, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(actor);
        var why = Input.Filled("reason", reason);
        if (actor.Role != "administrator") throw new InputException("role", $"a {actor.Role} may not confirm the clock", "Ask an administrator");
        return store.WriteAsync(it =>
        {
            var now = clock.GetUtcNow();
            if (Judge(it, now) is not (ClockDoubt.Ahead or ClockDoubt.Back)) throw new InputException("clock", "nothing is in doubt", "Nothing is left to do");
            RetentionPeriods.Postpone(it, now - (Stored(it, Round) ?? now));
            Records.Act(it, new Act(actor, ConfirmedVerb, null, why), now);
            it.Execute("delete from meta where name = $name", ("$name", Ahead));
            Store(it, Believed, it.Number("select max(id) from ledger"));
            Store(it, Confirmed, Rows.ToStored(now));
            Mark(it, now);
        }, cancel);
    }

    /// <summary>Looks at the clock at the beginning of a round, and remembers it.</summary>
    internal ClockDoubt? Begin(SqliteConnection connection, DateTimeOffset now)
    {
        var doubt = Judge(connection, now);
        if (doubt == ClockDoubt.Ahead) Store(connection, Ahead, 1);
        if (doubt is not null) return doubt;
        RetentionPeriods.Postpone(connection, now - (Stored(connection, Round) ?? now));
        Mark(connection, now);
        return null;
    }

    private ClockDoubt? Judge(SqliteConnection connection, DateTimeOffset now)
    {
        if (connection.Number("select value from meta where name = $name", ("$name", Ahead)) == 1) return ClockDoubt.Ahead;
        var (round, confirmed) = (Stored(connection, Round), Stored(connection, Confirmed));
        var newest = Newest(connection);
        if (now < round - _meanwhile || now < newest - _meanwhile) return ClockDoubt.Back;
        if (now - (round ?? newest ?? now) > _unseenMax) return ClockDoubt.Ahead;
        if (_seen is { } seen && now - seen.At - clock.GetElapsedTime(seen.Timestamp) > _gainMax) return ClockDoubt.Ahead;
        return now - confirmed < _objection ? ClockDoubt.JustConfirmed : null;
    }

    private static DateTimeOffset? Newest(SqliteConnection connection)
    {
        var believed = connection.Number("select value from meta where name = $name", ("$name", Believed));
        var newest = Math.Max(
            connection.Number("select received_at from ledger where id > $believed order by id desc limit 1", ("$believed", believed)),
            connection.Number("select made_at from checkpoints where size > $believed order by id desc limit 1", ("$believed", believed)));
        return newest > 0 ? Rows.FromStored(newest) : null;
    }

    private void Mark(SqliteConnection connection, DateTimeOffset now)
    {
        _seen = new(now, clock.GetTimestamp());
        Store(connection, Round, Rows.ToStored(now));
    }

    private static DateTimeOffset? Stored(SqliteConnection connection, string name) =>
        connection.Number("select value from meta where name = $name", ("$name", name)) is var it and > 0 ? Rows.FromStored(it) : null;

    private static void Store(SqliteConnection connection, string name, long value) => connection.Execute(
        "insert into meta values ($name, $value) on conflict do update set value = $value", ("$name", name), ("$value", value.ToString(CultureInfo.InvariantCulture)));

    private sealed record Seen(DateTimeOffset At, long Timestamp);
}
