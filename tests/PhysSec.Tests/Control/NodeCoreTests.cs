using PhysSec.Core.Access;
using PhysSec.Core.Wire;
using PhysSec.Node.Control;
using static PhysSec.Tests.Access.TestPolicy;
using static PhysSec.Tests.Control.NodeProbe;

namespace PhysSec.Tests.Control;

/// <summary>Doors and decisions of a node: from the card to the records, the lock and the light.</summary>
public sealed class NodeCoreTests
{
    [Fact]
    public void A_node_starts_with_every_door_locked_and_says_so()
    {
        var node = new NodeProbe();
        Assert.Equal("started 1.0.0 one-room True clean", Say(node.Started));
        Assert.Equal([NodeProbe.Door], node.Started.Secure);
        Assert.Equal("lamp off, siren off", Signals(node.Started));
        var live = Assert.IsType<DoorLive>(Assert.Single(node.Started.Live).Value);
        Assert.Equal(("Locked", false, null, "normal", 0), (live.State, live.LockReleased, live.LeafOpen, live.Mode, live.Inside));
        Assert.Equal("unknown", node.Started.Live[0].Quality);
    }

    [Fact]
    public void An_entry_is_recorded_released_shown_and_counted()
    {
        var node = new NodeProbe();
        var card = node.Card(AnaCard);
        Assert.Equal("granted In p-ana (right r-ana, schedule weekdays), Locked>Released credential", Say(card));
        Assert.Equal([new LockRelease(NodeProbe.Door, false)], card.Release);
        Assert.Equal("In Granted, Out Granted", Signals(card));
        var granted = Assert.IsType<AccessGranted>(card.Records[0].Fact);
        Assert.Equal((7, Hash, 3600.0, "operation"), (granted.PolicyVersion, granted.PolicyHash, granted.PolicyAgeSeconds, granted.Purpose));

        node.Now = 2;
        var opened = node.Contact("door-a.contact", true);
        Assert.Equal("Released>Open contact, passage In p-ana 1", Say(opened));
        Assert.Equal([NodeProbe.Door], opened.Secure);
        var live = Assert.IsType<DoorLive>(opened.Live.Single(it => it.Point.Value == "door-a.door").Value);
        Assert.Equal(("Open", false, true, 1), (live.State, live.LockReleased, live.LeafOpen, live.Inside));
        Assert.Equal([Ana], live.Persons);
        Assert.Equal(("granted", null, Ana, "In"), (live.Last!.Outcome, live.Last.Reason, live.Last.Person!.Value, live.Last.Direction));
        Assert.Equal("Open>Locked contact", Say(node.Contact("door-a.contact", false)));
    }

    [Fact]
    public void A_refusal_is_recorded_with_its_reason_and_shown_without_it()
    {
        var node = new NodeProbe();
        var denied = node.Card(StrangerCard);
        Assert.Equal("denied In UnknownCredential 30", Say(denied));
        Assert.Equal("In Denied", Signals(denied));
        Assert.Equal("In Denied", Signals(node.After(1, new CardRead(NodeProbe.Door, Direction.In, BenCard))));
        Assert.Equal("", Signals(node.After(1.9, new Tick())));
        Assert.Equal("In Idle", Signals(node.After(0.1, new Tick())));
        Assert.False(node.Free);
    }

    [Fact]
    public void An_uptime_that_steps_back_counts_as_no_step()
    {
        var node = new NodeProbe { Now = 10 };
        node.Card(StrangerCard);
        node.Now = 3;
        node.Card(StrangerCard);
        node.Now = 11.9;
        Assert.Equal("", Signals(node.Do(new Tick())));
        node.Now = 12;
        Assert.Equal("In Idle", Signals(node.Do(new Tick())));
    }

    [Fact]
    public void A_release_that_runs_out_is_no_passage()
    {
        var node = new NodeProbe();
        node.Card(AnaCard);
        var ended = node.After(5, new Tick());
        Assert.Equal("Released>Locked timer", Say(ended));
        Assert.Equal([NodeProbe.Door], ended.Secure);
        Assert.Equal("In Idle, Out Idle", Signals(ended));
        Assert.Equal("no passage In p-ana", Say(node.After(0.5, new Tick())));
    }

