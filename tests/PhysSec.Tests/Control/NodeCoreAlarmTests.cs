using PhysSec.Core.Access;
using PhysSec.Core.Wire;
using PhysSec.Node.Control;
using PhysSec.Tests.Access;
using static PhysSec.Tests.Control.NodeProbe;

namespace PhysSec.Tests.Control;

/// <summary>Alarms, measurements, commands and policies of a node.</summary>
public sealed class NodeCoreAlarmTests
{
    [Theory]
    [InlineData("leak", true, "leak:leak", "lamp on, siren on")]
    [InlineData("mains", false, "mains-lost:mains", "lamp on")]
    [InlineData("door-a.tamper", true, "tamper:door-a.tamper", "lamp on, siren on")]
    [InlineData("enclosure.tamper", true, "tamper:enclosure.tamper", "lamp on, siren on")]
    public void A_contact_raises_and_clears_its_alarm(string device, bool wrong, string alarm, string signals)
    {
        var node = new NodeProbe();
        var raised = node.Contact(device, wrong);
        Assert.Equal($"+{alarm}!", Say(raised));
        Assert.Equal(signals, Signals(raised));
        Assert.Equal(wrong, raised.Live.Single(it => it.Point.Value == device).Value);
        Assert.Equal("", Say(node.Contact(device, wrong))); // Read again after a jam.
        Assert.Equal($"-{alarm}", Say(node.Contact(device, !wrong)));
    }

    /// <summary>UNKNOWN-IS-NOT-OK.</summary>
    [Fact]
    public void A_contact_that_cannot_be_read_is_an_alarm_and_clears_nothing()
    {
        var node = new NodeProbe();
        node.Contact("leak", true);
        var unknown = node.Contact("leak", null);
        Assert.Equal("+sensor-silent:leak!", Say(unknown));
        Assert.Equal("fault", unknown.Live[0].Quality);
        Assert.Equal("-sensor-silent:leak, -leak:leak", Say(node.Contact("leak", false)));
    }

    [Fact]
    public void A_contact_that_says_nothing_after_the_start_is_an_alarm()
    {
        var node = new NodeProbe(start: false);
        node.Do(new Tick());
        foreach (var it in Setup(null, ClockQuality.Synced).Contacts.Where(it => it.Device != "mains")) node.Contact(it.Device, false);
        Assert.Equal("", Say(node.After(9.9, new Tick())));
        Assert.Equal("+sensor-silent:mains!", Say(node.After(0.1, new Tick())));
        Assert.Equal("-sensor-silent:mains", Say(node.Contact("mains", true)));
    }

    [Fact]
    public void A_silenced_alarm_is_quiet_until_it_is_raised_anew_and_the_lamp_stays()
    {
        var node = new NodeProbe();
        node.Contact("leak", true);
        var silenced = node.Command(Verbs.Silence, ("alarm", "leak:leak"));
        Assert.Equal("command silence done", Say(silenced));
        Assert.Equal("siren off", Signals(silenced));
        Assert.Equal("siren on", Signals(node.Contact("enclosure.tamper", true)));
        Assert.Equal("siren off", Signals(node.Contact("enclosure.tamper", false)));
        Assert.Equal("lamp off", Signals(node.Contact("leak", false)));
        Assert.Equal("lamp on, siren on", Signals(node.Contact("leak", true)));
    }

    [Fact]
    public void After_a_restart_an_alarm_that_still_holds_is_not_raised_twice_and_one_that_is_over_is_cleared()
    {
        var before = new NodeProbe();
        before.Contact("leak", true);
        before.Contact("mains", false);
        before.Contact("door-a.contact", true);
        before.Card(TestPolicy.LostCard);
        before.Command(Verbs.Silence, ("alarm", "leak:leak"));

        var after = new NodeProbe(memory: before.Memory, start: false);
        var started = after.Do(new Tick());
        Assert.Equal("started 1.0.0 one-room True clean, -lost-card:door-a", Say(started));
        Assert.Equal("lamp on, siren on", Signals(started)); // The door was forced.
        Assert.Equal("", Say(after.Contact("leak", true)));
        Assert.Equal("-mains-lost:mains", Say(after.Contact("mains", true)));
        Assert.Equal("-door-forced:door-a", Say(after.Contact("door-a.contact", false)));
        Assert.Equal([new AlarmMemory("leak:leak", true)], after.Memory!.Alarms);
    }

