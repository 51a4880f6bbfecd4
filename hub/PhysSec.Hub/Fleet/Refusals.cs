using System.Security.Cryptography;
using PhysSec.Core.Wire;
using Microsoft.Data.Sqlite;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Review;
using PhysSec.Hub.Storage;
using PhysSec.Hub.Web.Language;

namespace PhysSec.Hub.Fleet;

/// <summary>Somebody whom the broker or the hub turned away; equal refusals are one row that counts.</summary>
public sealed record Refusal(string Origin, string? Claimed, string Fault, long Count, DateTimeOffset First, DateTimeOffset Last);

/// <summary>A payload that could not be understood or believed: kept (64 KiB of it), counted when it comes again, never retried.</summary>
public sealed record DeadLetter(long Id, DateTimeOffset ReceivedAt, string? Node, string Topic, string Fault, long Length, string Hash, long Count, DateTimeOffset Last);

/// <summary>What was turned away at the entrances.</summary>
public sealed class TurnedAway(Store store, HubConfiguration configuration, TimeProvider clock)
{
    /// <summary>So many are told apart on one day; the others count together, under <see cref="Others"/>.</summary>
    public const int SubjectsMax = 1_000;

    public const string Others = "…";

    private const int KeptBytes = 65_536;
    private const int RefusalsMax = 10_000;
    private const int DeadLettersMax = 10_000;

    private readonly SiteTime _time = new(TimeZoneInfo.FindSystemTimeZoneById(configuration.TimeZone));

    public Task RefuseAsync(string origin, string? claimed, string fault)
    {
        var now = clock.GetUtcNow();
        return store.WriteAsync(it =>
        {
            // A flood of different names must not fill the disk: past the limit only the newest count.
            if (it.Number("select count(*) from refusals") >= RefusalsMax)
                it.Execute("delete from refusals where id in (select id from refusals order by last_at limit 100)");
            it.Execute(
                """
                insert into refusals (first_at, last_at, origin, claimed, fault, count) values ($at, $at, $origin, $claimed, $fault, 1)
                on conflict (origin, claimed, fault) do update set last_at = $at, count = count + 1
                """,
                ("$at", now), ("$origin", origin), ("$claimed", claimed ?? ""), ("$fault", fault));
            CountOfDay(it, Matters.Refusal, origin, now);
        });
    }

    public Task SetAsideAsync(NodeTopic? topic, string text, byte[] payload, string fault)
    {
        var now = clock.GetUtcNow();
        return store.WriteAsync(it =>
        {
            it.Execute(
                """
                insert into dead_letters (received_at, last_at, source, topic, fault, length, hash, payload) values ($at, $at, $source, $topic, $fault, $length, $hash, $payload)
                on conflict (topic, hash) do update set last_at = $at, count = count + 1, fault = $fault
                """,
                ("$at", now), ("$source", topic?.Node.Value), ("$topic", text), ("$fault", fault), ("$length", payload.Length),
                ("$hash", Convert.ToHexStringLower(SHA256.HashData(payload))), ("$payload", payload.Length <= KeptBytes ? payload : payload[..KeptBytes]));
            it.Execute("delete from dead_letters where id <= (select max(id) from dead_letters) - $max", ("$max", DeadLettersMax));
            CountOfDay(it, Matters.DeadLetter, topic?.Node.Value ?? text, now);
        });
    }

    public IReadOnlyList<Refusal> Refusals(int limit) => store.Read(it => it.Query(
        "select origin, claimed, fault, count, first_at, last_at from refusals order by last_at desc limit $limit",
        row => new Refusal(row.GetString(0), row.GetString(1) is { Length: > 0 } claimed ? claimed : null, row.GetString(2), row.GetInt64(3),
            Rows.FromStored(row.GetInt64(4)), Rows.FromStored(row.GetInt64(5))),
        ("$limit", limit)));

    public IReadOnlyList<DeadLetter> DeadLetters(int limit) => store.Read(it => it.Query(
        "select id, received_at, source, topic, fault, length, hash, count, last_at from dead_letters order by last_at desc, id desc limit $limit",
        row => new DeadLetter(row.GetInt64(0), Rows.FromStored(row.GetInt64(1)), row.IsDBNull(2) ? null : row.GetString(2), row.GetString(3), row.GetString(4), row.GetInt64(5), row.GetString(6),
            row.GetInt64(7), Rows.FromStored(row.GetInt64(8))),
        ("$limit", limit)));

    private void CountOfDay(SqliteConnection store, string what, string subject, DateTimeOffset now)
    {
        var day = _time.Read(_time.Day(now))!.Value;
        var isNew = store.Number("select count(*) from turned_away where day = $day and what = $what and subject = $subject", ("$day", day), ("$what", what), ("$subject", subject)) == 0;
        // A flood of different names must not fill the disk.
        if (isNew && store.Number("select count(*) from turned_away where day = $day and what = $what", ("$day", day), ("$what", what)) >= SubjectsMax) subject = Others;
        store.Execute(
            """
            insert into turned_away values ($day, $what, $subject, 1, $at, $at)
            on conflict do update set last_at = max(last_at, $at), count = count + 1
            """,
            ("$day", day), ("$what", what), ("$subject", subject), ("$at", now));
    }
}
