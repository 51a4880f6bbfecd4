using PhysSec.Hardware;
using PhysSec.Node.Commissioning;

namespace PhysSec.Tests.Commissioning;

public sealed class SupervisedCommissioningTests
{
    private static readonly DateTimeOffset _at = new(2026, 11, 23, 9, 0, 0, TimeSpan.FromHours(9));
    private static readonly SupervisedEntry _contact = new(
        "door-a.contact", DeviceRole.DoorContact, "door-a", 1, 0x49, 0, 3, LineContact.Open, new(2.2, 1, 1, null, 0.01));

    [Fact]
    public void A_supervised_line_is_moved_cut_and_shorted()
    {
        var run = Begin(_contact);

        See(run, (true, null), (false, null));
        Assert.Equal(CheckKind.WireIsWatched, run.Current!.Kind);
        See(run, (true, null), (false, null)); // Moving it shows nothing about its wire,
        See(run, (null, LineState.Shorted), (false, null)); // and a short is no cut.
        Assert.Equal(CheckKind.WireIsWatched, run.Current!.Kind);
        See(run, (null, LineState.Cut), (false, null));
        Assert.Equal(CheckKind.ShortIsWatched, run.Current!.Kind);
        See(run, (null, LineState.Cut), (false, null));
        Assert.Equal(CheckKind.ShortIsWatched, run.Current!.Kind);
        See(run, (null, LineState.Shorted), (false, null));

        Assert.Equal(["contactMoves:door-a.contact", "wireIsWatched:door-a.contact", "shortIsWatched:door-a.contact"], run.Results.Select(it => it.Check));
        Assert.All(run.Results, it => Assert.Equal(Outcome.Passed, it.Outcome));
    }

    [Fact]
    public void Where_a_cut_cannot_be_told_from_an_open_contact_it_must_be_seen_as_one()
    {
        var run = Begin(_contact with { Network = new(2.2, 10, null, null, 0.01) });

        See(run, (true, null), (false, null));
        See(run, (true, null), (false, null));

        Assert.Equal(CheckKind.ShortIsWatched, run.Current!.Kind);
    }

    [Fact]
    public void An_exit_button_on_a_supervised_line_is_a_way_out_to_be_proved()
    {
        var button = _contact with { Id = "door-a.button", Role = DeviceRole.ExitButton, Active = LineContact.Closed };
        var plan = CommissioningPlan.For(Board(button, new OutputEntry("door-a.lock", DeviceRole.Lock, "door-a", 24, Level.High, FailMode.FailSafe)));

        Assert.Contains(plan.Checks, it => it.Kind == CheckKind.ExitByButton);
        Assert.Contains(plan.Checks, it => it.Kind == CheckKind.WireIsWatched && it.Device == "door-a.button");
    }

    private static BoardFile Board(params DeviceEntry[] devices) =>
        new() { Name = "test", Hardware = new BoardHardware { Kind = HardwareKind.Simulated }, Devices = devices };

    private static CommissioningRun Begin(SupervisedEntry contact)
    {
        var run = new CommissioningRun(CommissioningPlan.For(Board(contact)), []);
        See(run, (false, null));
        run.Begin();
        return run;
    }

    private static void See(CommissioningRun run, params (bool? Active, LineState? Line)[] seen)
    {
        foreach (var (active, line) in seen) run.Take(new ContactSeen(_contact.Id, active, line), _at);
    }
}
