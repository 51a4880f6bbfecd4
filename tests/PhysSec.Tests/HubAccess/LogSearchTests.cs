using Microsoft.Data.Sqlite;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Alarms;
using PhysSec.Core.Doors;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Tests.HubAccess;

/// <summary>What a search finds, held against looking at every record; and that it never looks at every record.</summary>
public sealed class LogSearchTests
{
    private static readonly string[] _nodes = ["node-a", "node-b"];
    private static readonly string[] _doors = ["door-a", "door-b", "door-c"];
    private static readonly string?[] _people = ["p-alice", "p-bob", "p-nobody-knows", null];
    private static readonly string[] _cards = [new('a', 64), "abcd" + new string('1', 60), "abcd0" + new string('2', 59)];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whatever_is_asked_for_the_answer_is_that_of_looking_at_every_record_page_by_page()
    {
        var first = Environment.TickCount;
        for (var seed = first; seed < first + 3; seed++)
        {
            var random = new Random(seed);
            await using var desk = await Desk.OpenAsync();
            for (var i = 0; i < 150; i++) await WriteAsync(desk, random);
            await desk.Doors.PutAsync(Desk.Admin, new("door-c", "node-b", "room-a", "扉", "Door", 5, 15, 20, 10, Assurance.Low), cancel: Cancel);
            for (var i = 0; i < 100; i++) await WriteAsync(desk, random);
            desk.Time.Advance(TimeSpan.FromMinutes(60));
            await desk.Doors.PutAsync(Desk.Admin, new("door-c", "node-b", "room-b", "扉", "Door", 5, 15, 20, 10, Assurance.Low), cancel: Cancel);
            for (var i = 0; i < 150; i++) await WriteAsync(desk, random);
            var all = All(desk);

            for (var i = 0; i < 400; i++)
            {
                var filter = AnyFilter(random);
                var expected = all.Where(it => Fits(it, filter)).OrderByDescending(it => it.At ?? it.ReceivedAt).ThenByDescending(it => it.Id).Select(it => it.Id).ToList();
                var found = Pages(desk.Log, filter);
                Assert.True(expected.SequenceEqual(found), $"seed {seed}, search {i}: {filter}\nexpected {string.Join(' ', expected)}\nfound    {string.Join(' ', found)}");
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"seeds {first}–{first + 2}: 1,200 searches");
    }

    [Theory]
    [InlineData("person", "ledger_person")]
    [InlineData("credential", "ledger_credential")]
    [InlineData("door", "ledger_door")]
    [InlineData("zone", "ledger_door")]
    [InlineData("from", "ledger_when")]
    [InlineData("outcome", "ledger_outcome")]
    [InlineData("granted", "ledger_kind")]
    [InlineData("reason", "ledger_reason")]
    [InlineData("kind", "ledger_kind")]
    [InlineData("node", "ledger_source")]
    [InlineData("alarm", "ledger_alarm")]
    [InlineData("late", "ledger_late")]
    [InlineData("nothing", "ledger_when")]
    public async Task No_search_looks_through_the_whole_ledger_and_none_sorts_it(string field, string index)
    {
        await using var desk = await Desk.OpenAsync();
        var random = new Random(7);
        for (var i = 0; i < 120; i++) await WriteAsync(desk, random);
        var filter = field switch
        {
            "person" => new LogFilter(Person: "あおき"),
            "credential" => new(Credential: "abcd"),
            "door" => new(Door: "door-a"),
            "zone" => new(Zone: "room-a"),
            "from" => new(From: Desk.Start, To: Desk.Start.AddMinutes(20)),
            "outcome" => new(Outcome: "denied"),
            "granted" => new(Outcome: "granted"),
            "reason" => new(Reason: "outsideHours"),
            "kind" => new(Kind: "access"),
            "node" => new(Node: "node-a"),
            "alarm" => new(Alarm: "node-a/leak:leak"),
            "late" => new(Late: true),
            _ => new LogFilter(),
        };

        desk.Store.Read(store =>
        {
            var plan = LogSearch.Plan(store, filter.Checked());
            Assert.NotNull(plan);
            Assert.Equal(index, plan.Driver.Index);
            using var walk = plan.Command(store, $"select {LogSearch.When}, id", $"order by {LogSearch.When} desc, id desc limit $limit");
            using var counting = plan.Counting(store);
            var (walked, counted) = (Explained(store, walk), Explained(store, counting));
            Assert.Contains(walked, it => it.StartsWith($"SEARCH ledger USING INDEX {index} ", StringComparison.Ordinal) || it.StartsWith($"SEARCH ledger USING COVERING INDEX {index} ", StringComparison.Ordinal));
            Assert.Contains(counted, it => it.StartsWith($"SEARCH ledger USING COVERING INDEX {index} ", StringComparison.Ordinal));
            Assert.DoesNotContain(walked.Concat(counted), it => it.Contains("SCAN ledger", StringComparison.Ordinal) || it.Contains("TEMP B-TREE", StringComparison.Ordinal));
            return 0;
        });
    }

    [Fact]
    public async Task The_register_of_a_month_is_found_by_kind_and_time()
    {
        await using var desk = await Desk.OpenAsync();
        var plan = desk.Store.Read(store =>
        {
            using var command = store.Command(Register.Sql, ("$from", Desk.Start), ("$to", Desk.Start.AddDays(1)));
            return Explained(store, command);
        });
        Assert.Contains(plan, it => it.StartsWith("SEARCH ledger USING INDEX ledger_kind (kind=? AND ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_alarm_finds_its_raising_its_end_its_acknowledgement_and_its_messages_and_those_of_no_other()
    {
        await using var hub = Ingest.RunningHub.WithoutBroker("""{ "webhook": { "url": "http://127.0.0.1:9/", "secretFile": "webhook.key" } }""");
        using var node = (await hub.EnrolAsync("node-a")).Write(new AlarmRaised("leak:leak", AlarmClasses.Leak, "leak", null, null, null, null), hub.Time.GetUtcNow())
            .Write(new AlarmRaised("tamper:box", AlarmClasses.Tamper, "box", null, null, null, null), hub.Time.GetUtcNow());
        await hub.TakeBatchAsync(node, 1, 2);
        await hub.Alarms.AcknowledgeAsync(Ingest.RunningHub.Admin, "node-a/leak:leak", "拭き取り中");
        node.Write(new AlarmCleared("leak:leak", AlarmClasses.Leak, "leak", null, null), hub.Time.GetUtcNow());
        await hub.TakeBatchAsync(node, 3, 3);

        string[] Kinds(string alarm) => [.. hub.Get<AccessLog>().Search(new(Alarm: alarm)).Items.OrderBy(it => it.Id).Select(it => it.Kind)];
        Assert.Equal(["alarm.raised", "hub.notification.made", "hub.alarm.acknowledged", "alarm.cleared"], Kinds("node-a/leak:leak").Where(it => it != "hub.notification.superseded").Distinct());
        Assert.Equal(Kinds("node-a/leak:leak"), Kinds("leak"));
        Assert.Equal(Kinds("node-a/leak:leak"), Kinds("leak:leak"));
        Assert.DoesNotContain("hub.alarm.acknowledged", Kinds("tamper"));
        Assert.Empty(Kinds("node-b/leak:leak"));
    }

    [Fact]
    public async Task A_card_is_found_by_the_beginning_of_its_code_and_no_number_that_is_none_goes_on_record()
    {
        await using var desk = await Desk.OpenAsync();
        await desk.Credentials.AddAsync(Desk.Admin, "p-alice", new(_cards[1]), cancel: Cancel);
        await desk.RecordAsync(1, new AccessDenied(new("door-a"), Direction.In, new CredentialToken(_cards[1]), new("p-alice"), DenialReason.OutsideHours, 65, null, 1, "", 0));
        await desk.RecordAsync(2, new AccessDenied(new("door-a"), Direction.In, new CredentialToken(_cards[2]), null, DenialReason.OutsideHours, 65, null, 1, "", 0));

        Assert.Equal(["access.denied", "hub.credential.added"], desk.Log.Search(new(Credential: "ABCD1111…")).Items.Select(it => it.Kind));
        Assert.Equal(3, desk.Log.Search(new(Credential: "abcd")).Items.Count);
        Assert.Empty(desk.Log.Search(new(Credential: "abcde")).Items);
        await desk.Log.SearchedAsync(Desk.Admin, new(Credential: _cards[1]), cancel: Cancel);
        Assert.Contains("\"credential\":\"abcd1111\"", desk.Log.Search(new(Kind: "hub.log.searched", Searches: true)).Items.Single().Body, StringComparison.Ordinal);
        foreach (var number in new[] { "123:45678", "12", "0012-3456-78" })
        {
            var fault = await Assert.ThrowsAsync<InputException>(() => desk.Log.SearchedAsync(Desk.Admin, new(Credential: number), cancel: Cancel));
            Assert.DoesNotContain(number, fault.Message, StringComparison.Ordinal);
        }

        Assert.Single(desk.Log.Search(new(Kind: "hub.log.searched", Searches: true)).Items);
    }

    [Fact]
    public async Task A_page_goes_on_where_the_last_one_ended_whatever_comes_meanwhile()
    {
        await using var desk = await Desk.OpenAsync();
        for (var i = 0; i < 6; i++) await desk.RecordAsync(10 * i, new ExitRequested(new("door-a"), i));
        var first = desk.Log.Search(new(Door: "door-a", Kind: "door.exit-request", Limit: 3));
        await desk.RecordAsync(25, new ExitRequested(new("door-a"), 9), late: true);
        await desk.RecordAsync(60, new ExitRequested(new("door-a"), 9));

        var second = desk.Log.Search(new(Door: "door-a", Kind: "door.exit-request", Limit: 3, Cursor: first.Next));

        Assert.Equal([50, 40, 30], first.Items.Select(Minutes));
        Assert.Equal([25, 20, 10], second.Items.Select(Minutes));
        Assert.Throws<InputException>(() => desk.Log.Search(new(Cursor: 99_999)));
    }

    private static int Minutes(LogItem it) => (int)(it.At!.Value - Desk.Start).TotalMinutes;

    private static List<string> Explained(SqliteConnection store, SqliteCommand command)
    {
        using var explained = store.Command("explain query plan " + command.CommandText, [.. command.Parameters.Cast<SqliteParameter>().Select(it => (it.ParameterName, it.Value))]);
        using var rows = explained.ExecuteReader();
        var lines = new List<string>();
        while (rows.Read()) lines.Add(rows.GetString(3));
        return lines;
    }

    private static List<long> Pages(AccessLog log, LogFilter filter)
    {
        var (found, cursor) = (new List<long>(), (long?)null);
        do
        {
            var page = log.Search(filter with { Cursor = cursor });
            Assert.True(page.Items.Count == filter.Limit || page.Next is null);
            found.AddRange(page.Items.Select(it => it.Id));
            cursor = page.Next;
        }
        while (cursor is not null);

        return found;
    }

    private static Task WriteAsync(Desk desk, Random random)
    {
        T Any<T>(IReadOnlyList<T> of) => of[random.Next(of.Count)];
        var (door, way, card) = (new DoorId(Any(_doors)), random.Next(2) == 0 ? Direction.In : Direction.Out, new CredentialToken(Any(_cards)));
        var person = Any(_people) is { } id ? new PersonId(id) : (PersonId?)null;
        Fact fact = random.Next(9) switch
        {
            0 or 1 => new AccessGranted(door, way, card, person ?? new("p-alice"), null, 1, "", 0, "rule", Assurance.Low),
            2 => new AccessDenied(door, way, card, person, Any(Enum.GetValues<DenialReason>()), 1, null, 1, "", 0),
            3 => new AccessDenied(door, way, null, null, DenialReason.OutsideHours, 65, null, 1, "", 0),
            4 => new Passage(door, way, person, 1),
            5 => new DoorChanged(door, DoorPhase.Released, DoorPhase.Open, "contact"),
            6 => new AlarmRaised("leak:leak", AlarmClasses.Leak, "leak", null, null, null, null),
            7 => new AlarmCleared("tamper:box", AlarmClasses.Tamper, "box", null, null),
            _ => new NodeStarted("1", "test", true, "power"),
        };
        // Times fall together now and then, records come late, and some nodes do not know the time.
        var at = random.Next(12) == 0 ? (DateTimeOffset?)null : Desk.Start.AddMinutes(random.Next(40));
        return desk.Store.WriteAsync(it =>
        {
            var node = new NodeId(Any(_nodes));
            var seq = Records.Through(it, node.Value, 1, Streams.Access).Seq + 1;
            var record = new JournalRecord(1, Streams.Access, seq, at, 0, "boot", ClockQuality.Synced, LinkState.Up, fact);
            var body = System.Text.Json.JsonSerializer.Serialize(record, WireJson.Plain.JournalRecord);
            Records.Append(it, node, record, Chain.Next(Chain.Genesis, body), body, Desk.Start.AddMinutes(random.Next(40, 80)), late: random.Next(6) == 0);
            Records.SetThrough(it, node.Value, 1, Streams.Access, seq, Chain.Genesis);
        });
    }

    private static LogFilter AnyFilter(Random random)
    {
        T? Maybe<T>(double share, params T[] of) => random.NextDouble() < share ? of[random.Next(of.Length)] : default;
        int? from = random.Next(3) == 0 ? random.Next(60) : null;
        int? length = random.Next(3) == 0 ? random.Next(1, 40) : null;
        return new(
            from is { } it ? Desk.Start.AddMinutes(it) : null, length is { } more ? Desk.Start.AddMinutes((from ?? 0) + more) : null,
            Maybe(0.2, "p-alice", "馬場", "ババ", "p-nobody-knows", "nobody"), Maybe(0.2, "door-a", "door-c", "no-door"), Maybe(0.2, "granted", "denied", "other"),
            Maybe(0.15, "outsideHours", "leak", "contact", "no-reason"), Maybe(0.3, "access", "access.passage", "alarm", "hub", "door", "hub.log.searched", "no-kind"),
            Maybe(0.15, "node-a", "node-b", "hub", "no-node"), random.Next(6) switch { 0 => true, 1 => false, _ => null }, Limit: random.Next(1, 9) * (random.Next(4) == 0 ? 50 : 1),
            Searches: random.Next(2) == 0, Credential: Maybe(0.15, "aaaa", "abcd", "abcd0222", "ffff"), Zone: Maybe(0.2, "room-a", "room-b", "no-room"), Alarm: Maybe(0.1, "node-a/leak:leak", "node-b/tamper:box", "no-alarm"));
    }

    private static List<Whole> All(Desk desk) => desk.Store.Read(it => it.Query("select * from ledger", row => new Whole(
        row.Whole("id"), row.Text("source")!, row.Time("at"), row.Time("received_at")!.Value, row.Flag("late"), row.Text("kind")!, row.Text("door"), row.Text("person"), row.Text("credential"),
        row.Text("outcome"), row.Text("reason"), row.Text("alarm"))));

    // As the docs say it, and as slowly.
    private static bool Fits(Whole it, LogFilter f)
    {
        var when = it.At ?? it.ReceivedAt;
        string[] named = f.Person switch { null => [], "馬場" or "ババ" => ["p-bob", f.Person], var id => [id] };
        return !(when < f.From) && !(when >= f.To)
            && (f.Person is null || named.Contains(it.Person)) && (f.Door is null || it.Door == f.Door) && (f.Outcome is null || it.Outcome == f.Outcome) && (f.Reason is null || it.Reason == f.Reason)
            && (f.Kind is null || it.Kind == f.Kind || it.Kind.StartsWith(f.Kind + ".", StringComparison.Ordinal)) && (f.Node is null || it.Source == f.Node) && (f.Late is null || it.Late == f.Late)
            && (f.Searches || !AccessLog.AuditorsActs.Contains(it.Kind)) && (f.Credential is null || it.Credential?.StartsWith(f.Credential, StringComparison.Ordinal) == true)
            && (f.Zone is null || it.Door is not null && ZoneOf(it.Door, when) == f.Zone) && (f.Alarm is null || it.Alarm == f.Alarm);
    }

    private static string ZoneOf(string door, DateTimeOffset when) =>
        door == "door-a" || door == "door-c" && when < Desk.Start.AddMinutes(60) ? "room-a" : "room-b";

    private sealed record Whole(
        long Id, string Source, DateTimeOffset? At, DateTimeOffset ReceivedAt, bool Late, string Kind, string? Door, string? Person, string? Credential, string? Outcome, string? Reason, string? Alarm);
}
