using PhysSec.Hardware;
using PhysSec.Node.Commissioning;

namespace PhysSec.Tests.Commissioning;

/// <summary>An installer who does what is asked, and one who does not.</summary>
public sealed class CommissioningRunTests
{
    private static readonly DateTimeOffset _at = new(2026, 11, 23, 9, 0, 0, TimeSpan.FromHours(9));

    private readonly List<Act> _acts = [];

    [Fact]
    public void Every_device_of_the_board_and_every_way_out_is_in_the_plan()
    {
        var board = OneRoom(FailMode.FailSafe);
        var plan = CommissioningPlan.For(board);

        Assert.All(board.Devices, device => Assert.Contains(plan.Checks, it => it.Device == device.Id));
        Assert.Equal(plan.Checks.Count, plan.Checks.Select(it => it.Id).Distinct().Count());
        Assert.Equal(
            [CheckKind.LockHolds, CheckKind.LockReleases, CheckKind.ExitByButton, CheckKind.ExitByBreakGlass, CheckKind.ExitByFireContact, CheckKind.ExitWithoutBoard],
            plan.Checks.Where(it => it.Device == "door-a.lock").Select(it => it.Kind));
    }

    [Fact]
    public void A_lock_that_stays_shut_without_power_is_left_by_a_lever_and_by_nothing_that_cuts_its_power()
    {
        var plan = CommissioningPlan.For(OneRoom(FailMode.FailSecure));

        Assert.Equal(
            [CheckKind.LockHolds, CheckKind.LockReleases, CheckKind.ExitByLever, CheckKind.ExitWithoutBoard],
            plan.Checks.Where(it => it.Device == "door-a.lock").Select(it => it.Kind));
    }

    [Theory]
    [InlineData(DeviceRole.DoorContact, Level.High, Pull.Up, true)]
    [InlineData(DeviceRole.Leak, Level.Low, Pull.Down, true)]
    [InlineData(DeviceRole.MainsPresent, Level.Low, Pull.Up, false)]
    [InlineData(DeviceRole.DoorContact, Level.Low, Pull.Up, null)] // Closes when the leaf opens: a cut wire looks shut, and no check can be passed.
    [InlineData(DeviceRole.ExitButton, Level.Low, Pull.Up, null)]
    [InlineData(DeviceRole.Leak, Level.High, Pull.None, null)]
    public void A_cut_wire_is_checked_where_it_looks_like_an_alarm(DeviceRole role, Level active, Pull pull, bool? cut) =>
        Assert.Equal(cut, CommissioningPlan.StateOfCutWire(new InputEntry("x", role, null, 1, active, pull, TimeSpan.FromMilliseconds(30))));

