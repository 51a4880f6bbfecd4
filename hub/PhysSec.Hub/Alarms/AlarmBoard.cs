using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using PhysSec.Core;
using PhysSec.Core.Alarms;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Notify;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Alarms;

/// <summary>The one owner of the alarms' states: steps the pure machine, stores what it says, and writes what is to be sent into the outbox, all in the caller's transaction.</summary>
public sealed class AlarmBoard(Store store, AlarmCatalogue catalogue, HubConfiguration configuration, TimeProvider clock)
{
    /// <summary>Alarms of the hub about single events: they are over when none has come for this long.</summary>
    public static readonly TimeSpan Quiet = TimeSpan.FromMinutes(10);

    private static readonly string[] _events = [AlarmClasses.StrangerAtBroker, AlarmClasses.DeadLetter, AlarmClasses.RecordDiverged];
    private readonly ConcurrentDictionary<string, DateTimeOffset> _again = new();

    private TimeSpan RepeatEvery => TimeSpan.FromSeconds(configuration.Notify.RepeatSeconds);

    /// <summary>An alarm or its notifications changed.</summary>
    public event Action? Changed;

    /// <summary>Somebody acknowledged what a node raised: that node, whose siren may fall silent, and its own key of the alarm.</summary>
    public event Action<NodeId, string>? Acknowledged;

    /// <summary>Takes a node's alarm record, inside the transaction that stores the record. Call <see cref="Announce"/> after the commit.</summary>
    /// <param name="connection">The transaction's.</param>
    /// <param name="node">Who wrote the record.</param>
    /// <param name="fact">What it says.</param>
    /// <param name="place">Where it stands in the node's journal.</param>
    /// <param name="at">When it happened, by the node's clock.</param>
    /// <param name="receivedAt">Now.</param>
    /// <param name="late">It waited for the network.</param>
    public void Apply(SqliteConnection connection, NodeId node, Fact fact, RecordPlace place, DateTimeOffset at, DateTimeOffset receivedAt, bool late)
    {
        switch (fact)
        {
            case AlarmRaised { Class: var it } when AlarmClasses.OfHub.Contains(it):
                Refuse(connection, node, it, receivedAt);
                break;
            case AlarmCleared { Class: var it } when AlarmClasses.OfHub.Contains(it):
                Refuse(connection, node, it, receivedAt);
                break;
            case AlarmRaised it:
                Step(connection, AlarmClasses.Key(node, it.Class, it.Source), it.Class, it.Source, node.Value, new AlarmEvent.Raised(late, receivedAt, place), at,
                    row => row with { Value = it.Value, Limit = it.Limit, Unit = it.Unit, Detail = it.Detail });
                break;
            case AlarmCleared it:
                Step(connection, AlarmClasses.Key(node, it.Class, it.Source), it.Class, it.Source, node.Value, new AlarmEvent.Cleared(late, receivedAt, place), at,
                    row => row with { Value = it.Value ?? row.Value });
                break;
        }
    }

    public void Announce() => Changed?.Invoke();

    /// <summary>Raises an alarm of the hub's own; raising a standing one changes nothing.</summary>
    public async Task RaiseAsync(string alarmClass, string source, NodeId? node, string? detail)
    {
        var key = AlarmClasses.Key(alarmClass, source);
        _again[key] = clock.GetUtcNow();
        if (Find(key) is { State.Active: true }) return;
        await store.WriteAsync(it => Step(it, key, alarmClass, source, node?.Value, new AlarmEvent.Raised(), clock.GetUtcNow(), row => row with { Detail = detail }));
        Announce();
    }

    /// <summary>Clears an alarm of the hub's own.</summary>
    public async Task ClearAsync(string alarmClass, string source)
    {
        var key = AlarmClasses.Key(alarmClass, source);
        if (Find(key) is not { State.Active: true } found) return;
        await store.WriteAsync(it => Step(it, key, alarmClass, source, found.Node, new AlarmEvent.Cleared(), clock.GetUtcNow(), row => row));
        Announce();
    }

    /// <summary>Clears the alarms about single events of which none has come for a while.</summary>
    public async Task ClearQuietAsync()
    {
        var since = clock.GetUtcNow() - Quiet;
        foreach (var it in Watched().Where(it => it.State.Active && _events.Contains(it.Class)))
            if (it.State.RaisedAt <= since && !(_again.TryGetValue(it.Key, out var again) && again > since)) await ClearAsync(it.Class, it.Source);
    }

    /// <summary>Lets an alarm class follow what is so now: raised for each source that is due and does not stand, cleared for each that stands and is not due.</summary>
    /// <param name="alarmClass">All of its alarms are this caller's.</param>
    /// <param name="due">By source: the node, if any, and the detail, which goes into mails.</param>
    public async Task FollowAsync(string alarmClass, IReadOnlyDictionary<string, (NodeId? Node, string Detail)> due)
    {
        ArgumentNullException.ThrowIfNull(due);
        var standing = List(activeOnly: true).Where(it => it.Class == alarmClass && it.Active).Select(it => it.Source).ToHashSet();
        foreach (var it in standing.Where(it => !due.ContainsKey(it))) await ClearAsync(alarmClass, it);
        foreach (var (source, it) in due.Where(it => !standing.Contains(it.Key))) await RaiseAsync(alarmClass, source, it.Node, it.Detail);
    }

