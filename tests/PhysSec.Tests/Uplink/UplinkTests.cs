using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Node;
using PhysSec.Node.Control;
using PhysSec.Node.Journal;
using PhysSec.Node.Uplink;
using PhysSec.Tests.Journal;

namespace PhysSec.Tests.Uplink;

/// <summary>The uplink against a real broker over mutual TLS.</summary>
public sealed class UplinkTests : IAsyncLifetime
{
    private readonly TestSite _site = new();
    private readonly JournalFolder _folder = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly System.Threading.Channels.Channel<Input> _inputs = System.Threading.Channels.Channel.CreateUnbounded<Input>();
    private TestHub _hub = null!;
    private JournalStore _store = null!;
    private UplinkLoop _uplink = null!;
    private Task _running = Task.CompletedTask;
    private TimeSpan? _up; // Null: as it runs.
    private string[] _faults = [];

    public async ValueTask InitializeAsync()
    {
        _hub = await TestHub.StartAsync(_site);
        _store = _folder.Open();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _hub.DisposeAsync();
        _store.Dispose();
        _site.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task It_says_what_the_node_is_and_that_it_is_there()
    {
        Start();
        await _hub.Until(() => _hub.Last.ContainsKey("birth") && _hub.Last.ContainsKey("state"));
        Assert.Equal("node-a", JsonSerializer.Deserialize(_hub.Last["birth"], WireJson.Plain.Birth)?.Node);
        Assert.Equal("online", JsonSerializer.Deserialize(_hub.Last["state"], WireJson.Plain.NodeState)?.State);
        Assert.True((await NextAsync<LinkChanged>()).Up);
    }

    [Fact]
    public async Task A_fault_is_told_when_it_comes_and_when_it_goes_not_at_the_next_round()
    {
        _up = TimeSpan.FromMinutes(1);
        Start();
        await _hub.Until(() => _hub.Last.ContainsKey("state"));
        foreach (var faults in (string[][])[["the journal cannot be written"], []])
        {
            _faults = faults;
            _up += TimeSpan.FromSeconds(1); // The round is every 15 s of this clock.
            await _hub.Until(() => JsonSerializer.Deserialize(_hub.Last["state"], WireJson.Plain.NodeState)!.Faults!.SequenceEqual(faults));
        }
    }

    [Fact]
    public async Task A_renewed_certificate_is_recorded_and_the_next_connection_is_made_with_it()
    {
        var identity = _site.Identity(_hub.Port) with { Certificate = _site.Intake(_folder.Path) };
        Start(identity);
        await _hub.Until(() => _hub.Last.ContainsKey("birth"));
        var before = _hub.Certificate;

        var pem = _site.Certify(identity.DeviceKey, TestSite.Node.Value, 2060);
        await _hub.InjectAsync(Topics.Certificate(TestSite.Site, TestSite.Node), JsonSerializer.Serialize(new NodeCertificate(pem), WireJson.Plain.NodeCertificate));
        await _hub.Until(() => _hub.Connections == 2);
        Assert.NotEqual(before, _hub.Certificate);
        Assert.Equal(identity.Certificate.Thumbprint, _hub.Certificate);
        Assert.Equal(_hub.Certificate, Assert.IsType<CertificateRenewed>((await NextAsync<Noted>()).Entry.Fact).Thumbprint);
    }

    [Fact]
    public async Task Everything_in_the_journal_reaches_the_hub_once_and_in_order()
    {
        Add(1200);
        Start();
        await _hub.Until(() => _hub.Ledger.Count == 1200);
        Add(30);
        await _hub.Until(() => _hub.Ledger.Count == 1230);
        Assert.Equal(_store.All().Select(it => it.Body), _hub.Ledger.Values);
        Assert.All(_hub.Batches, it => Assert.InRange(it.Records.Count, 1, 500));
        await AcknowledgedAsync(1230);
    }

    [Fact]
    public async Task A_lost_batch_that_the_hub_names_is_sent_again()
    {
        JournalBatch? lost = null;
        _hub.Accepts = batch => batch.First == 1 || lost is not null || (lost = batch) is null;
        Add(1200);
        Start();
        await _hub.Until(() => lost is not null);
        await _hub.AcknowledgeAsync(1, "a", new SeqRange(lost!.First, lost.Last));
        await _hub.Until(() => _hub.Ledger.Count == 1200);
        await AcknowledgedAsync(1200);
    }

    [Fact]
    public async Task After_a_break_it_goes_on_where_the_hub_has_acknowledged()
    {
        Add(40);
        Start();
        await _hub.Until(() => _hub.Ledger.Count == 40);
        await AcknowledgedAsync(40);
        var (port, ledger) = (_hub.Port, _hub.Ledger);
        await _hub.DisposeAsync();
        Add(60);
        _hub = await TestHub.StartAsync(_site, port);
        foreach (var (key, body) in ledger) _hub.Ledger[key] = body;
        await _hub.Until(() => _hub.Ledger.Count == 100);
        Assert.Equal(41, _hub.Batches.Min(it => it.First));
        Assert.Equal([true, false, true], (await _inputs.Reader.ReadAllAsync(TestContext.Current.CancellationToken)
            .Where(it => it is LinkChanged).Take(3).ToListAsync(TestContext.Current.CancellationToken)).Select(it => ((LinkChanged)it).Up));
    }

    [Fact]
    public async Task A_hub_restored_from_a_backup_is_refilled()
    {
        Add(100);
        Start();
        await _hub.Until(() => _hub.Ledger.Count == 100);
        await AcknowledgedAsync(100);
        _hub.Locked(() =>
        {
            foreach (var key in _hub.Ledger.Keys.Where(it => it.Seq > 60).ToList()) _hub.Ledger.Remove(key);
            return _hub.HubEpoch = 2;
        });
        await _hub.AcknowledgeAsync(1, "a");
        await _hub.Until(() => _hub.Ledger.Count == 100);
        await AcknowledgedAsync(100);
    }

    [Fact]
    public async Task An_acknowledgement_without_the_hubs_signature_moves_nothing()
    {
        _hub.Acknowledges = false;
        Add(10);
        Start();
        await _hub.Until(() => _hub.Ledger.Count == 10);
        using var stranger = new TestSite();
        await _hub.SayAsync(stranger.Sign(new Ack(1, 1, "a", 10, [], JournalFolder.Noon, "")));
        await _hub.SayAsync(_site.Sign(new Ack(1, 1, "a", 4, [], JournalFolder.Noon, "")));
        await AcknowledgedAsync(4);
    }

    [Fact]
    public async Task A_node_without_an_epoch_waits_for_the_hubs_and_then_sends_everything_under_it()
    {
        _store.Dispose();
        _store = _folder.Open();
        Add(3);
        _store.Acknowledge(1, "a", 99, 1);
        Assert.Equal(0, _store.Epoch);
        Start();
        await _hub.Until(() => _hub.Last.ContainsKey("birth"));
        Assert.Equal(0, JsonSerializer.Deserialize(_hub.Last["birth"], WireJson.Plain.Birth)?.Epoch);
        await _hub.SayAsync(_site.Command(Verbs.Epoch, "n-1", Wall.AddSeconds(60), ("epoch", "2")), [1, 2, 3]);
        await _hub.Until(() => _hub.Ledger.Keys.Count(it => it.Epoch == 2) == 4 && _hub.Replies.Count == 1); // A hub that this journal has never heard may also get the old keys once more.
        Assert.Equal([1, 2, 3, 4], _hub.Ledger.Keys.Where(it => it.Epoch == 2).Select(it => it.Seq).Order());
        Assert.All(_hub.Ledger.Keys, it => Assert.True(it is { Epoch: 2 } or { Epoch: 1, Seq: <= 3 }, it.ToString()));
        Assert.Equal("done", _hub.Replies[0].Outcome);
        Assert.Equal([1, 2, 3], _hub.Correlations[0]!);
    }

    [Fact]
    public async Task A_new_epoch_carries_only_what_the_hub_has_not_said_it_holds()
    {
        _hub.Acknowledges = false;
        Add(5);
        var held = _store.All()[2].Hash;
        Start();
        await _hub.Until(() => _hub.Last.ContainsKey("birth"));
        await _hub.SayAsync(_site.Command(Verbs.Epoch, "n-1", Wall.AddSeconds(60), ("epoch", "2"), ("of", "1"), ("through.a", "3"), ("head.a", held)), [1]);
        await _hub.Until(() => _hub.Replies.Count == 1);
        await _hub.Until(() => _hub.Ledger.Keys.Count(it => it.Epoch == 2) == 3);
        Assert.Equal(3, _store.State("a").Seq);
    }

    [Fact]
    public async Task A_command_reaches_the_loop_and_its_answer_the_hub()
    {
        Start();
        await _hub.Until(() => _hub.Last.ContainsKey("state"));
        await _hub.SayAsync(_site.Command(Verbs.Release, "n-1", Wall.AddSeconds(60), ("door", "door-a")), [7, 7]);
        Assert.Equal("door-a", (await NextAsync<CommandArrived>()).Command.Arguments["door"]);
        _uplink.Reply(new CommandReply("n-1", "done", null));
        await _hub.Until(() => _hub.Replies.Count == 1);
        Assert.Equal([7, 7], _hub.Correlations[0]!);

        await _hub.SayAsync(_site.Command(Verbs.Release, "n-2", Wall.AddSeconds(-1), ("door", "door-a")));
        await _hub.Until(() => _hub.Replies.Count == 2);
        Assert.Equal(("n-2", "refused"), (_hub.Replies[1].Nonce, _hub.Replies[1].Outcome));
        Assert.IsType<CommandExecuted>((await NextAsync<Noted>()).Entry.Fact);
    }

    [Fact]
    public async Task A_hub_that_is_gone_behind_a_broker_that_stands_is_not_reachable()
    {
        Start();
        await _hub.Until(() => _hub.Last.ContainsKey("state"));
        Assert.True((await NextAsync<LinkChanged>()).Up);
        foreach (var (state, up) in new[] { ("lost", false), ("online", true), ("offline", false) })
        {
            await _hub.InjectAsync(Topics.Hub(TestSite.Site), JsonSerializer.Serialize(new HubState(state, 1, [1], Wall), WireJson.Plain.HubState));
            Assert.Equal(up, (await NextAsync<LinkChanged>()).Up);
        }
    }

    [Fact]
    public async Task Garbage_from_the_broker_changes_nothing()
    {
        Start();
        await _hub.Until(() => _hub.Last.ContainsKey("state"));
        foreach (var topic in new[] { Topics.Ack(TestSite.Site, TestSite.Node), Topics.Policy(TestSite.Site, TestSite.Node), Topics.Command(TestSite.Site, TestSite.Node, "release") })
        {
            foreach (var garbage in new[] { "", "null", "[]", "{}", "{\"verb\":1}", "\u0000\u0001", new string('{', 5000) }) await _hub.InjectAsync(topic, garbage);
        }

        await _hub.SayAsync(_site.Snapshot(_site.Policy(1, JournalFolder.Noon), JournalFolder.Noon));
        Assert.Equal(1, (await NextAsync<PolicyArrived>()).Policy.Version);
    }

    [Fact]
    public async Task A_broker_that_speaks_no_MQTT_ends_the_connection_and_never_the_loop()
    {
        byte[] accepted = [0x20, 0x03, 0x00, 0x00, 0x00];
        byte[][] garbage =
        [
            [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], // No packet has such a length.
            [0x20, 0x00], // CONNACK without its fields.
            [0x20, 0x02, 0x00, 0xEE], // … with a reason that does not exist.
            [0x00, 0x00], // A reserved packet type.
            [.. accepted, 0x30, 0x05, 0x00, 0xFF, 0x61, 0x62, 0x63], // PUBLISH whose topic is longer than the packet.
            [.. accepted, 0x90, 0x01, 0x00], // SUBACK cut short.
            "HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray(),
        ];
        await using var server = new ForeignServer(_site.HubCertificate, garbage);
        Start(_site.Identity(server.Port));
        await server.AllTold.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        var port = server.Port;
        await server.DisposeAsync();
        Assert.False(_running.IsCompleted);

        await using var hub = await TestHub.StartAsync(_site, port);
        await hub.Until(() => hub.Last.ContainsKey("birth"));
    }

    [Fact]
    public async Task Nothing_that_is_said_on_its_topics_ends_the_link()
    {
        Start();
        await _hub.Until(() => _hub.Last.ContainsKey("state"));
        string[] channels = ["ack", "policy", "certificate", "command/release", "command/", "nothing"];
        string[] payloads =
        [
            "", "null", "{}", "[]", "7", "\"text\"", "{\"signature\":null}", "{\"version\":1e400}", "\0\u0001", new string('[', 5000),
            "{\"certificate\":null}", "{\"certificate\":\"\"}", "{\"certificate\":\"-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\"}",
            """{"hubEpoch":1,"epoch":1,"stream":null,"through":1,"resend":null,"hubTime":"2026-01-01T00:00:00Z","signature":"AAAA"}""",
            """{"version":1,"base":null,"hash":null,"at":"2026-01-01T00:00:00Z","body":null,"signature":null}""",
            """{"verb":"release","nonce":null,"notAfter":"2026-01-01T00:00:00Z","actor":null,"reason":null,"arguments":null,"signature":"AAAA"}""",
            """{"verb":"release","nonce":"n","notAfter":"2026-01-01T00:00:00Z","actor":"a","reason":"r","arguments":{"door":null},"signature":"AAAA"}""",
        ];
        foreach (var channel in channels)
            foreach (var payload in payloads) await _hub.InjectAsync($"physsec/1/{TestSite.Site}/{TestSite.Node}/{channel}".TrimEnd('/'), payload);
        await _hub.InjectAsync(Topics.Hub(TestSite.Site), "null");
        await _hub.SayAsync(_site.Snapshot(_site.Policy(1, JournalFolder.Noon), JournalFolder.Noon));
        Assert.Equal(1, (await NextAsync<PolicyArrived>()).Policy.Version);
        Assert.Equal(1, _hub.Connections);
    }

    [Fact]
    public async Task Policies_that_are_refused_fill_no_journal()
    {
        Start();
        await _hub.Until(() => _hub.Last.ContainsKey("state"));
        var forged = _site.Snapshot(_site.Policy(7, JournalFolder.Noon), JournalFolder.Noon) with { Signature = "Zm9yZ2Vk" };
        for (var i = 0; i < 50; i++) await _hub.SayAsync(forged with { Version = i });
        await _hub.SayAsync(_site.Sign(forged with { Hash = "another" })); // Something else, and from the hub: it must not drown.
        await _hub.SayAsync(_site.Snapshot(_site.Policy(1, JournalFolder.Noon), JournalFolder.Noon));

        var refusals = new List<string>();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (await _inputs.Reader.ReadAsync(limit.Token) is var input && input is not PolicyArrived)
            if (input is PolicyRejected refused) refusals.Add(refused.Fault);
        Assert.Equal(["the signature is not this site's hub's, or not for this node", "the body does not fit the hash"], refusals);
    }

    [Fact]
    public async Task An_alarm_overtakes_a_backlog()
    {
        _hub.Acknowledges = false;
        Start();
        await _hub.Until(() => _hub.Last.ContainsKey("state"));
        Add(10);
        await _hub.Until(() => _hub.Batches.Count > 0);
        _uplink.Committed(_store.Add(1, [.. Enumerable.Range(0, 4000).Select(_ => JournalFolder.Opened())]));
        var alarm = _store.Add(2, new Entry(Streams.Access, new AlarmRaised("leak:leak", "leak", "leak", null, null, null, null), Hot: true));
        _uplink.Committed(alarm);
        await _hub.Until(() => _hub.Hot.Count == 1);
        Assert.Equal(alarm[0].Body, _hub.Hot[0].Record.GetRawText());
        using var key = _site.NodeCertificate.GetECDsaPublicKey()!;
        Assert.True(Signing.Verify(key, Signing.HotText(TestSite.Site, TestSite.Node, _hub.Hot[0].Prev, alarm[0].Hash), _hub.Hot[0].Signature));
    }

    [Fact]
    public async Task The_end_of_an_alarm_overtakes_a_backlog_only_after_its_beginning()
    {
        _hub.Acknowledges = false;
        Start();
        await _hub.Until(() => _hub.Last.ContainsKey("state"));
        Add(10);
        await _hub.Until(() => _hub.Batches.Count > 0);
        _uplink.Committed(_store.Add(1, [.. Enumerable.Range(0, 4000).Select(_ => JournalFolder.Opened())]));
        _uplink.Committed(_store.Add(2, new Entry(Streams.Access, new AlarmCleared("door-forced:door-a", "door-forced", "door-a", null, null), Hot: true))); // Its beginning waits in the backlog.
        var raised = _store.Add(3, new Entry(Streams.Access, new AlarmRaised("leak:leak", "leak", "leak", null, null, null, null), Hot: true));
        _uplink.Committed(raised);
        var cleared = _store.Add(4, new Entry(Streams.Access, new AlarmCleared("leak:leak", "leak", "leak", null, null), Hot: true));
        _uplink.Committed(cleared);
        await _hub.Until(() => _hub.Hot.Count >= 2);
        Assert.Equal([raised[0].Body, cleared[0].Body], _hub.Hot.Select(it => it.Record.GetRawText()));
    }

    [Fact]
    public async Task A_live_value_is_plain_json()
    {
        Start();
        await _hub.Until(() => _hub.Last.ContainsKey("state"));
        _uplink.Publish(new Live(new("room.temperature"), 24.5, "good", "°C"));
        _uplink.Publish(new Live(new("mains"), true, "good", "bool"));
        _uplink.Publish(new Live(new("room.humidity"), null, "fault", "%RH"));
        await _hub.Until(() => _hub.Last.ContainsKey("live/room.humidity") && _hub.Last.ContainsKey("live/mains"));
        Assert.StartsWith("{\"v\":24.5,\"quality\":\"good\",\"at\":\"", _hub.Last["live/room.temperature"], StringComparison.Ordinal);
        Assert.StartsWith("{\"v\":true,", _hub.Last["live/mains"], StringComparison.Ordinal);
        Assert.StartsWith("{\"v\":null,\"quality\":\"fault\"", _hub.Last["live/room.humidity"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stop_says_offline_and_a_cut_says_lost()
    {
        Start();
        await _hub.Until(() => _hub.Last.ContainsKey("state"));
        await StopAsync();
        await _hub.Until(() => _hub.Last["state"].Contains("\"offline\"", StringComparison.Ordinal));
        var will = HubConnection.Options(_site.Identity(_hub.Port), new NodeState("lost", "boot-1", 1, null), () => true);
        Assert.True(will.WillRetain);
        Assert.Equal("lost", JsonSerializer.Deserialize(will.WillPayload, WireJson.Plain.NodeState)?.State);
    }

    [Fact]
    public async Task A_broker_of_another_authority_or_name_is_never_spoken_to()
    {
        using var stranger = new TestSite();
        await using var other = await TestHub.StartAsync(stranger);
        Start(_site.Identity(other.Port) with { Hub = new HubAddress("127.0.0.1", other.Port, "localhost") });
        await StopAfterFailuresAsync();
        Assert.Equal(0, other.Connections);
        Assert.Contains("no link", string.Join('\n', _log.Lines), StringComparison.Ordinal);
    }

    private readonly LineLog _log = new();

    private static DateTimeOffset Wall => TimeProvider.System.GetUtcNow();

    private async Task StopAfterFailuresAsync()
    {
        await Eventually.TrueAsync(() => !_log.Lines.IsEmpty);
        await StopAsync();
    }

    private void Start(UplinkIdentity? identity = null)
    {
        var policies = new PolicyIntake(TestSite.Site, TestSite.Node, _site.HubKey, () => _store);
        var commands = new CommandIntake(TestSite.Site, TestSite.Node, _site.HubKey, () => _store);
        var view = new NodeView(
            () => _store,
            () => new Birth(1, "node-a", "0.1.0", "test", true, _store.Epoch, "boot-1", _store.State("a").Seq, _store.State("a").Hash, 0, [], [], Wall),
            () => new NodeState("online", "boot-1", _store.Epoch, Wall, _faults),
            () => new Stamp(Wall, _up ?? TimeProvider.System.GetElapsedTime(0), "boot-1", ClockQuality.Synced, LinkState.Up),
            it => _inputs.Writer.TryWrite(it),
            new Dictionary<PointId, double> { [new("room.temperature")] = 1 });
        _uplink = new(identity ?? _site.Identity(_hub.Port), policies, commands, view, TimeProvider.System, () => 0.05, _log);
        _running = _uplink.RunAsync(_stop.Token);
    }

    private async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    private void Add(int count)
    {
        var stored = _store.Add(1, [.. Enumerable.Range(0, count).Select(_ => JournalFolder.Opened())]);
        if (_running != Task.CompletedTask) _uplink.Committed(stored);
    }

    private async Task<T> NextAsync<T>() where T : Input
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            if (await _inputs.Reader.ReadAsync(limit.Token) is T found) return found;
        }
    }

    private Task AcknowledgedAsync(long through) => Eventually.TrueAsync(() => _store.State("a").Acknowledged == through);
}