    [Fact]
    public void A_lost_card_is_refused_and_raises_an_alarm_that_ends_by_itself()
    {
        var node = new NodeProbe(sensors: false);
        Assert.Equal("denied In CredentialLost 31, +lost-card:door-a!", Say(node.Card(LostCard)));
        Assert.Equal("denied In CredentialLost 31", Say(node.After(50, new CardRead(NodeProbe.Door, Direction.In, LostCard))));
        Assert.Equal("", Say(node.After(59, new Tick())));
        Assert.Equal("-lost-card:door-a", Say(node.After(1, new Tick())));
    }

    /// <summary>EGRESS.</summary>
    [Fact]
    public void An_exit_badge_opens_whatever_its_state_and_the_alarm_is_raised_beside_it()
    {
        var node = new NodeProbe(clock: ClockQuality.Unset);
        node.Command(Verbs.Lockdown, ("door", "door-a"), ("on", "true"));
        node.Do(new JournalHealthChanged(false, "disk full"));
        var exit = node.Card(RevokedCard, Direction.Out);
        Assert.Equal("granted Out p-ana (exit), +lost-card:door-a!, Locked>Released exit-badge", Say(exit));
        Assert.Equal([new LockRelease(NodeProbe.Door, true)], exit.Release);
        Assert.Null(Assert.IsType<AccessGranted>(exit.Records[0].Fact).PolicyAgeSeconds);
    }

    [Fact]
    public void The_exit_button_releases_without_waiting_for_the_record_and_the_last_one_out_empties_the_room()
    {
        var node = Inside(AnaCard);
        var pressed = node.Contact("door-a.button", true);
        Assert.Equal("exit request 1, Locked>Released exit-button", Say(pressed));
        Assert.Equal([new LockRelease(NodeProbe.Door, true)], pressed.Release);
        Assert.Equal("", Say(node.Contact("door-a.button", false)));
        Assert.Equal("Released>Open contact, passage Out - 0", Say(node.Contact("door-a.contact", true)));
        Assert.Empty(Assert.Single(node.Memory!.Doors).Inside);
    }

    [Fact]
    public void A_button_pressed_in_an_empty_room_is_an_alarm_but_not_while_the_leaf_is_open()
    {
        var node = new NodeProbe();
        Assert.Equal("exit request 0, +exit-in-empty-room:door-a!, Locked>Released exit-button", Say(node.Contact("door-a.button", true)));

        node = Inside(AnaCard);
        node.Contact("door-a.button", true);
        node.Contact("door-a.contact", true);
        node.Contact("door-a.button", false);
        Assert.Equal("exit request 0", Say(node.Contact("door-a.button", true)));
    }

    [Fact]
    public void A_stuck_button_alarms_hides_no_forced_opening_and_ends_only_when_it_is_seen_let_go()
    {
        var node = Inside(AnaCard);
        node.Contact("door-a.button", true);
        node.After(6, new Tick());
        node.After(1, new Tick());
        Assert.DoesNotContain("stuck", Say(node.After(22.9, new Tick())), StringComparison.Ordinal);
        var stuck = node.After(0.1, new Tick());
        Assert.Contains("+exit-button-stuck:door-a!", Say(stuck), StringComparison.Ordinal);
        var raised = stuck.Records.Select(it => it.Fact).OfType<AlarmRaised>().Single(it => it.Class == "exit-button-stuck");
        Assert.Equal((30.0, "s"), (raised.Limit, raised.Unit));
        Assert.Empty(stuck.Secure);

        Assert.Equal("-confinement-suspected:door-a, Locked>Forced contact, +door-forced:door-a!", Say(node.Contact("door-a.contact", true)));
        node.Contact("door-a.contact", false);
        Assert.DoesNotContain("-exit-button", Say(node.Contact("door-a.button", null)), StringComparison.Ordinal);
        Assert.Contains("-exit-button-stuck:door-a", Say(node.Contact("door-a.button", false)), StringComparison.Ordinal);
        Assert.Single(Assert.Single(node.Memory!.Doors).Inside); // Nobody was counted out.
    }

