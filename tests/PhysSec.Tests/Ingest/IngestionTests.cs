using System.Text.Json;
using CsCheck;
using PhysSec.Core.Alarms;
using PhysSec.Core.Wire;
using PhysSec.Hub.Storage;

namespace PhysSec.Tests.Ingest;

public sealed class IngestionTests
{
    private const int Written = 30;
    private const string Webhook = """{ "webhook": { "url": "http://127.0.0.1:9/", "secretFile": "webhook.key" } }""";

    [Fact]
    public async Task Whatever_comes_twice_out_of_order_or_overlapping_is_in_the_ledger_once_and_in_order()
    {
        await using var hub = RunningHub.WithoutBroker();
        var nodes = 0;
        var piece = Gen.Select(Gen.Int[1, Written], Gen.Int[1, 12], Gen.Int[0, 9]);

        await piece.Array[0, 20].SampleAsync(async pieces =>
        {
            using var node = (await hub.EnrolAsync($"n-{Interlocked.Increment(ref nodes)}")).Write(Written, hub.Time.GetUtcNow());
            foreach (var (first, length, kind) in pieces)
            {
                if (kind == 0) await hub.TakeAsync(node, "hot", null, node.Hot(first));
                else await hub.TakeBatchAsync(node, first, Math.Min(Written, first + length - 1));
            }

            // The node sends again what was never acknowledged.
            await hub.TakeBatchAsync(node, hub.Through(node).Seq + 1 is var next and <= Written ? next : Written, Written);

            Assert.Equal(node.Bodies.Select((body, i) => (i + 1L, body)), hub.Ledger(node));
            Assert.Equal((Written, node.Head), hub.Through(node));
        }, iter: 40, threads: 1);

        Assert.Equal(0, hub.Count("divergence"));
        Assert.Empty(hub.Alarms.List());
    }

    [Fact]
    public async Task A_key_with_another_record_keeps_the_first_and_the_second_and_raises_an_alarm()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(5, hub.Time.GetUtcNow());
        using var clone = new SignedNode(node.Bundle).Write(5, hub.Time.GetUtcNow().AddSeconds(1));

        await hub.TakeBatchAsync(node, 1, 5);
        await hub.TakeBatchAsync(clone, 1, 5);
        await hub.TakeBatchAsync(clone, 1, 5);

