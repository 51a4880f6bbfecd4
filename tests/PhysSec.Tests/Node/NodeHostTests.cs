using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging;
using PhysSec.Core.Access;
using PhysSec.Core.Wire;
using PhysSec.Node;
using PhysSec.Node.Commissioning;
using PhysSec.Node.Health;
using PhysSec.Node.Journal;
using PhysSec.Tests.Hardware;
using PhysSec.Tests.Uplink;

namespace PhysSec.Tests.Node;

/// <summary>A node in a room with a hub: drivers, loop, journal and wire together.</summary>
public sealed class NodeHostTests : IAsyncLifetime
{
    private readonly TestSite _site = new();
    private readonly RunningRoom _room = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("physsec-node-");
    private readonly NodeLog _log = new();
    private TestHub _hub = null!;

    public async ValueTask InitializeAsync() => _hub = await TestHub.StartAsync(_site);

    public async ValueTask DisposeAsync()
    {
        await _hub.DisposeAsync();
        await _room.DisposeAsync();
        _site.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_card_in_the_policy_opens_the_door_and_the_hub_hears_of_it()
    {
        await using var node = await StartAsync();
        await GivePolicyAsync(1);
        await _room.SayAsync("badge bob");
        await _hub.Until(() => Facts<AccessGranted>().Count > 0);
        await Eventually.TrueAsync(() => LockReleased());
        Assert.Equal("p-sato", Facts<AccessGranted>()[0].Person.Value);

        await _room.SayAsync("badge alice");
        await _hub.Until(() => Facts<AccessDenied>().Count > 0);
        Assert.Equal(DenialReason.UnknownCredential, Facts<AccessDenied>()[0].Reason);
    }

    [Fact]
    public async Task What_the_installer_asks_comes_true_with_policy_and_hub_and_names_the_door_in_use()
    {
        await using var node = await StartAsync();
        await Eventually.TrueAsync(() => Health() is { JournalOpen: true, PolicyVersion: 0 });
        await GivePolicyAsync(1);
        await Eventually.TrueAsync(() => Health() is { PolicyVersion: 1, HubAcknowledged: true, Simulated: true, Doors: [{ Idle: true }] });
        await _room.SayAsync("badge bob");
        await Eventually.TrueAsync(LockReleased);
        await _room.SayAsync("open");
        await Eventually.TrueAsync(() => Health()!.Busy() is [var busy] && busy.EndsWith("is open", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_person_who_goes_through_is_inside_until_the_exit_badge()
    {
        await using var node = await StartAsync();
        await GivePolicyAsync(1);
        foreach (var (side, inside) in new[] { ("in", 1), ("out", 0) })
        {
            await _room.SayAsync($"badge bob {side}");
            await Eventually.TrueAsync(LockReleased);
            await _room.SayAsync("open");
            await Eventually.TrueAsync(() => !LockReleased());
            await _room.SayAsync("close");
            await _hub.Until(() => Facts<Passage>().Exists(it => it.InsideAfter == inside && it.Direction.ToString() == (side == "in" ? "In" : "Out")));
            await _hub.Until(() => Facts<DoorChanged>()[^1].To == PhysSec.Core.Doors.DoorPhase.Locked);
        }
    }

    [Fact]
    public async Task Without_a_policy_every_card_is_refused()
    {
        await using var node = await StartAsync();
        await _room.SayAsync("badge bob");
        await _hub.Until(() => Facts<AccessDenied>().Count > 0);
        Assert.Equal(DenialReason.NoPolicy, Facts<AccessDenied>()[0].Reason);
        Assert.False(LockReleased());
    }

    [Fact]
    public async Task With_the_hub_gone_the_last_policy_holds_over_a_restart_and_everything_arrives_in_the_end()
    {
        await using (await StartAsync()) await GivePolicyAsync(1);
        var (port, ledger) = (_hub.Port, _hub.Ledger);
        await _hub.DisposeAsync();

        await using (await StartAsync(port))
        {
            await _room.SayAsync("badge bob");
            await Eventually.TrueAsync(LockReleased);
        }

        Assert.False(LockReleased());
        _hub = await TestHub.StartAsync(_site, port);
        foreach (var (key, body) in ledger) _hub.Ledger[key] = body;
        await using (await StartAsync(port))
        {
            await _hub.Until(() => Facts<AccessGranted>().Count > 0 && Facts<NodeStarted>().Count == 3);
            Assert.Equal(["none", "stopped", "stopped"], Facts<NodeStarted>().Select(it => it.Previous));
        }
    }

    /// <summary>A policy is kept before it is recorded; power may go in between.</summary>
    [Fact]
    public async Task A_policy_that_the_last_run_kept_and_could_not_record_any_more_is_put_on_record_once()
    {
        await using (await StartAsync()) await _hub.Until(() => Facts<NodeStarted>().Count == 1);
        var now = TimeProvider.System.GetUtcNow();
        var kept = _site.Snapshot(_site.Policy(1, now), now);
        using (var journal = JournalStore.Open(Path.Combine(_folder.FullName, "state"), 1)) journal.Put("policy", JsonSerializer.Serialize(kept, WireJson.Plain.PolicyMessage));
        await using (await StartAsync()) await _hub.Until(() => Facts<PolicyApplied>().Count == 1);
        await using (await StartAsync()) await _hub.Until(() => Facts<NodeStarted>().Count == 3 && Facts<NodeStopped>().Count == 2);
        var on = Assert.Single(Facts<PolicyApplied>());
        Assert.Equal((1L, kept.Hash), (on.Version, on.Hash));
    }

    [Fact]
    public async Task What_an_installer_has_proved_is_put_on_record_once_and_a_foreign_or_changed_proof_never()
    {
        var proof = new CommissioningResult(
            CommissioningResult.Version, "city", "node-a", "one-room", new string('a', 64), true, "0.1.0", "佐藤", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, false,
            [new("contactMoves:door-a.contact", Outcome.Passed, "open", null, DateTimeOffset.UnixEpoch), new("exitByButton:door-a.lock", Outcome.Failed, null, "broken", DateTimeOffset.UnixEpoch)]);
        var commissionings = Directory.CreateDirectory(Path.Combine(_folder.FullName, "state", "commissioning")).FullName;
        await File.WriteAllTextAsync(Path.Combine(commissionings, "commissioning-1.json"), proof.Sign(_site.NodeCertificate.GetECDsaPrivateKey()!), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(commissionings, "commissioning-2.json"), (proof with { Installer = "mallory" }).Sign(_site.HubKey), TestContext.Current.CancellationToken);
        await using (await StartAsync()) await _hub.Until(() => Facts<BoardCommissioned>().Count == 1);
        await using (await StartAsync()) await _hub.Until(() => Facts<NodeStarted>().Count == 2 && Facts<NodeStopped>().Count == 1);
        var on = Assert.Single(Facts<BoardCommissioned>());
        Assert.Equal(("佐藤", false, "exitByButton:door-a.lock"), (on.Installer, on.Complete, Assert.Single(on.Open)));

        await File.AppendAllTextAsync(Path.Combine(commissionings, "commissioning-3.json"), proof.Sign(_site.NodeCertificate.GetECDsaPrivateKey()!).Replace("false", "true", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        await using (await StartAsync()) await _hub.Until(() => Facts<NodeStarted>().Count == 3);
        Assert.Single(Facts<BoardCommissioned>());
        Assert.Contains(_log.Lines, it => it.Contains("is not believed", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_the_room_does_is_on_the_wire_as_plain_json()
    {
        await using var node = await StartAsync();
        await _hub.Until(() => _hub.Last.ContainsKey("live/room.temperature"));
        var value = JsonSerializer.Deserialize(_hub.Last["live/room.temperature"], WireJson.Plain.LiveValue)!;
        Assert.InRange(value.V.GetDouble(), 10, 40);
        Assert.Equal(("good", "°C"), (value.Quality, value.Unit));
        var birth = JsonSerializer.Deserialize(_hub.Last["birth"], WireJson.Plain.Birth)!;
        Assert.True(birth.Simulated);
        Assert.Contains(birth.Points, it => it.Point.Value == "room.temperature");
        var door = Assert.Single(birth.Doors);
        Assert.Equal(new DoorDescription(new("door-a"), true, true, true, true, Core.Doors.LockType.FailSafeStrike), door with { Wiring = null });
        Assert.Equal([("wiegand", CardProof.Number, false), ("wiegand", CardProof.Number, false)], door.Wiring!.Readers.Select(it => (it.Type, it.Proof, it.Encrypted)));
        Assert.Equal(["door-a.button", "door-a.contact", "door-a.tamper"], door.Wiring.Unsupervised.Order()); // Nothing here tells a short from a closed contact.
    }

    [Fact]
    public async Task A_command_of_the_hub_releases_the_door_once()
    {
        await using var node = await StartAsync();
        await GivePolicyAsync(1);
        var command = _site.Command(Verbs.Release, "n-1", TimeProvider.System.GetUtcNow().AddSeconds(30), ("door", "door-a"));
        await _hub.SayAsync(command, [1]);
        await _hub.Until(() => _hub.Replies.Count == 1);
        Assert.Equal(("done", null), (_hub.Replies[0].Outcome, _hub.Replies[0].Fault));
        await Eventually.TrueAsync(LockReleased);
        await _hub.SayAsync(command, [2]);
        await _hub.Until(() => _hub.Replies.Count == 2);
        Assert.Single(Facts<CommandExecuted>());
    }

    [Fact]
    public async Task A_service_manager_that_cannot_be_told_is_named_once_and_the_doors_go_on()
    {
        var systemd = new DeafSystemd();
        await using var node = await RunningNode.StartAsync(_site, _room, _folder.FullName, _hub.Port, _log, systemd);
        await GivePolicyAsync(1);
        await Eventually.TrueAsync(() => systemd.Calls > 3);
        await _room.SayAsync("badge bob");
        await Eventually.TrueAsync(LockReleased);
        Assert.Single(_log.Lines, it => it.Contains(DeafSystemd.Fault, StringComparison.Ordinal));
    }

    [Fact]
    public async Task No_card_number_reaches_a_log_or_the_wire()
    {
        await using (await StartAsync())
        {
            await _room.SayAsync("card 1 54321");
            await _hub.Until(() => Facts<AccessDenied>().Count > 0);
        }

        string[] secrets = ["54321", CredentialTokens.Bits(1, 54_321, 26).ToString(System.Globalization.CultureInfo.InvariantCulture)];
        var everything = _log.Lines.Concat(_hub.Ledger.Values).Concat(_hub.Last.Values);
        Assert.All(everything, text => Assert.All(secrets, it => Assert.DoesNotContain(it, text, StringComparison.Ordinal)));
    }

    private Task<RunningNode> StartAsync(int? port = null) => RunningNode.StartAsync(_site, _room, _folder.FullName, port ?? _hub.Port, _log);

    private async Task GivePolicyAsync(long version)
    {
        await _hub.Until(() => _hub.Last.ContainsKey("state"));
        var now = TimeProvider.System.GetUtcNow();
        await _hub.SayAsync(_site.Snapshot(_site.Policy(version, now), now));
        await _hub.Until(() => Facts<PolicyApplied>().Count > 0);
    }

    private HealthReport? Health() => HealthFile.Read(_folder.FullName) ?? HealthFile.Read(Path.Combine(_folder.FullName, "state"));

    private bool LockReleased() => _room.SayAsync("status").GetAwaiter().GetResult().Contains("\"lockOutput\":true", StringComparison.Ordinal);

    private List<T> Facts<T>() where T : Fact => _hub.Locked(() => _hub.Ledger
        .Where(it => it.Key.Stream == Streams.Access)
        .Select(it => JsonSerializer.Deserialize(it.Value, WireJson.Plain.JournalRecord)!.Fact).OfType<T>().ToList());

    /// <summary>Its socket is gone.</summary>
    private sealed class DeafSystemd : ISystemdNotifier
    {
        public const string Fault = "nobody listens at the notify socket";
        private int _calls;

        public int Calls => Volatile.Read(ref _calls);

        public bool IsEnabled => true;

        public void Notify(ServiceState state)
        {
            Interlocked.Increment(ref _calls);
            throw new IOException(Fault);
        }
    }

    private sealed class NodeLog : ILogger<NodeHost>
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue(formatter(state, exception));
    }
}