    /// <summary>EGRESS: whoever presses it leaves; but a restart does not make a jammed button evidence again.</summary>
    [Fact]
    public void A_stuck_button_is_still_stuck_after_a_restart()
    {
        var before = Inside(AnaCard);
        before.Contact("door-a.button", true);
        before.After(31, new Tick());

        var after = new NodeProbe(memory: before.Memory, start: false, sensors: false);
        Assert.DoesNotContain("-exit-button-stuck", Say(after.Do(new Tick())), StringComparison.Ordinal);
        after.Contact("door-a.contact", false);
        Assert.Equal("exit request 1, Locked>Released exit-button", Say(after.Contact("door-a.button", true)));
        Assert.True(after.Free);
        Assert.Equal("Released>Locked timer", Say(after.After(5, new Tick())));
        Assert.Equal("no passage Out -", Say(after.After(1, new Tick())));
        Assert.Equal("-confinement-suspected:door-a, Locked>Forced contact, +door-forced:door-a!", Say(after.Contact("door-a.contact", true)));
        Assert.Equal("-exit-button-stuck:door-a", Say(after.Contact("door-a.button", false)));
    }

    /// <summary>RECORDED.</summary>
    [Fact]
    public void An_entry_after_somebody_was_let_out_and_stayed_waits_for_its_record()
    {
        var node = Inside(AnaCard);
        Assert.Equal([new LockRelease(NodeProbe.Door, true)], node.Card(AnaCard, Direction.Out).Release);
        node.After(5, new Tick());
        node.Now += 0.2;
        var entry = node.Card(AnaCard);
        Assert.Equal([new LockRelease(NodeProbe.Door, false)], entry.Release);
        Assert.Equal([NodeProbe.Door], node.After(0.2, new JournalHealthChanged(false, "disk full")).Secure);
    }

    [Fact]
    public void Lockdown_takes_back_a_release_for_entry_also_while_the_leaf_is_open()
    {
        var node = Inside(AnaCard);
        node.Card(AnaCard);
        node.Contact("door-a.contact", true);
        node.Command(Verbs.Release, ("door", "door-a"));
        Assert.True(node.Free);
        Assert.Equal([NodeProbe.Door], node.Command(Verbs.Lockdown, ("door", "door-a"), ("on", "true")).Secure);
        Assert.Equal("Open>Locked contact", Say(node.Contact("door-a.contact", false)));
    }

    [Fact]
    public void Who_was_let_in_while_the_contact_could_not_be_read_counts_as_inside_and_the_button_finds_no_empty_room()
    {
        var node = new NodeProbe(sensors: false);
        node.Contact("door-a.contact", null);
        node.Card(AnaCard);
        node.After(5, new Tick());
        Assert.Equal("passage In p-ana 1", Say(node.After(0.5, new Tick())));
        Assert.Equal([Ana], Assert.Single(node.Memory!.Doors).Inside);
        Assert.Equal("exit request 1, Locked>Released exit-button", Say(node.Contact("door-a.button", true)));
    }

    [Fact]
    public void A_lock_that_does_not_obey_is_an_alarm_until_it_obeys_also_across_a_restart()
    {
        var node = new NodeProbe();
        Assert.Equal("", Say(node.LockFault(null)));
        var raised = node.LockFault("output door-a.lock does not take what is written to it");
        Assert.Equal("+lock-fault:door-a!", Say(raised));
        Assert.Contains("door-a.lock", Assert.IsType<AlarmRaised>(raised.Records[0].Fact).Detail, StringComparison.Ordinal);
        Assert.Equal("", Say(node.LockFault("output door-a.lock")));

        var after = new NodeProbe(memory: node.Memory, start: false, sensors: false);
        Assert.Equal("started 1.0.0 one-room True clean", Say(after.Do(new Tick())));
        Assert.Equal("-lock-fault:door-a", Say(after.LockFault(null)));
        Assert.Equal("", Say(after.Do(new LockFaultChanged(new("door-x"), "no such door"))));
    }

    [Fact]
    public void A_forced_door_alarms_and_ends_when_it_closes()
    {
        var node = new NodeProbe();
        var forced = node.Contact("door-a.contact", true);
        Assert.Equal("Locked>Forced contact, +door-forced:door-a!", Say(forced));
        Assert.Equal("lamp on, siren on", Signals(forced));
        var closed = node.Contact("door-a.contact", false);
        Assert.Equal("-door-forced:door-a, Forced>Locked contact", Say(closed));
        Assert.Equal("lamp off, siren off", Signals(closed));
    }

    [Fact]
    public void A_door_held_open_warns_at_the_door_then_alarms()
    {
        var node = new NodeProbe(sensors: false);
        node.Card(AnaCard);
        node.Contact("door-a.contact", true);
        Assert.Equal("Open>PreAlarm timer", Say(node.After(20, new Tick())));
        var held = node.After(10, new Tick());
        Assert.Equal("PreAlarm>HeldOpen timer, +door-held:door-a!", Say(held));
        var raised = Assert.IsType<AlarmRaised>(held.Records[1].Fact);
        Assert.Equal((30.0, "s"), (raised.Limit, raised.Unit));
        Assert.Equal("lamp on", Signals(held));
        Assert.Equal("In Idle, Out Idle, lamp off", Signals(node.Contact("door-a.contact", false)));
    }