        Assert.Equal(node.Bodies, hub.Ledger(node).Select(it => it.Body));
        Assert.Equal(5, hub.Count("divergence"));
        Assert.Equal(("record-diverged", "node-a", true), hub.Alarms.List().Select(it => (it.Class, it.Source, it.Active)).Single());
    }

    [Fact]
    public async Task Records_that_do_not_continue_what_is_stored_raise_an_alarm_also_when_they_came_first()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(10, hub.Time.GetUtcNow());
        using var clone = new SignedNode(node.Bundle).Write(10, hub.Time.GetUtcNow().AddSeconds(1));

        await hub.TakeBatchAsync(clone, 6, 10);
        Assert.Empty(hub.Alarms.List());
        await hub.TakeBatchAsync(node, 1, 5);

        Assert.Equal(10, hub.Through(node).Seq);
        Assert.Equal("record-diverged", hub.Alarms.List().Single().Class);
    }

    [Theory]
    [InlineData("no JSON")]
    [InlineData("another shape")]
    [InlineData("another stream")]
    [InlineData("too few records")]
    [InlineData("no signature")]
    [InlineData("another node's signature")]
    [InlineData("a record was changed")]
    [InlineData("an epoch of the future")]
    [InlineData("a node that is revoked")]
    public async Task What_cannot_be_believed_is_set_aside_with_its_fault_and_nothing_of_it_is_stored(string what)
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(3, hub.Time.GetUtcNow());
        using var other = (await hub.EnrolAsync("node-b")).Write(3, hub.Time.GetUtcNow().AddSeconds(1));
        var good = node.Read(1, 3);
        var payload = what switch
        {
            "no JSON" => "{\"epoch\":"u8.ToArray(),
            "another shape" => "[1,2]"u8.ToArray(),
            "another stream" => node.Sign(good with { Stream = Streams.Measurements }),
            "too few records" => node.Sign(good with { Last = 4 }),
            "no signature" => JsonSerializer.SerializeToUtf8Bytes(good with { Signature = "" }, WireJson.Plain.JournalBatch),
            "another node's signature" => other.Sign(good),
            "a record was changed" => node.Sign(good with { Records = other.Read(1, 3).Records }),
            "an epoch of the future" => node.Sign(good with { Epoch = 2_000 }),
            _ => node.Batch(1, 3),
        };
        if (what == "a node that is revoked") await hub.Nodes.RevokeAsync(RunningHub.Admin, "node-a", "board stolen");

        await hub.TakeAsync(node, "journal", Streams.Access, payload);

        var letter = Assert.Single(hub.TurnedAway.DeadLetters(10));
        Assert.Equal(("node-a", payload.Length, true), (letter.Node, (int)letter.Length, letter.Fault.Length > 0));
        Assert.Empty(hub.Ledger(node));
        Assert.Contains(hub.Alarms.List(), it => it is { Class: "dead-letter", Active: true });
    }

    [Fact]
    public async Task A_dead_letter_keeps_64_KiB_and_the_whole_length()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = await hub.EnrolAsync("node-a");

        await hub.TakeAsync(node, "journal", Streams.Access, new byte[200_000]);

        Assert.Equal(200_000, hub.TurnedAway.DeadLetters(10).Single().Length);
        Assert.Equal(65_536, hub.Store.Read(it => it.Number("select length(payload) from dead_letters")));
    }

    [Fact]
    public async Task A_payload_that_comes_again_is_counted_and_a_flood_drives_out_the_oldest()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = await hub.EnrolAsync("node-a");
        for (var i = 0; i < 3; i++) await hub.TakeAsync(node, "hot", null, "again"u8.ToArray());
        Assert.Equal([3L], hub.TurnedAway.DeadLetters(10).Select(it => it.Count));
        await hub.Store.WriteAsync(it => it.Execute(
            """
            with recursive n (i) as (select 1 union all select i + 1 from n where i < 10050)
            insert into dead_letters (received_at, last_at, topic, fault, length, hash) select 0, 0, 't', 'f', 0, 'h' || i from n
            """), TestContext.Current.CancellationToken);

        await hub.TakeAsync(node, "hot", null, "new"u8.ToArray());

        Assert.Equal(10_000, hub.Count("dead_letters"));
        Assert.Equal(3, hub.TurnedAway.DeadLetters(1).Single().Length);
    }

    [Fact]
    public async Task The_nodes_signature_over_what_is_stored_is_kept_and_proves_the_stored_chain()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(9, hub.Time.GetUtcNow());

        await hub.TakeBatchAsync(node, 1, 5);
        await hub.TakeBatchAsync(node, 1, 5);
        await hub.TakeBatchAsync(node, 2, 4);
        await hub.TakeBatchAsync(node, 4, 9);

        var kept = hub.Store.Read(it => it.Query(
            "select first, last, prev, head, signature, thumbprint from batch_signatures where source = 'node-a' and epoch = 1 and stream = 'a' order by first",
            row => (Batch: new JournalBatch(1, Streams.Access, row.GetInt64(0), row.GetInt64(1), row.GetString(2), row.GetString(3), [], row.GetString(4)), By: row.GetString(5))));
        Assert.Equal([(1L, 5L), (4L, 9L)], kept.Select(it => (it.Batch.First, it.Batch.Last)));
        Assert.All(kept, it =>
        {
            var enrolled = hub.Nodes.Find(node.Id)!;
            Assert.Equal(enrolled.Thumbprint, it.By);
            Assert.True(Signing.Verify(enrolled.Key, Signing.BatchText(RunningHub.Site, node.Id, it.Batch), it.Batch.Signature));
            var bodies = hub.Ledger(node).Where(row => row.Seq >= it.Batch.First && row.Seq <= it.Batch.Last).Select(row => row.Body);
            Assert.Equal(it.Batch.Head, bodies.Aggregate(it.Batch.Prev, Chain.Next));
        });
    }

    [Fact]
    public async Task A_late_alarm_is_shown_and_kept_and_wakes_nobody()
    {
        await using var hub = RunningHub.WithoutBroker(Webhook);
        using var node = await hub.EnrolAsync("node-a");
        var now = hub.Time.GetUtcNow();
        node.Write(Leak("leak-1"), now.AddMinutes(-5), LinkState.Down).Write(Leak("leak-2"), now);

        await hub.TakeBatchAsync(node, 1, 2);

        Assert.Equal(["node-a/leak:leak-1", "node-a/leak:leak-2"], hub.Alarms.List().Where(it => it.Active).Select(it => it.Key).Order());
        Assert.Equal([("node-a/leak:leak-1", true), ("node-a/leak:leak-2", false)], hub.Alarms.History(10).Select(it => (it.Key, it.Late)).Order());
        Assert.Equal(["node-a/leak:leak-2"], hub.Store.Read(it => it.Query("select alarm from notifications", row => row.GetString(0))));
    }

    [Theory]
    [InlineData(ClockQuality.Synced, false, -60, true)]
    [InlineData(ClockQuality.Holdover, false, -60, false)] // Its clock is a minute slow, the alarm is of now.
    [InlineData(ClockQuality.Unset, false, null, false)]
    [InlineData(ClockQuality.Holdover, true, -60, true)] // A broker kept it.
    [InlineData(ClockQuality.Holdover, false, 86_400, false)]
    public async Task A_time_makes_an_alarm_late_only_when_the_clock_is_confirmed_or_a_broker_kept_it(ClockQuality quality, bool kept, int? seconds, bool late)
    {
        await using var hub = RunningHub.WithoutBroker(Webhook);
        using var node = await hub.EnrolAsync("node-a");
        var now = hub.Time.GetUtcNow();
        node.Write(Leak("leak-1"), seconds is { } it ? now.AddSeconds(it) : null, LinkState.Up, quality);

        await hub.TakeAsync(node, "journal", Streams.Access, node.Batch(1, 1), kept);

        Assert.Equal(late ? 0 : 1, hub.Count("notifications"));
        Assert.Equal(late, hub.Alarms.History(10).Single().Late);
        Assert.True(hub.Alarms.List().Single().Since <= now);
    }

    [Fact]
    public async Task An_alarm_that_overtakes_its_batch_is_raised_once()
    {
        await using var hub = RunningHub.WithoutBroker(Webhook);
        using var node = (await hub.EnrolAsync("node-a")).Write(3, hub.Time.GetUtcNow()).Write(Leak("leak-1"), hub.Time.GetUtcNow());

        await hub.TakeAsync(node, "hot", null, node.Hot(4));
        Assert.Equal(0, hub.Through(node).Seq);
        await hub.TakeBatchAsync(node, 1, 4);

        Assert.Equal(4, hub.Through(node).Seq);
        Assert.Single(hub.Alarms.History(10));
        Assert.Equal(1, hub.Count("notifications"));
    }

    [Theory]
    [InlineData(3, 2)] // Its journal was set back: what it writes next would be written twice.
    [InlineData(5, 1)]
    public async Task A_node_that_cannot_prove_continuity_gets_a_new_epoch(long lastSeq, long epoch)
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(5, hub.Time.GetUtcNow());
        await hub.TakeBatchAsync(node, 1, 5);

        await hub.TakeAsync(node, "birth", null, node.Birth(lastSeq));

        Assert.Equal(epoch, hub.Nodes.Find(node.Id)!.Epoch);
    }

    [Fact]
    public async Task Every_act_at_the_hub_continues_one_chain()
    {
        await using var hub = RunningHub.WithoutBroker();
        foreach (var id in new[] { "node-a", "node-b" }) (await hub.EnrolAsync(id)).Dispose();
        await hub.Nodes.RevokeAsync(RunningHub.Admin, "node-b", "基板の盗難");

        var acts = hub.Store.Read(it => it.Query("select body, hash from ledger where source = 'hub' order by seq", row => (Body: row.GetString(0), Hash: row.GetString(1))));

        Assert.Equal(3, acts.Count);
        var head = Chain.Genesis;
        foreach (var act in acts) Assert.Equal(head = Chain.Next(head, act.Body), act.Hash);
        Assert.Contains("\"verb\":\"node.revoked\",\"actor\":\"tanaka\",\"role\":\"administrator\"", acts[^1].Body, StringComparison.Ordinal);
        Assert.Contains("基板の盗難", acts[^1].Body, StringComparison.Ordinal);
    }

    private static AlarmRaised Leak(string source) => new(AlarmClasses.Key(AlarmClasses.Leak, source), AlarmClasses.Leak, source, null, null, null, null);
}