    [Fact]
    public void An_installer_who_does_everything_passes_everything()
    {
        var run = Run(FailMode.FailSafe, out var plan);

        while (run.Current is { } check) DoWhatIsAsked(run, check);

        Assert.All(run.Results, it => Assert.Equal(Outcome.Passed, it.Outcome));
        Assert.Equal(plan.Checks.Select(it => it.Id), run.Results.Select(it => it.Check));
        Assert.Equal(plan.Checks.Count, _acts.OfType<Keep>().Count());
        Assert.All(_acts.OfType<SwitchOn>(), it => Assert.InRange(it.For, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public void A_word_alone_passes_nothing_that_the_board_can_see()
    {
        var run = Run(FailMode.FailSafe, out var plan);
        foreach (var check in plan.Checks)
        {
            Assert.Equal(check, run.Current);
            Do(run, new Answered("y"));
            var confirmed = check.Kind is CheckKind.LockHolds or CheckKind.ExitWithoutBoard or CheckKind.BoardIsProtected;
            if (check.Kind == CheckKind.LockHolds) Do(run, new ContactSeen("door-a.contact", true), new ContactSeen("door-a.contact", false), new Answered("y"));
            Assert.Equal(confirmed, run.Results.Any(it => it.Check == check.Id));
            if (!confirmed) Do(run, new Answered("s test"));
        }
    }

    [Fact]
    public void What_fails_or_is_left_out_carries_its_reason()
    {
        var run = Run(FailMode.FailSafe, out _);

        Do(run, new Answered("n"), new Answered("s "), new Answered("nonsense"));
        Assert.Empty(run.Results);
        Do(run, new Answered("n the contact is glued"), new Answered("s part is missing"));

        Assert.Equal([(Outcome.Failed, "the contact is glued"), (Outcome.Skipped, "part is missing")], run.Results.Select(it => (it.Outcome, it.Reason)));
    }

    [Fact]
    public void How_a_contact_stands_at_the_start_is_no_movement()
    {
        var run = Run(FailMode.FailSafe, out _, contactsKnown: false);

        Do(run, new ContactSeen("door-a.contact", false), new ContactSeen("door-a.contact", true));
        Assert.Empty(run.Results);
        Do(run, new ContactSeen("door-a.contact", false));

        Assert.Equal("open → shut", Assert.Single(run.Results).Seen);
    }

    [Fact]
    public void The_exit_button_proves_the_button_and_not_the_break_glass()
    {
        var run = At(CheckKind.ExitByBreakGlass);

        Do(run, Leave("door-a.button"));
        Assert.Equal(CheckKind.ExitByBreakGlass, run.Current!.Kind);
        Do(run, Leave());

        Assert.Equal(CheckKind.ExitByFireContact, run.Current!.Kind);
    }

    [Fact]
    public void A_leaf_that_opens_without_the_button_does_not_prove_the_button()
    {
        var run = At(CheckKind.ExitByButton);

        Do(run, Leave());
        Assert.Equal(CheckKind.ExitByButton, run.Current!.Kind);
        Do(run, Leave("door-a.button"));

        Assert.Equal(CheckKind.ExitByBreakGlass, run.Current!.Kind);
    }

    [Fact]
    public void Before_a_way_out_is_shown_the_lock_is_off_again()
    {
        var run = At(CheckKind.LockReleases);

        Do(run, new Answered(""), new Answered("n it does not let go"));

        Assert.Equal("door-a.lock", Assert.Single(_acts.OfType<SwitchOff>()).Device);
        Assert.True(_acts.FindIndex(it => it is SwitchOff) > _acts.FindIndex(it => it is SwitchOn { Device: "door-a.lock" }));
    }

    [Fact]
    public void A_leaf_that_opens_while_nothing_released_it_passes_no_release()
    {
        var run = At(CheckKind.LockReleases);

        Do(run, Leave());
        Assert.Equal(CheckKind.LockReleases, run.Current!.Kind);
        Do(run, new Answered(""), new SwitchedOff("door-a.lock"));
        Do(run, Leave());
        Assert.Equal(CheckKind.LockReleases, run.Current!.Kind);
        Do(run, new Answered(""));
        Do(run, Leave());

        Assert.Equal(CheckKind.ExitByButton, run.Current!.Kind);
    }

    [Fact]
    public void A_sensor_without_a_value_cannot_be_called_right()
    {
        var run = At(CheckKind.ValuesAreRight);

        Do(run, new Measured("room", [("room.temperature", null, "Absent")]), new Answered("y"));
        Assert.Equal(CheckKind.ValuesAreRight, run.Current!.Kind);
        Do(run, new Answered("r"), new Measured("room", [("room.temperature", "24.1 °C", null)]), new Answered("y"));

        Assert.Contains("24.1 °C", run.Results[^1].Seen, StringComparison.Ordinal);
    }

    [Fact]
    public void A_card_at_another_reader_and_a_spoilt_frame_pass_nothing()
    {
        var run = At(CheckKind.CardIsRead);

        Do(run, new CardSeen("door-a.exit", 26), new FrameSpoilt("door-a.entry", "Parity"));
        Assert.Equal("door-a.entry", run.Current!.Device);
        Do(run, new CardSeen("door-a.entry", 26));

        Assert.Equal("spoilt: Parity, a card of 26 bits", run.Results[^1].Seen);
    }

    [Fact]
    public void A_later_run_asks_again_what_did_not_pass_and_forgets_what_the_plan_no_longer_knows()
    {
        var plan = CommissioningPlan.For(OneRoom(FailMode.FailSafe));
        var first = plan.Checks[0];
        var run = new CommissioningRun(plan, [new(first.Id, Outcome.Passed, "open → shut", null, _at), new(plan.Checks[1].Id, Outcome.Skipped, null, "later", _at), new("contactMoves:gone", Outcome.Passed, null, null, _at)]);

        Assert.Equal(plan.Checks[1], run.Current);
        Assert.Equal([first.Id], run.Results.Select(it => it.Check));
    }

    private static BoardFile OneRoom(FailMode mode) => BoardFile.Parse(
        File.ReadAllText(Path.Combine(Root(), "hardware", "boards", "one-room-simulated.json")).Replace("failSafe", mode == FailMode.FailSafe ? "failSafe" : "failSecure", StringComparison.Ordinal), "one-room");

    private static string Root()
    {
        var it = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(it!.FullName, "PhysSec.sln"))) it = it.Parent;
        return it.FullName;
    }

    private static Signal[] Leave(string? button = null) => button is null
        ? [new ContactSeen("door-a.contact", true), new ContactSeen("door-a.contact", false)]
        : [new ContactSeen(button, true), new ContactSeen(button, false), new ContactSeen("door-a.contact", true), new ContactSeen("door-a.contact", false)];

    private CommissioningRun Run(FailMode mode, out CommissioningPlan plan, bool contactsKnown = true)
    {
        var board = OneRoom(mode);
        plan = CommissioningPlan.For(board);
        var run = new CommissioningRun(plan, []);
        if (contactsKnown) foreach (var it in board.Devices.OfType<InputEntry>()) run.Take(new ContactSeen(it.Id, it.Role == DeviceRole.MainsPresent), _at);
        _acts.AddRange(run.Begin());
        return run;
    }

    /// <summary>A run in which everything before the first check of a kind has passed.</summary>
    private CommissioningRun At(CheckKind kind)
    {
        var run = Run(FailMode.FailSafe, out _);
        while (run.Current is { } check && check.Kind != kind) DoWhatIsAsked(run, check);
        _acts.Clear();
        return run;
    }

    private void DoWhatIsAsked(CommissioningRun run, Check check)
    {
        var mains = check.Device == "mains";
        Do(run, check.Kind switch
        {
            CheckKind.ContactMoves or CheckKind.WireIsWatched => [new ContactSeen(check.Device, !mains), new ContactSeen(check.Device, mains)],
            CheckKind.CardIsRead => [new CardSeen(check.Device, 26)],
            CheckKind.ValuesAreRight => [new Measured(check.Device, [("room.temperature", "24 °C", null)]), new Answered("y")],
            CheckKind.OutputIsSeen => [new Answered(""), new SwitchedOff(check.Device), new Answered("y")],
            CheckKind.LockReleases => [new Answered(""), .. Leave()],
            CheckKind.ExitByButton => Leave("door-a.button"),
            CheckKind.ExitByLever or CheckKind.ExitByBreakGlass or CheckKind.ExitByFireContact => Leave(),
            _ => [new Answered("y")],
        });
    }

    private void Do(CommissioningRun run, params Signal[] signals)
    {
        foreach (var it in signals) _acts.AddRange(run.Take(it, _at));
    }
}
