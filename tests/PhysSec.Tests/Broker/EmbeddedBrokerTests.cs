using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json;
using MQTTnet;
using MQTTnet.Protocol;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Hub.Broker;
using PhysSec.Hub.Fleet;
using PhysSec.Hub.Storage;
using PhysSec.Tests.Ingest;
using PhysSec.Tests.Uplink;

namespace PhysSec.Tests.Broker;

public sealed class EmbeddedBrokerTests
{
    private static readonly SiteId _site = RunningHub.Site;

    [Fact]
    public async Task A_batch_is_in_the_ledger_when_its_puback_comes_and_the_ack_is_signed_and_names_the_hole()
    {
        await using var hub = await RunningHub.StartAsync();
        using var node = (await hub.EnrolAsync("node-a")).Write(15, hub.Time.GetUtcNow());
        await using var visitor = await Visitor.ComeAsync(hub, node);
        await visitor.SubscribeAsync(Topics.Ack(_site, node.Id));
        var topic = Topics.Journal(_site, node.Id, Streams.Access);

        await visitor.PublishAsync(topic, node.Batch(1, 5));
        Assert.Equal(5, hub.Ledger(node).Count);
        await visitor.PublishAsync(topic, node.Batch(11, 15));
        await visitor.PublishAsync(topic, node.Batch(6, 10));
        await Eventually.TrueAsync(() => visitor.Received.Count == 3);

        var acks = visitor.Received.Select(it => JsonSerializer.Deserialize(it.Payload, WireJson.Plain.Ack)!).ToList();
        Assert.Equal([(5L, ""), (5L, "6-10"), (15L, "")], acks.Select(it => (it.Through, string.Join(',', it.Resend.Select(hole => $"{hole.First}-{hole.Last}")))));
        using var key = ECDsa.Create();
        key.ImportFromPem(node.Bundle.HubKeyPem);
        Assert.All(acks, it => Assert.True(Signing.Verify(key, Signing.AckText(_site, node.Id, it), it.Signature)));
    }