    [Fact]
    public void Temperature_raises_with_value_limit_and_unit_and_clears()
    {
        var node = new NodeProbe();
        Assert.Equal("measured room.temperature=31.5 good room.humidity=45 good room.dew-point=18.127 good", Say(node.Sample(31.5)));
        node.Now = 4;
        node.Sample(31.5);
        node.Now = 5;
        var raised = Assert.IsType<AlarmRaised>(node.Sample(31.26).Records.Single(it => it.Hot).Fact);
        Assert.Equal(("temperature-high:room.temperature", 31.26, 30.0, "°C"), (raised.Alarm, raised.Value, raised.Limit, raised.Unit));
        for (node.Now = 6; node.Now < 16; node.Now++) Assert.Equal("", Say(node.Sample(28)));
        Assert.Equal("-temperature-high:room.temperature", Say(node.Sample(28)));
    }

    [Fact]
    public void Every_sample_is_live_and_measurements_are_recorded_once_a_minute_and_on_a_change_of_quality()
    {
        var node = new NodeProbe();
        var records = 0;
        for (var i = 0; i < 181; i++)
        {
            node.Now = 100 + i;
            var effects = node.Sample(20 + (i * 0.001));
            Assert.Equal(["room.temperature", "room.humidity", "room.dew-point"], effects.Live.Select(it => it.Point.Value));
            records += effects.Records.Count(it => it.Stream == Streams.Measurements);
        }

        Assert.InRange(records, 4, 5); // The first word, then minute by minute.
        node.Now = 281;
        var fault = node.Sample(null);
        Assert.Contains("measured room.temperature= fault room.dew-point= fault", Say(fault), StringComparison.Ordinal);
        Assert.Equal((null, "fault"), (fault.Live[0].Value, fault.Live[0].Quality));
    }

