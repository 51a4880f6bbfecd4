using System.Text;
using System.Text.Json;
using PhysSec.Core.Alarms;
using PhysSec.Core.Wire;
using PhysSec.Hub.Storage;

namespace PhysSec.Tests.Ingest;

/// <summary>Nothing that a payload says may come back to the broker as "not stored": Mosquitto would give it again for ever, and every other node would wait behind it.</summary>
public sealed class HostilePayloadTests
{
    [Theory]
    [InlineData("records without an end")]
    [InlineData("records that begin at the end of all numbers")]
    [InlineData("a text that is no UTF-8")]
    [InlineData("a record that is no UTF-8")]
    [InlineData("a birth with the last policy of all")]
    [InlineData("a birth with the last record of all")]
    public async Task An_unsigned_message_is_set_aside_and_the_next_node_is_heard(string what)
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(2, hub.Time.GetUtcNow());
        using var other = (await hub.EnrolAsync("node-b")).Write(2, hub.Time.GetUtcNow());
        var good = node.Read(1, 2);
        var (channel, payload) = what switch
        {
            "records without an end" => ("journal", Bytes(good with { Last = -long.MaxValue - 1 })),
            "records that begin at the end of all numbers" => ("journal", node.Sign(good with { First = long.MaxValue, Last = long.MaxValue, Records = [good.Records[0]] })),
            "a text that is no UTF-8" => ("hot", Spoilt(node.Hot(1), "boot")),
            "a record that is no UTF-8" => ("journal", Spoilt(node.Batch(1, 2), "boot")),
            "a birth with the last policy of all" => ("birth", node.Birth(0, policy: long.MaxValue)),
            _ => ("birth", Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(node.Birth(0)).Replace("\"lastSeqAccess\":0", $"\"lastSeqAccess\":{long.MaxValue}", StringComparison.Ordinal))),
        };

        await hub.TakeAsync(node, channel, channel == "journal" ? Streams.Access : null, payload);
        await hub.TakeBatchAsync(other, 1, 2);

        Assert.Equal("node-a", Assert.Single(hub.TurnedAway.DeadLetters(10)).Node);
        Assert.Equal(2, hub.Through(other).Seq);
    }

    [Fact]
    public async Task A_stretch_that_was_thinned_without_an_end_moves_nothing()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = (await hub.EnrolAsync("node-a")).Write(new MeasurementsThinned(1, long.MaxValue, "disk"), hub.Time.GetUtcNow()).Write(1, hub.Time.GetUtcNow());

        await hub.TakeBatchAsync(node, 1, 2);
        await hub.TakeBatchAsync(node, 1, 2);

        Assert.Equal(2, hub.Through(node).Seq);
        Assert.Equal(0, hub.Store.Read(it => it.Number("select coalesce(max(through), 0) from streams where stream = 'm'")));
        Assert.Empty(hub.TurnedAway.DeadLetters(10));
    }

    [Fact]
    public async Task An_alarm_with_a_value_that_no_number_holds_is_raised_without_the_value()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = await hub.EnrolAsync("node-a");
        node.Write(new AlarmRaised(AlarmClasses.Key(AlarmClasses.Leak, "leak-1"), AlarmClasses.Leak, "leak-1", 777, null, "V", null), hub.Time.GetUtcNow());
        var body = node.Bodies[0].Replace("777", "1e999", StringComparison.Ordinal);
        using var loud = new SignedNode(node.Bundle).Write(body);

        await hub.TakeBatchAsync(loud, 1, 1);

        Assert.Equal((1, body), hub.Ledger(node).Single());
        Assert.Equal((true, null), hub.Alarms.List().Select(it => (it.Active, it.Value)).Single());
    }

    [Theory]
    [InlineData("a kind of a newer firmware", "\"kind\":\"door.exit-request\"", "\"kind\":\"door.sang\"")]
    [InlineData("a field that is missing", "\"boot\":\"boot\",", "")]
    [InlineData("another place than its own", "\"seq\":2", "\"seq\":7")]
    [InlineData("a name that is no text", "\"door\":\"door-a\"", "\"door\":7")]
    [InlineData("no object", null, "[]")]
    public async Task A_signed_record_that_is_not_understood_is_stored_as_it_came_and_said_and_the_stream_goes_on(string what, string? from, string to)
    {
        await using var hub = RunningHub.WithoutBroker();
        using var plain = (await hub.EnrolAsync("node-a")).Write(3, hub.Time.GetUtcNow());
        var body = from is null ? to : plain.Bodies[1].Replace(from, to, StringComparison.Ordinal);
        using var node = new SignedNode(plain.Bundle).Write(plain.Bodies[0]).Write(body).Write(plain.Bodies[2]);

        if (what == "a kind of a newer firmware") await hub.TakeAsync(node, "hot", null, node.Hot(2));
        await hub.TakeBatchAsync(node, 1, 3);
        await hub.TakeBatchAsync(node, 1, 3);

        Assert.NotEqual(plain.Bodies[1], body);
        Assert.Equal((3, node.Head), hub.Through(node));
        Assert.Equal(node.Bodies, hub.Ledger(node).Select(it => it.Body));
        Assert.Equal(["door.exit-request", "unknown", "door.exit-request"], hub.Store.Read(it => it.Query("select kind from ledger where source = 'node-a' order by seq", row => row.GetString(0))));
        Assert.Empty(hub.TurnedAway.DeadLetters(10));
        Assert.Contains("record 1/a/2", hub.Alarms.List().Single(it => it is { Class: "dead-letter", Source: "node-a", Active: true }).Detail!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reason_that_only_a_newer_firmware_knows_keeps_the_time_of_its_record()
    {
        await using var hub = RunningHub.WithoutBroker();
        using var node = await hub.EnrolAsync("node-a");
        var at = hub.Time.GetUtcNow().AddHours(-2);
        node.Write($$"""{"epoch":1,"stream":"a","seq":1,"at":"{{at:O}}","up":1,"boot":"b","clock":"Synced","link":"Down","fact":{"kind":"access.denied","reason":"fullMoon""" + "\"}}");

        await hub.TakeBatchAsync(node, 1, 1);

        Assert.Equal((Rows.ToStored(at), 1, "unknown"), hub.Store.Read(it => it.Query(
            "select at, late, kind from ledger where source = 'node-a'", row => (row.GetInt64(0), (int)row.GetInt64(1), row.GetString(2))).Single()));
    }

    private static byte[] Bytes(JournalBatch batch) => JsonSerializer.SerializeToUtf8Bytes(batch, WireJson.Plain.JournalBatch);

    // 0xFF stands in no UTF-8 text.
    private static byte[] Spoilt(byte[] payload, string at)
    {
        payload[payload.AsSpan().IndexOf(Encoding.UTF8.GetBytes(at))] = 0xFF;
        return payload;
    }
}
