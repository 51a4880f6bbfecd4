using PhysSec.Core.Alarms;
using PhysSec.Core.Doors;
using PhysSec.Core.Wire;
using PhysSec.Node.Control;
using PhysSec.Tests.Access;

namespace PhysSec.Tests.Control;

/// <summary>A line that is not as it should be says nothing of its contact, and is never silent about itself.</summary>
public sealed class SupervisedLineTests
{
    private readonly NodeProbe _node = new();

    [Theory]
    [InlineData(LineFault.Cut, AlarmClasses.Tamper, "cut")]
    [InlineData(LineFault.Shorted, AlarmClasses.Tamper, "shorted")]
    [InlineData(LineFault.Ground, AlarmClasses.Tamper, "earth")]
    [InlineData(LineFault.ForeignVoltage, AlarmClasses.Tamper, "foreign voltage")]
    [InlineData(LineFault.OutOfBand, AlarmClasses.SensorSilent, "none of its states")]
    [InlineData(LineFault.Unreadable, AlarmClasses.SensorSilent, "converter")]
    public void An_attack_on_a_line_is_tampering_and_a_fault_is_a_silent_sensor_and_both_say_which(LineFault fault, string alarmClass, string detail)
    {
        foreach (var device in new[] { "door-a.contact", "door-a.button", "door-a.tamper", "enclosure.tamper" })
        {
            var raised = Assert.Single(Line(device, fault).Records.Select(it => it.Fact).OfType<AlarmRaised>());
            Assert.Equal((alarmClass, device), (raised.Class, raised.Source));
            Assert.Contains(detail, raised.Detail, StringComparison.Ordinal);

            Assert.Equal(raised.Alarm, Assert.Single(Line(device, null, active: false).Records.Select(it => it.Fact).OfType<AlarmCleared>()).Alarm);
        }
    }

    [Fact]
    public void A_cut_door_contact_never_reads_closed()
    {
        var live = Line("door-a.contact", LineFault.Cut).Live;

        Assert.Null(live.Select(it => it.Value).OfType<DoorLive>().Single().LeafOpen);
        Assert.Equal("fault", live.Single(it => it.Point.Value == "door-a.contact").Quality);
    }

    [Theory]
    [InlineData(LineFault.Cut)]
    [InlineData(LineFault.Shorted)]
    [InlineData(LineFault.OutOfBand)]
    public void A_damaged_exit_button_line_frees_nothing(LineFault fault)
    {
        var effects = Line("door-a.button", fault);

        Assert.Empty(effects.Release);
        Assert.DoesNotContain(effects.Records, it => it.Fact is ExitRequested);
        Assert.False(_node.Free);
    }

    [Theory]
    [InlineData(ContactRole.FireRelease, LineFault.Cut)]
    [InlineData(ContactRole.FireRelease, LineFault.Shorted)]
    [InlineData(ContactRole.BreakGlass, LineFault.Cut)]
    [InlineData(ContactRole.SeismicRelease, LineFault.Cut)]
    public void A_cut_emergency_line_is_an_alarm_and_no_release_and_its_contact_still_frees_the_door(ContactRole role, LineFault fault)
    {
        var setup = NodeProbe.Setup(TestPolicy.Policy(), ClockQuality.Synced);
        var node = new NodeProbe(board: setup with
        {
            Doors = [new(NodeProbe.Door, true, true, true, true, LockType.Magnet, FireRelease: true, BreakGlass: true, SeismicRelease: true)],
            Contacts = [.. setup.Contacts, new("call", role, NodeProbe.Door)],
        });

        var cut = node.Do(new ContactChanged("call", role, NodeProbe.Door, null, fault));

        Assert.Equal("+tamper:call!", NodeProbe.Say(cut));
        Assert.Empty(cut.Release);
        Assert.False(node.Free);
        node.Do(new ContactChanged("call", role, NodeProbe.Door, false));
        node.Do(new ContactChanged("call", role, NodeProbe.Door, true));
        Assert.True(node.Free);
    }

    [Fact]
    public void A_line_that_goes_from_cut_to_fault_keeps_its_tamper_alarm_until_it_is_well()
    {
        Line("door-a.contact", LineFault.Cut);

        Assert.Equal("+sensor-silent:door-a.contact!", NodeProbe.Say(Line("door-a.contact", LineFault.OutOfBand)));
        Assert.Equal("-sensor-silent:door-a.contact, -tamper:door-a.contact", NodeProbe.Say(Line("door-a.contact", null, active: false)));
    }

    [Fact]
    public void An_open_case_whose_line_is_mended_is_still_open()
    {
        Line("door-a.tamper", LineFault.Cut);

        Assert.Equal("", NodeProbe.Say(Line("door-a.tamper", null, active: true)));
        Assert.Equal("-tamper:door-a.tamper", NodeProbe.Say(Line("door-a.tamper", null, active: false)));
    }

    [Fact]
    public void The_tamper_alarm_of_a_line_outlives_a_restart()
    {
        Line("door-a.contact", LineFault.Cut);

        var again = new NodeProbe(TestPolicy.Policy(), _node.Memory, start: false);

        Assert.DoesNotContain("-tamper", NodeProbe.Say(again.Do(new Tick())), StringComparison.Ordinal);
        Assert.Equal("-tamper:door-a.contact", NodeProbe.Say(again.Contact("door-a.contact", false)));
    }

    private Effects Line(string device, LineFault? fault, bool? active = null)
    {
        var contact = NodeProbe.Setup(null, ClockQuality.Synced).Contacts.Single(it => it.Device == device);
        return _node.Do(new ContactChanged(device, contact.Role, contact.Door, active, fault));
    }
}
