using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using PhysSec.Core.Alarms;
using PhysSec.Hub.Access;
using PhysSec.Hub.Alarms;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Notify;

/// <summary>A message to a channel and what became of it. State is waiting, sent, failing, superseded or given-up.</summary>
public sealed record NotificationView(long Id, string Alarm, string What, string Channel, string State, DateTimeOffset MadeAt, DateTimeOffset? SentAt, int Tries, DateTimeOffset? NextTry, string? Fault);

/// <summary>A message that is due.</summary>
public sealed record Due(long Id, string Channel, NotifyKind Kind, AlarmView Alarm, DateTimeOffset MadeAt, int Tries);

/// <summary>What became of a try. Without a fault it was sent; with one and without a next try it is given up.</summary>
public sealed record Outcome(Due It, DateTimeOffset At, string? Fault, DateTimeOffset? Next);

/// <summary>Messages are written in the transaction of the alarm that causes them, before any send, and their outcome after it.</summary>
public static class Outbox
{
    public const string Mail = "mail";
    public const string Webhook = "webhook";

    public static void Add(SqliteConnection connection, NotifyConfiguration configuration, AlarmView alarm, NotifyKind kind, DateTimeOffset now)
    {
        var body = JsonSerializer.Serialize(alarm, AccessJson.Options);
        if (configuration.Smtp is not null) Row(Mail);
        if (configuration.Webhook is not null) Row(Webhook);

        void Row(string channel)
        {
            // An alarm about a channel does not travel by that channel.
            if (alarm.Class == AlarmClasses.NotificationFailed && alarm.Source == channel) return;
            if (kind != NotifyKind.Raised) Supersede(connection, alarm.Key, channel, now);
            connection.Execute(
                "insert into notifications (alarm, what, channel, made_at, body, next_at) values ($alarm, $what, $channel, $at, $body, $at)",
                ("$alarm", alarm.Key), ("$what", kind.ToString()), ("$channel", channel), ("$at", now), ("$body", body));
            Records.Act(connection, new Act(Actor.System, "notification.made", alarm.Key, null, null, new JsonObject { ["channel"] = channel, ["what"] = kind.ToString() }, Alarm: alarm.Key), now);
        }
    }

    /// <summary>The gravest first, then the newest alarm; of one alarm never a later message before an earlier one.</summary>
    public static IReadOnlyList<Due> DueAt(Store store, string channel, DateTimeOffset now, int limit) => store.Read(it => it.Query(
        """
        select id, channel, what, body, made_at, tries from notifications as it
          where next_at <= $now and channel = $channel and superseded = 0 and not exists (
            select 1 from notifications as before
              where before.next_at is not null and before.superseded = 0 and before.alarm = it.alarm and before.channel = it.channel and before.id < it.id)
          order by case body ->> '$.priority' when 'critical' then 0 when 'high' then 1 when 'medium' then 2 else 3 end, id desc limit $limit
        """,
        row => new Due(
            row.Whole("id"), row.Text("channel")!, Enum.Parse<NotifyKind>(row.Text("what")!), JsonSerializer.Deserialize<AlarmView>(row.Text("body")!, AccessJson.Options)!,
            row.Time("made_at")!.Value, (int)row.Whole("tries")),
        ("$now", now), ("$channel", channel), ("$limit", limit)));

    public static Task StoreAsync(Store store, Outcome what) => store.WriteAsync(connection =>
    {
        var (it, sent) = (what.It, what.Fault is null);
        connection.Execute(
            "update notifications set tries = $tries, next_at = case when superseded then null else $next end, sent_at = $sent, fault = $fault, given_up = $up where id = $id",
            ("$tries", it.Tries + 1), ("$next", what.Next), ("$sent", sent ? what.At : null), ("$fault", what.Fault), ("$up", !sent && what.Next is null), ("$id", it.Id));
        Records.Act(connection, new Act(Actor.System, sent ? "notification.sent" : "notification.failed", it.Alarm.Key, null, null, new JsonObject
        {
            ["channel"] = it.Channel,
            ["what"] = it.Kind.ToString(),
            ["try"] = it.Tries + 1,
            ["fault"] = what.Fault,
        }, Alarm: it.Alarm.Key), what.At);
    });

    // Repetitions that wait for a dead server would all arrive when it is back; the newest says all of it.
    private static void Supersede(SqliteConnection connection, string alarm, string channel, DateTimeOffset now)
    {
        var dropped = connection.Execute(
            "update notifications set superseded = 1, next_at = null where next_at is not null and alarm = $alarm and channel = $channel and what = 'Repeat'",
            ("$alarm", alarm), ("$channel", channel));
        if (dropped == 0) return;
        Records.Act(connection, new Act(Actor.System, "notification.superseded", alarm, null, null, new JsonObject { ["channel"] = channel, ["count"] = dropped }, Alarm: alarm), now);
    }
}

/// <summary>The messages for people to see.</summary>
public sealed class NotificationLog(Store store)
{
    private const string Columns = "id, alarm, what, channel, made_at, sent_at, tries, next_at, fault, given_up, superseded";

    /// <summary>Newest first.</summary>
    public IReadOnlyList<NotificationView> List(int limit = 200) =>
        store.Read(it => it.Query($"select {Columns} from notifications order by id desc limit $limit", View, ("$limit", limit)));

    /// <summary>The newest messages of each alarm that the store knows.</summary>
    internal static IReadOnlyDictionary<string, IReadOnlyList<NotificationView>> ByAlarm(Store store) =>
        store.Read(it => it.Query($"select {Columns} from notifications order by id desc limit 500", View))
            .GroupBy(it => it.Alarm).ToDictionary(it => it.Key, it => (IReadOnlyList<NotificationView>)[.. it.Take(8)]);

    private static NotificationView View(SqliteDataReader row)
    {
        var (sent, next, fault) = (row.Time("sent_at"), row.Time("next_at"), row.Text("fault"));
        var state = sent is not null ? "sent" : row.Flag("superseded") ? "superseded" : row.Flag("given_up") ? "given-up" : fault is not null ? "failing" : "waiting";
        return new NotificationView(
            row.Whole("id"), row.Text("alarm")!, row.Text("what")!, row.Text("channel")!, state, row.Time("made_at")!.Value, sent, (int)row.Whole("tries"), next, fault);
    }
}