    /// <exception cref="InputException">No reason, no such alarm, nothing to acknowledge, or a role that may not.</exception>
    public async Task AcknowledgeAsync(Actor actor, string key, string reason)
    {
        if (actor.Role is not ("administrator" or "operator")) throw new InputException("role", $"a {actor.Role} may not acknowledge", "Ask an operator");
        if (string.IsNullOrWhiteSpace(reason)) throw new InputException("reason", "it is missing", "Say what is being done about it");
        var now = clock.GetUtcNow();
        var acknowledged = await store.WriteAsync(it =>
        {
            var row = Read(it, key) ?? throw new InputException("key", $"there is no alarm {key}", "Choose one of the list");
            if (!row.State.Standing) throw new InputException("key", "the alarm is over", "There is nothing to acknowledge");
            if (row.State.Acknowledged is { } by) throw new InputException("key", $"{by.Who} has acknowledged it already", "Nothing is left to do");
            Step(it, key, row.Class, row.Source, row.Node, new AlarmEvent.Acknowledged(actor.Name, reason.Trim()), now, same => same);
            Records.Act(it, new Act(actor, "alarm.acknowledged", key, reason.Trim(), Alarm: key), now);
            return row;
        });
        if (acknowledged.Node is { } node && !AlarmClasses.OfHub.Contains(acknowledged.Class))
            Acknowledged?.Invoke(new NodeId(node), AlarmClasses.Key(acknowledged.Class, acknowledged.Source));
        Announce();
    }

    /// <summary>Says again what is due to be said again.</summary>
    public async Task RepeatDueAsync()
    {
        var now = clock.GetUtcNow();
        var due = Watched().Where(it => it.State.RepeatAt <= now || it.State.RepeatAt > now + RepeatEvery || it.State.ShelvedUntil <= now).ToList();
        if (due.Count == 0) return;
        await store.WriteAsync(connection =>
        {
            foreach (var it in due) Step(connection, it.Key, it.Class, it.Source, it.Node, new AlarmEvent.Repeat(), now, row => row);
        });
        Announce();
    }

    /// <summary>Worst first, then newest first.</summary>
    public IReadOnlyList<AlarmView> List(bool activeOnly = false)
    {
        var sent = NotificationLog.ByAlarm(store);
        return
        [
            .. (activeOnly ? Watched().Where(it => it.State.Standing) : All()).Select(it => View(it, sent.GetValueOrDefault(it.Key) ?? []) with { KeyLoan = KeyLoanOf(it) })
                .OrderByDescending(it => it.Standing).ThenBy(it => PriorityOf(it.Class)).ThenByDescending(it => it.Since),
        ];
    }

    /// <summary>The same for whoever looks: who had a key of a door is told within its zone alone.</summary>
    public IReadOnlyList<AlarmView> List(Actor who, bool activeOnly = false)
    {
        ArgumentNullException.ThrowIfNull(who);
        var doors = store.Read(it => it.Query("select id, zone from doors", row => (Id: row.GetString(0), Zone: row.GetString(1)))).Where(it => who.Covers(it.Zone)).Select(it => it.Id).ToHashSet();
        return [.. List(activeOnly).Select(it => doors.Contains(it.Source) ? it : it with { KeyLoan = null })];
    }

    /// <summary>Newest first; the cursor is the last id seen.</summary>
    public IReadOnlyList<AlarmHistoryItem> History(int limit, long? cursor = null) => store.Read(it => it.Query(
        "select id, at, recorded_at, key, what, late, body from alarm_history where id < $cursor order by id desc limit $limit",
        row => new AlarmHistoryItem(
            row.Whole("id"), row.Time("at"), row.Time("recorded_at")!.Value, row.Text("key")!, row.Text("what")!, row.Flag("late"), row.Text("body") is { Length: > 0 } text ? text : null),
        ("$cursor", cursor ?? long.MaxValue), ("$limit", limit)));

    // The record itself is kept; that it claims what only the hub can know is said aloud.
    private void Refuse(SqliteConnection connection, NodeId node, string alarmClass, DateTimeOffset now)
    {
        var key = AlarmClasses.Key(AlarmClasses.DeadLetter, node.Value);
        _again[key] = now;
        Step(connection, key, AlarmClasses.DeadLetter, node.Value, node.Value, new AlarmEvent.Raised(), now,
            row => row with { Detail = $"the node speaks of {alarmClass}, which is the hub's own to raise and to clear" });
    }

    private List<AlarmRow> All() => store.Read(it => it.Query("select body from alarms", row => JsonSerializer.Deserialize<AlarmRow>(row.GetString(0), AccessJson.Options)!));

    private KeyFinding? KeyLoanOf(AlarmRow it) => it.Class == AlarmClasses.DoorForced ? store.Read(connection => KeyOpenings.Of(connection, it.Key)) : null;