    [Theory]
    [InlineData("no certificate", "stranger")]
    [InlineData("another authority's certificate", "node-a")]
    [InlineData("another node's certificate", "node-a")]
    [InlineData("a revoked node's certificate", "node-c")]
    [InlineData("an observer's certificate", "node-a")]
    [InlineData("an observer's certificate", "hub")]
    [InlineData("a server's certificate", "node-a")]
    public async Task Whoever_is_not_that_node_is_refused_and_on_record(string with, string clientId)
    {
        await using var hub = await RunningHub.StartAsync();
        using var node = await hub.EnrolAsync("node-a");
        using var other = await hub.EnrolAsync("node-b");
        using var revoked = await hub.EnrolAsync("node-c");
        await hub.Nodes.RevokeAsync(RunningHub.Admin, "node-c", "stolen");
        await using var rightful = await Visitor.ComeAsync(hub, node);
        using var elsewhere = Directory.CreateTempSubdirectory("physsec-ca-") is var folder ? Authority.Open(folder.FullName, "city", hub.Time.GetUtcNow()) : null;
        var (certificate, key) = with switch
        {
            "no certificate" => (null, null),
            "another authority's certificate" => Pair(elsewhere!.Issue("node-a", Kinds.Node, hub.Time.GetUtcNow())),
            "another node's certificate" => (other.Bundle.CertificatePem, other.Bundle.KeyPem),
            "a revoked node's certificate" => (revoked.Bundle.CertificatePem, revoked.Bundle.KeyPem),
            "an observer's certificate" => Pair(hub.Home.Authority.Issue("observer.tool", Kinds.Observer, hub.Time.GetUtcNow())),
            _ => Pair(hub.Home.Authority.Issue("localhost", Kinds.Broker, hub.Time.GetUtcNow())),
        };

        await using var visitor = await Visitor.ComeAsync(hub, clientId, certificate, key);

        Assert.Null(visitor);
        await Eventually.TrueAsync(() => hub.TurnedAway.Refusals(10).Count == 1);
        await Eventually.TrueAsync(() => hub.Alarms.List().Any(it => it is { Class: "stranger-at-broker", Active: true }));
        Assert.True(rightful.Connected);
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Bytes_that_are_no_TLS_are_counted()
    {
        await using var hub = await RunningHub.StartAsync();
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", hub.Port, TestContext.Current.CancellationToken);
        await client.GetStream().WriteAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);

        await Eventually.TrueAsync(() => hub.TurnedAway.Refusals(10).Any(it => it.Fault.StartsWith("the TLS handshake failed", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_node_writes_and_reads_below_its_own_name_only()
    {
        await using var hub = await RunningHub.StartAsync();
        using var node = await hub.EnrolAsync("node-a");
        using var other = (await hub.EnrolAsync("node-b")).Write(1, hub.Time.GetUtcNow());
        await using var visitor = await Visitor.ComeAsync(hub, node);

        foreach (var topic in new[] { Topics.Journal(_site, other.Id, Streams.Access), Topics.Hub(_site), Topics.Policy(_site, node.Id), Topics.Birth(new("town"), node.Id), "elsewhere" })
            Assert.Equal(MqttClientPublishReasonCode.NotAuthorized, await visitor.PublishAsync(topic, other.Batch(1, 1)));
        foreach (var filter in new[] { Topics.Policy(_site, other.Id), "#", Topics.HubReads(_site)[0], "$SYS/#" })
            Assert.Equal(MqttClientSubscribeResultCode.NotAuthorized, await visitor.SubscribeAsync(filter));
        foreach (var filter in Topics.NodeReads(_site, node.Id)) Assert.Equal(MqttClientSubscribeResultCode.GrantedQoS1, await visitor.SubscribeAsync(filter));

        Assert.Empty(hub.Ledger(other));
        await Eventually.TrueAsync(() => hub.TurnedAway.Refusals(20).Count == 9);
    }

    [Fact]
    public async Task An_observer_sees_live_values_and_never_records_or_commands_and_says_nothing()
    {
        await using var hub = await RunningHub.StartAsync();
        using var node = (await hub.EnrolAsync("node-a")).Write(1, hub.Time.GetUtcNow());
        var pass = hub.Home.Authority.Issue("observer.tool", Kinds.Observer, hub.Time.GetUtcNow());
        await using var visitor = await Visitor.ComeAsync(hub, node);
        await visitor.PublishAsync(Topics.Birth(_site, node.Id), node.Birth(0));
        await using var observer = await Visitor.ComeAsync(hub, "mosq-1", pass.CertificatePem, pass.KeyPem);
        var live = Topics.Live(_site, node.Id, new("rack.temperature"));

        Assert.NotNull(observer);
        Assert.Equal(MqttClientSubscribeResultCode.GrantedQoS1, await observer.SubscribeAsync(Topics.Live(_site, node.Id, new("+"))));
        Assert.Equal(MqttClientSubscribeResultCode.NotAuthorized, await observer.SubscribeAsync(Topics.Journal(_site, node.Id, "+")));
        Assert.Equal(MqttClientSubscribeResultCode.NotAuthorized, await observer.SubscribeAsync("physsec/1/#"));
        Assert.Equal(MqttClientPublishReasonCode.NotAuthorized, await observer.PublishAsync(live, "{}"u8.ToArray()));
        Assert.Equal(MqttClientSubscribeResultCode.NotAuthorized, await observer.SubscribeAsync(Topics.Live(_site, node.Id, new("door-a.door"))));
        await visitor.PublishAsync(Topics.Journal(_site, node.Id, Streams.Access), node.Batch(1, 1));
        await visitor.PublishAsync(
            Topics.Live(_site, node.Id, new("door-a.door")), """{"v":{"persons":["p-sato"]},"quality":"good","at":null,"unit":""}"""u8.ToArray(), MqttQualityOfServiceLevel.AtMostOnce);
        await visitor.PublishAsync(live, """{"v":21.5,"quality":"good","at":null,"unit":"Cel"}"""u8.ToArray(), MqttQualityOfServiceLevel.AtMostOnce);

        await Eventually.TrueAsync(() => !observer.Received.IsEmpty);
        Assert.Equal(live, observer.Received.Single().Topic);
    }

    [Fact]
    public async Task Ten_megabytes_are_acknowledged_set_aside_and_hurt_nobody()
    {
        await using var hub = await RunningHub.StartAsync();
        using var node = (await hub.EnrolAsync("node-a")).Write(3, hub.Time.GetUtcNow());
        await using var visitor = await Visitor.ComeAsync(hub, node);
        var topic = Topics.Journal(_site, node.Id, Streams.Access);

        Assert.Equal(MqttClientPublishReasonCode.Success, await visitor.PublishAsync(topic, new byte[10_000_000]));
        Assert.Equal(MqttClientPublishReasonCode.Success, await visitor.PublishAsync(topic, node.Batch(1, 3)));

        Assert.Equal(10_000_000, hub.TurnedAway.DeadLetters(10).Single().Length);
        Assert.Equal(3, hub.Ledger(node).Count);
    }

    [Fact]
    public async Task Revoking_a_node_ends_its_session_at_once()
    {
        await using var hub = await RunningHub.StartAsync();
        using var node = await hub.EnrolAsync("node-a");
        await using var visitor = await Visitor.ComeAsync(hub, node);

        await hub.Nodes.RevokeAsync(RunningHub.Admin, "node-a", "board stolen");

        await Eventually.TrueAsync(() => !visitor.Connected);
        Assert.Null(await Visitor.ComeAsync(hub, "node-a", node.Bundle.CertificatePem, node.Bundle.KeyPem));
    }

    [Fact]
    public async Task A_release_is_on_record_before_it_is_sent_and_its_outcome_after()
    {
        await using var hub = await RunningHub.StartAsync();
        using var node = await hub.EnrolAsync("node-a");
        await hub.Get<Hub.Access.Zones>().PutAsync(RunningHub.Admin, new("room", "室", "Room", 1, 72, Core.Access.Assurance.Low, Core.Access.JournalFaultRule.Refuse), cancel: TestContext.Current.CancellationToken);
        await hub.Get<Hub.Access.Doors>().PutAsync(RunningHub.Admin, new("door-a", "node-a", "room", "扉", "Door", 5, 15, 20, 10, Core.Access.Assurance.Low), cancel: TestContext.Current.CancellationToken);
        await using var visitor = await Visitor.ComeAsync(hub, node);
        await visitor.SubscribeAsync(Topics.NodeReads(_site, node.Id)[1]);

        var release = hub.Commands.ReleaseAsync(RunningHub.Admin, "door-a", "業者の立会い");
        await Eventually.TrueAsync(() => !visitor.Received.IsEmpty);
        var command = JsonSerializer.Deserialize(visitor.Received.Single().Payload, WireJson.Plain.Command)!;
        Assert.Equal("hub.door.release", Acts(hub)[^1]);
        await visitor.PublishAsync(Topics.Reply(_site, node.Id), JsonSerializer.SerializeToUtf8Bytes(new CommandReply(command.Nonce, "done", null), WireJson.Plain.CommandReply));

        Assert.Equal(new CommandResult("done", null), await release);
        Assert.Equal("hub.door.release-outcome", Acts(hub)[^1]);
        using var key = ECDsa.Create();
        key.ImportFromPem(node.Bundle.HubKeyPem);
        Assert.True(Signing.Verify(key, Signing.CommandText(_site, node.Id, command), command.Signature));
        Assert.Equal((Verbs.Release, "tanaka", "業者の立会い", hub.Time.GetUtcNow().AddSeconds(5)), (command.Verb, command.Actor, command.Reason, command.NotAfter));
    }

    [Theory]
    [InlineData("1732: OpenSSL Error[0]: error:0A0000C7:SSL routines::peer did not return a certificate", true)]
    [InlineData("1732: OpenSSL Error[0]: error:0A000126:SSL routines::unexpected eof while reading", false)] // A client of ours that was killed.
    [InlineData("1732: Client <unknown> disconnected due to protocol error.", true)]
    [InlineData("1732: Denied PUBLISH from tool-1 (d0, q1, r0, m1, 'physsec/1/x/y/state', ... (2 bytes))", true)]
    [InlineData("1732: New client connected from 127.0.0.1:1 as node-1 (p5, c1, k15).", false)]
    public void A_mosquitto_that_refuses_somebody_says_so_in_its_log(string line, bool refusal) => Assert.Equal(refusal, BrokerLog.Refusal(line) is not null);

    private static (string?, string?) Pair(Issued it) => (it.CertificatePem, it.KeyPem);

    private static List<string> Acts(RunningHub hub) => hub.Store.Read(it => it.Query("select kind from ledger where source = 'hub' order by seq", row => row.GetString(0)));
}