    [Fact]
    public void A_pre_alarm_is_shown_at_both_readers()
    {
        var node = new NodeProbe();
        node.Card(AnaCard);
        node.Contact("door-a.contact", true);
        Assert.Equal("In PreAlarm, Out PreAlarm", Signals(node.After(20, new Tick())));
    }

    [Fact]
    public void When_the_journal_cannot_commit_an_entry_is_taken_back_and_an_exit_is_not()
    {
        var node = new NodeProbe();
        Assert.Equal([new LockRelease(NodeProbe.Door, false)], node.Card(AnaCard).Release);
        var failed = node.After(0.25, new JournalHealthChanged(false, "disk full"));
        Assert.Equal("Released>Locked timer, +journal-fault:journal!", Say(failed));
        Assert.Equal([NodeProbe.Door], failed.Secure);
        Assert.Contains("In Denied", Signals(failed), StringComparison.Ordinal);
        Assert.Equal("no passage In p-ana, denied In JournalFault 12", Say(node.After(5, new CardRead(NodeProbe.Door, Direction.In, AnaCard))));
        Assert.Equal("-journal-fault:journal", Say(node.Do(new JournalHealthChanged(true, null))));
        Assert.StartsWith("granted", Say(node.Card(AnaCard)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_zone_may_release_without_a_record_and_says_so_to_the_shell()
    {
        var policy = Policy() with { Zones = [Policy().Zones[0] with { OnJournalFault = JournalFaultRule.ReleaseWithLocalAlarm }] };
        var node = new NodeProbe(policy);
        node.Card(AnaCard);
        Assert.Empty(node.Do(new JournalHealthChanged(false, "disk full")).Secure);
        node.After(6, new Tick());
        Assert.Equal([new LockRelease(NodeProbe.Door, true)], node.Card(AnaCard).Release);
    }

    [Fact]
    public void Two_people_inside_and_one_button_leave_one_unidentified()
    {
        var node = Inside(AnaCard, ChieCard);
        node.Contact("door-a.button", true);
        Assert.Equal("Released>Open contact, passage Out - 1", Say(node.Contact("door-a.contact", true)));
        var kept = Assert.Single(node.Memory!.Doors);
        Assert.Equal((2, 1), (kept.Inside.Count, kept.LeftUnidentified));
    }

    [Fact]
    public void Without_a_clock_nobody_enters_and_the_alarm_stands_until_it_is_set()
    {
        var node = new NodeProbe(clock: ClockQuality.Unset);
        Assert.Equal("started 1.0.0 one-room True clean, +clock-unset:clock!", Say(node.Started));
        Assert.Equal("denied In ClockUnset 50", Say(node.Card(AnaCard)));
        node.Clock = ClockQuality.Synced;
        Assert.Equal("ClockStepped, -clock-unset:clock", Say(node.Do(new ClockChanged(ClockQuality.Synced, 0))));
        Assert.StartsWith("granted", Say(node.Card(AnaCard)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_policy_that_the_hub_has_not_confirmed_for_too_long_lets_nobody_in()
    {
        var node = new NodeProbe { Now = TimeSpan.FromHours(71.5).TotalSeconds };
        Assert.Contains("denied In PolicyTooOld 51", Say(node.Card(AnaCard)), StringComparison.Ordinal);
        node.Do(new PolicyConfirmed(7, "other", Tuesday.AddSeconds(node.Now)));
        Assert.Contains("PolicyTooOld", Say(node.Card(AnaCard)), StringComparison.Ordinal);
        node.Do(new PolicyConfirmed(7, Hash, Tuesday.AddSeconds(node.Now)));
        Assert.DoesNotContain("PolicyTooOld", Say(node.Card(AnaCard)), StringComparison.Ordinal);
    }

    private static NodeProbe Inside(params PhysSec.Core.CredentialToken[] cards)
    {
        var node = new NodeProbe();
        foreach (var card in cards)
        {
            node.Card(card);
            node.Contact("door-a.contact", true);
            node.Contact("door-a.contact", false);
        }

        return node;
    }
}