    // What stands or is to be said again, by an index of its own: the alarms that were ever raised are many more.
    private List<AlarmRow> Watched() => store.Read(it => it.Query($"select body from alarms where {Schema.WatchedAlarms}", row => JsonSerializer.Deserialize<AlarmRow>(row.GetString(0), AccessJson.Options)!));

    private AlarmRow? Find(string key) => store.Read(it => Read(it, key));

    private static AlarmRow? Read(SqliteConnection connection, string key) =>
        connection.One("select body from alarms where key = $key", it => JsonSerializer.Deserialize<AlarmRow>(it.GetString(0), AccessJson.Options)!, ("$key", key));

    private void Step(
        SqliteConnection connection, string key, string alarmClass, string source, string? node, AlarmEvent what, DateTimeOffset at, Func<AlarmRow, AlarmRow> particulars)
    {
        var about = catalogue.Find(alarmClass);
        var before = Read(connection, key) ?? new AlarmRow(key, alarmClass, source, node, AlarmState.Quiet(false), null, null, null, null);
        before = before with { State = before.State with { Latched = about?.Latched ?? false } };
        var step = AlarmMachine.Step(before.State, what, at, RepeatEvery);
        var newer = step.State != before.State with { ChangedBy = step.State.ChangedBy };
        var after = newer ? particulars(before) with { State = step.State, Node = node ?? before.Node } : before with { State = step.State };
        if (step.State != before.State)
        {
            connection.Execute(
                "insert into alarms (key, node, body) values ($key, $node, $body) on conflict do update set node = $node, body = $body",
                ("$key", key), ("$node", after.Node ?? ""), ("$body", JsonSerializer.Serialize(after, AccessJson.Options)));
        }

        var late = what is AlarmEvent.Raised { Late: true } or AlarmEvent.Cleared { Late: true };
        if (newer || step.Actions.Count > 0) Remember(connection, key, what, at, late, particulars(before));
        foreach (var action in step.Actions)
            if (action is AlarmAction.Notify notify) Outbox.Add(connection, configuration.Notify, View(after, []), notify.Kind, clock.GetUtcNow());
    }

    private void Remember(SqliteConnection connection, string key, AlarmEvent what, DateTimeOffset at, bool late, AlarmRow row)
    {
        var (name, detail) = what switch
        {
            AlarmEvent.Raised => ("raised", new JsonObject { ["value"] = row.Value, ["limit"] = row.Limit, ["unit"] = row.Unit, ["detail"] = row.Detail }),
            AlarmEvent.Cleared => ("cleared", new JsonObject { ["value"] = row.Value }),
            AlarmEvent.Acknowledged it => ("acknowledged", new JsonObject { ["who"] = it.Who, ["why"] = it.Why }),
            AlarmEvent.Repeat => ("repeated", new JsonObject()),
            _ => ("set-aside", new JsonObject()),
        };
        connection.Execute(
            "insert into alarm_history (at, recorded_at, key, what, late, body) values ($at, $recorded, $key, $what, $late, $body)",
            ("$at", at), ("$recorded", clock.GetUtcNow()), ("$key", key), ("$what", name), ("$late", late), ("$body", detail.ToJsonString(AccessJson.Options)));
    }

    private AlarmPriority PriorityOf(string alarmClass) => catalogue.Find(alarmClass)?.Priority ?? AlarmPriority.High;

    private AlarmView View(AlarmRow it, IReadOnlyList<NotificationView> notifications)
    {
        var about = catalogue.Find(it.Class);
        Both Say(Func<AlarmClass, string> ja, Func<AlarmClass, string> en) => about is null ? new(it.Class, it.Class) : new(ja(about), en(about));
        return new AlarmView(
            it.Key, it.Class, PriorityOf(it.Class) switch
            {
                AlarmPriority.Critical => "critical",
                AlarmPriority.High => "high",
                AlarmPriority.Medium => "medium",
                AlarmPriority.Low => "low",
            },
            it.Source, it.Node, it.State.Active, it.State.Standing, it.State.Acknowledged is not null, it.State.RaisedAt, it.State.ClearedAt,
            it.State.Acknowledged?.Who, it.State.Acknowledged?.At, it.State.Acknowledged?.Why, it.Value, it.Limit, it.Unit, it.Detail,
            Say(a => a.TitleJa, a => a.TitleEn), Say(a => a.CauseJa, a => a.CauseEn), Say(a => a.ConsequenceJa, a => a.ConsequenceEn), Say(a => a.ResponseJa, a => a.ResponseEn),
            about?.Owner ?? "", about?.TimeLimitMinutes ?? 0, notifications);
    }
}

/// <summary>Repeats what nobody has acknowledged, and ends what has gone quiet.</summary>
public sealed class AlarmRepeater(AlarmBoard alarms, TimeProvider clock, ILogger<AlarmRepeater> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await alarms.RepeatDueAsync();
                await alarms.ClearQuietAsync();
            }
            catch (SqliteException fault)
            {
                log.LogError("alarms were not repeated: the store refused: {Fault}; trying again", fault.Message);
            }
        }
    }
}