    [Fact]
    public void A_sensor_that_stops_is_stale_and_then_silent()
    {
        var node = new NodeProbe();
        node.Sample(20);
        var stale = node.After(5, new Tick());
        Assert.Contains("room.temperature= stale", Say(stale), StringComparison.Ordinal);
        Assert.Equal("stale", stale.Live[0].Quality);
        Assert.Contains("+sensor-silent:room.temperature!", Say(node.After(25, new Tick())), StringComparison.Ordinal);
        node.Now = 31;
        Assert.Contains("-sensor-silent:room.temperature", Say(node.Sample(20)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_value_beyond_the_device_is_a_fault_and_implausible()
    {
        var node = new NodeProbe();
        Assert.Equal("fault", node.Sample(130).Live[0].Quality);
        node.Now = 5;
        Assert.Contains("+sensor-implausible:room.temperature!", Say(node.Sample(130)), StringComparison.Ordinal);
    }

    [Fact]
    public void One_bad_frame_is_noise_and_several_are_an_alarm_and_a_flood_does_not_fill_the_journal()
    {
        var node = new NodeProbe();
        var fault = new ReaderFaultSeen(NodeProbe.Door, Direction.In, "Parity", 26);
        Assert.Equal("ReaderFaulted", Say(node.Do(fault)));
        Assert.Equal("ReaderFaulted", Say(node.Do(fault)));
        Assert.Equal("ReaderFaulted, +reader-fault:door-a.entry!", Say(node.Do(fault)));
        var records = Enumerable.Range(0, 1000).Sum(_ => node.Do(fault).Records.Count);
        Assert.Equal(7, records);
        Assert.StartsWith("-reader-fault:door-a.entry, granted", Say(node.Card(TestPolicy.AnaCard)), StringComparison.Ordinal);
        Assert.Contains("+reader-fault:door-a.exit!", Say(node.Do(new ReaderFaultSeen(NodeProbe.Door, Direction.Out, "LineStuck", 0))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("open", "", "", "verb")]
    [InlineData(Verbs.Epoch, "epoch", "3", "verb")]
    [InlineData(Verbs.Release, "", "", "door is missing")]
    [InlineData(Verbs.Release, "door", "door-z", "door-z")]
    [InlineData(Verbs.Lockdown, "door", "door-a", "on is missing")]
    [InlineData(Verbs.ResetPresence, "", "", "door is missing")]
    [InlineData(Verbs.Silence, "", "", "alarm is missing")]
    [InlineData(Verbs.Silence, "alarm", "leak:leak", "not active")]
    public void A_command_that_cannot_be_done_is_refused_recorded_and_answered(string verb, string name, string value, string fault)
    {
        var node = new NodeProbe();
        var effects = name.Length == 0 ? node.Command(verb) : node.Command(verb, (name, value));
        Assert.Equal($"command {verb} refused", Say(effects));
        var reply = Assert.Single(effects.Replies);
        Assert.Equal(("n-1", "refused"), (reply.Nonce, reply.Outcome));
        Assert.Contains(fault, reply.Fault, StringComparison.Ordinal);
        Assert.Empty(effects.Release);
    }

    [Fact]
    public void A_release_by_command_is_recorded_answered_and_counted_as_somebody_unnamed()
    {
        var node = new NodeProbe();
        var release = node.Command(Verbs.Release, ("door", "door-a"));
        Assert.Equal("Locked>Released command, command release done", Say(release));
        Assert.Equal([new LockRelease(NodeProbe.Door, false)], release.Release);
        Assert.Equal([new CommandReply("n-1", "done", null)], release.Replies);
        Assert.Equal("Released>Open contact, passage In - 1", Say(node.Contact("door-a.contact", true)));
        Assert.Equal("command reset-presence done", Say(node.Command(Verbs.ResetPresence, ("door", "door-a"))));
        Assert.Equal(0, Assert.Single(node.Memory!.Doors).EnteredUnidentified);
    }

    [Fact]
    public void A_lockdown_refuses_entry_survives_a_restart_and_never_holds_anybody_in()
    {
        var node = new NodeProbe();
        node.Card(TestPolicy.AnaCard);
        var locked = node.Command(Verbs.Lockdown, ("door", "door-a"), ("on", "true"));
        Assert.Equal([NodeProbe.Door], locked.Secure); // Also an entry that was already granted.
        Assert.Equal("lockdown", Assert.IsType<DoorLive>(locked.Live[0].Value).Mode);

        node = new NodeProbe(memory: node.Memory);
        Assert.Equal("denied In Lockdown 20", Say(node.Card(TestPolicy.AnaCard)));
        Assert.Equal("command release refused", Say(node.Command(Verbs.Release, ("door", "door-a"))));
        Assert.NotEmpty(node.Contact("door-a.button", true).Release);
        node.Command(Verbs.Lockdown, ("door", "door-a"), ("on", "false"));
        node.After(10, new Tick());
        Assert.StartsWith("granted In", Say(node.Card(TestPolicy.AnaCard)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_newer_policy_is_swapped_in_whole_and_an_older_or_faulty_one_is_refused_on_record()
    {
        var node = new NodeProbe();
        var at = TestPolicy.Tuesday;
        var revoked = TestPolicy.Policy(8) with { Credentials = [new(TestPolicy.AnaCard, TestPolicy.Ana, CredentialState.Revoked, null, null)] };
        Assert.Equal("policy 6 refused", Say(node.Do(new PolicyArrived(TestPolicy.Policy(6), "bb", at))));
        Assert.Equal("policy 7 refused", Say(node.Do(new PolicyArrived(TestPolicy.Policy(7), "bb", at))));
        Assert.Equal("", Say(node.Do(new PolicyArrived(TestPolicy.Policy(7), TestPolicy.Hash, at))));
        Assert.Equal("policy 8 refused", Say(node.Do(new PolicyArrived(revoked with { TimeZone = "Mars/Olympus" }, "bb", at))));
        Assert.StartsWith("granted", Say(node.Card(TestPolicy.AnaCard)), StringComparison.Ordinal);

        Assert.Equal("policy 8", Say(node.Do(new PolicyArrived(revoked, "bb", at))));
        Assert.Equal((8, "bb"), (node.Core.PolicyVersion, node.Core.PolicyHash));
        Assert.Contains("CredentialRevoked 32", Say(node.Card(TestPolicy.AnaCard)), StringComparison.Ordinal);
        Assert.Equal("policy 9 refused", Say(node.Do(new PolicyRejected(9, "signature"))));
    }

    [Fact]
    public void A_limit_that_a_new_policy_drops_ends_its_alarm()
    {
        var node = new NodeProbe();
        node.Sample(40);
        node.Now = 5;
        node.Sample(40);
        var dropped = TestPolicy.Policy(8) with { Sensing = [TestPolicy.TemperatureRule() with { High = null }] };
        Assert.Equal("policy 8, -temperature-high:room.temperature", Say(node.Do(new PolicyArrived(dropped, "bb", TestPolicy.Tuesday))));
    }

    [Fact]
    public void A_node_without_a_policy_lets_nobody_in_and_everybody_out()
    {
        var core = new NodeCore(Setup(null, ClockQuality.Synced), null);
        core.Step(new Tick(), TimeSpan.Zero, TestPolicy.Tuesday);
        Assert.Equal("denied In NoPolicy 10", Say(core.Step(new CardRead(NodeProbe.Door, Direction.In, TestPolicy.AnaCard), TimeSpan.Zero, TestPolicy.Tuesday)));
        Assert.NotEmpty(core.Step(new ContactChanged("door-a.button", ContactRole.ExitButton, NodeProbe.Door, true), TimeSpan.Zero, TestPolicy.Tuesday).Release);
    }
}
