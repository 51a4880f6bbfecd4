using PhysSec.Core.Doors;
using PhysSec.Core.Wire;
using PhysSec.Hub.Access;
using PhysSec.Hub.Fleet;
using PhysSec.Hub.Storage;
using PhysSec.Hub.Web.Accounts;
using PhysSec.Hub.Web.Frame;

namespace PhysSec.Tests.Web;

/// <summary>Who may do what at a door from the console, and with whom (R-ACC-25).</summary>
public sealed class DoorDeskTests
{
    private static readonly DoorLive _locked = new("locked", false, false, false, DoorModes.Normal, 0, 0, null, []);

    [Fact]
    public async Task A_code_that_comes_twice_releases_the_door_once()
    {
        await using var room = await DoorRoom.OpenAsync();
        var code = room.Code(room.Admin);
        Assert.Equal("done", (await room.Desk.ReleaseAsync(room.Admin, code, DoorRoom.Door, "搬入")).Outcome);

        Assert.Equal("code", (await Assert.ThrowsAsync<InputException>(() => room.Desk.ReleaseAsync(room.Admin, code, DoorRoom.Door, "搬入"))).Field);

        Assert.Equal(Verbs.Release, Assert.Single(room.Node.Taken).Verb);
        Assert.Equal(["release Suzuki 搬入", "release-outcome hub"], room.Acts());
    }

    [Theory]
    [InlineData(DoorModes.Blocked, false)]
    [InlineData(DoorModes.Lockdown, false)]
    [InlineData(DoorModes.Normal, true)] // Ordered, and the node has not heard of it yet.
    public async Task While_entry_is_held_nothing_opens_the_room_from_the_corridor(string mode, bool ordered)
    {
        await using var room = await DoorRoom.OpenAsync();
        if (ordered) await room.Hub.Store.WriteAsync(it => it.Execute("update doors set lockdown = 1"), TestContext.Current.CancellationToken);
        foreach (var act in new Func<string, Task<CommandResult>>[] { code => room.Desk.ReleaseAsync(room.Admin, code, DoorRoom.Door, "搬入"), code => room.Desk.UnlockAsync(room.Admin, code, DoorRoom.Door, 15, "搬入") })
        {
            var code = room.Code(room.Admin);
            room.Say(_locked with { Mode = mode }); // What a silent node said last holds nothing here: that node judges it itself.
            Assert.Equal("door", (await Assert.ThrowsAsync<InputException>(() => act(code))).Field);
        }

        Assert.Empty(room.Node.Taken);
        Assert.Empty(room.Acts());
    }

    [Fact]
    public async Task A_block_is_ordered_with_its_end_and_ended_before_it()
    {
        await using var room = await DoorRoom.OpenAsync();
        await room.Desk.BlockAsync(room.Admin, room.Code(room.Admin), DoorRoom.Door, 30, "棚卸し");
        await room.Desk.EndOverrideAsync(room.Admin, room.Code(room.Admin), DoorRoom.Door, "終わった");

        Assert.Equal(
            [(Verbs.Mode, DoorModes.Blocked, "1800", "棚卸し"), (Verbs.Mode, DoorModes.Normal, "", "終わった")],
            room.Node.Taken.Select(it => (it.Verb, it.Arguments["mode"], it.Arguments.GetValueOrDefault("seconds", ""), it.Reason)));
        Assert.Equal(["block Suzuki 棚卸し", "block-outcome hub", "override-end Suzuki 終わった", "override-end-outcome hub"], room.Acts());
    }

    [Theory]
    [InlineData(2, 60, "done")]
    [InlineData(2, 61, "waits")]
    [InlineData(3, 1, "waits")]
    public async Task A_long_unlocking_and_every_one_at_level_3_waits_for_a_second_person(int level, int minutes, string expected)
    {
        await using var room = await DoorRoom.OpenAsync(level);
        Assert.Equal(expected, (await room.Desk.UnlockAsync(room.Admin, room.Code(room.Admin), DoorRoom.Door, minutes, "搬入")).Outcome);
        Assert.Equal(expected == "done" ? 1 : 0, room.Node.Taken.Count);
    }

    [Fact]
    public async Task How_long_one_person_may_unlock_is_the_site_s_to_say()
    {
        await using var room = await DoorRoom.OpenAsync(2, """{ "unlockAloneMinutes": 5, "unlockMinutesMax": 10 }""");
        Assert.Equal([5], room.Desk.Choices);
        Assert.Equal("done", (await room.Desk.UnlockAsync(room.Admin, room.Code(room.Admin), DoorRoom.Door, 5, "搬入")).Outcome);
        Assert.Equal(Unlockings.Waits, (await room.Desk.UnlockAsync(room.Admin, room.Code(room.Admin), DoorRoom.Door, 6, "搬入")).Outcome);
        Assert.Equal("minutes", (await Assert.ThrowsAsync<InputException>(() => room.Desk.UnlockAsync(room.Admin, room.Code(room.Admin), DoorRoom.Door, 11, "搬入"))).Field);
    }

    [Fact]
    public async Task What_one_person_unlocks_alone_at_a_door_is_added_up_over_a_day_and_another_starts_anew()
    {
        await using var room = await DoorRoom.OpenAsync(2);
        var other = await JoinedADayAgoAsync(room, Roles.Operator, "Ito");
        foreach (var (who, minutes, expected) in new[] { (room.Admin, 40, "done"), (room.Admin, 20, "done"), (other, 60, "done"), (room.Admin, 1, Unlockings.Waits) })
        {
            Assert.Equal(expected == Unlockings.Waits, room.Desk.NeedsSecond(who, DoorRoom.Door, minutes));
            Assert.Equal(expected, (await room.Desk.UnlockAsync(who, room.Code(who), DoorRoom.Door, minutes, "搬入")).Outcome);
        }

        await room.Desk.AgreeAsync(other, room.Code(other), room.Desk.Waiting(other).Single().Id);
        room.Hub.Time.Advance(TimeSpan.FromHours(24));
        Assert.Equal("done", (await room.Desk.UnlockAsync(room.Admin, room.Code(room.Admin), DoorRoom.Door, 60, "翌日")).Outcome);
    }

    [Fact]
    public async Task Of_orders_side_by_side_only_so_many_go_out_alone_as_one_after_the_other()
    {
        await using var room = await DoorRoom.OpenAsync(2);
        var orders = await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            try
            {
                return (await room.Get<Unlockings>().UnlockAsync(room.Admin.Actor, room.Admin.Id, DoorRoom.Door, 60, "搬入")).Outcome;
            }
            catch (InputException)
            {
                return "refused"; // Another one waits.
            }
        }));
        Assert.Single(orders, it => it == "done");
        Assert.Single(orders, it => it == Unlockings.Waits);
        Assert.Single(room.Node.Taken);
    }

    [Fact]
    public async Task A_second_person_s_yes_sends_the_order_once_with_both_names()
    {
        await using var room = await DoorRoom.OpenAsync(3);
        var second = await JoinedADayAgoAsync(room, Roles.Operator, "Ito");
        await room.Desk.UnlockAsync(room.Admin, room.Code(room.Admin), DoorRoom.Door, 15, "搬入");
        var order = Assert.Single(room.Desk.Waiting(second));

        Assert.Equal("done", (await room.Desk.AgreeAsync(second, room.Code(second), order.Id)).Outcome);
        await Assert.ThrowsAsync<InputException>(() => room.Desk.AgreeAsync(second, room.Code(second), order.Id));

        var command = Assert.Single(room.Node.Taken);
        Assert.Equal(("Suzuki + Ito", "搬入", "900"), (command.Actor, command.Reason, command.Arguments["seconds"]));
        Assert.Empty(room.Desk.Waiting(second));
        Assert.Equal(["unlock-requested Suzuki 搬入", "unlock Suzuki 搬入", "unlock-outcome hub"], room.Acts());
        Assert.Equal(1, room.Hub.Store.Read(it => it.Number("select count(*) from ledger where kind = 'hub.door.unlock' and body ->> '$.fact.after.agreedBy' = 'Ito'")));
    }

    [Fact]
    public async Task Nobody_is_the_second_person_to_an_own_order_nor_through_an_account_just_made()
    {
        await using var room = await DoorRoom.OpenAsync(3);
        var puppet = await room.JoinAsync(Roles.Operator, "Sato");
        await room.Desk.UnlockAsync(room.Admin, room.Code(room.Admin), DoorRoom.Door, 15, "搬入");
        var order = room.Desk.Waiting(room.Admin).Single().Id;

        foreach (var who in new[] { room.Admin, puppet })
            Assert.Equal("account", (await Assert.ThrowsAsync<InputException>(() => room.Desk.AgreeAsync(who, room.Code(who), order))).Field);

        Assert.Empty(room.Node.Taken);
        Assert.Single(room.Desk.Waiting(room.Admin));
    }

    [Fact]
    public async Task What_somebody_ordered_who_was_disabled_since_does_not_go_out()
    {
        await using var room = await DoorRoom.OpenAsync(3);
        var second = await JoinedADayAgoAsync(room, Roles.Operator, "Ito");
        await room.Desk.UnlockAsync(second, room.Code(second), DoorRoom.Door, 15, "搬入");
        var order = room.Desk.Waiting(room.Admin).Single().Id;
        Assert.True((await room.Get<AccountDesk>().SwitchAsync(room.Admin, second.Id, disable: true, "退職")).Ok);

        Assert.Contains("may not act", (await Assert.ThrowsAsync<InputException>(() => room.Desk.AgreeAsync(room.Admin, room.Code(room.Admin), order))).Message, StringComparison.Ordinal);
        Assert.Empty(room.Node.Taken);
    }

    [Fact]
    public async Task An_order_lapses_after_15_minutes_and_only_one_waits_at_a_door()
    {
        await using var room = await DoorRoom.OpenAsync(3);
        var second = await JoinedADayAgoAsync(room, Roles.Operator, "Ito");
        await room.Desk.UnlockAsync(room.Admin, room.Code(room.Admin), DoorRoom.Door, 15, "搬入");
        var order = room.Desk.Waiting(room.Admin).Single();
        Assert.Equal("door", (await Assert.ThrowsAsync<InputException>(() => room.Desk.UnlockAsync(room.Admin, room.Code(room.Admin), DoorRoom.Door, 5, "もう一度"))).Field);

        room.Hub.Time.SetUtcNow(order.Until);

        await Assert.ThrowsAsync<InputException>(() => room.Desk.AgreeAsync(second, room.Code(second), order.Id));
        Assert.Empty(room.Node.Taken);
        Assert.Equal(Unlockings.Waits, (await room.Desk.UnlockAsync(room.Admin, room.Code(room.Admin), DoorRoom.Door, 5, "もう一度")).Outcome);
    }

    [Fact]
    public async Task Whose_scope_the_door_is_not_in_neither_sees_nor_decides_an_order_about_it()
    {
        await using var room = await DoorRoom.OpenAsync(3);
        var elsewhere = await JoinedADayAgoAsync(room, Roles.Operator, "Ito", "archive");
        await room.Desk.UnlockAsync(room.Admin, room.Code(room.Admin), DoorRoom.Door, 15, "搬入");
        var order = room.Desk.Waiting(room.Admin).Single().Id;

        Assert.Empty(room.Desk.Waiting(elsewhere));
        await Assert.ThrowsAsync<NotAllowedException>(() => room.Desk.AgreeAsync(elsewhere, room.Code(elsewhere), order));
        await Assert.ThrowsAsync<NotAllowedException>(() => room.Desk.DropAsync(elsewhere, order));
        await Assert.ThrowsAsync<NotAllowedException>(() => room.Desk.BlockAsync(elsewhere, room.Code(elsewhere), DoorRoom.Door, 15, "搬入"));

        await room.Desk.DropAsync(room.Admin, order);
        Assert.Equal(["unlock-requested Suzuki 搬入", "unlock-dropped Suzuki 搬入"], room.Acts());
    }

    [Fact]
    public async Task What_the_node_refuses_is_on_record_as_refused()
    {
        await using var room = await DoorRoom.OpenAsync();
        room.Node.Refuses = "the fire contact of door-a is still active";
        Assert.Equal(new CommandResult("refused", room.Node.Refuses), await room.Desk.ConfirmReleaseAsync(room.Admin, room.Code(room.Admin), DoorRoom.Door, "室内を確認した"));
        Assert.Equal(Verbs.ConfirmRelease, room.Node.Taken.Single().Verb);
        Assert.Equal(1, room.Hub.Store.Read(it => it.Number("select count(*) from ledger where kind = 'hub.door.release-confirm-outcome' and body ->> '$.fact.after.outcome' = 'refused'")));
    }

    [Theory]
    [InlineData(ReaderActs.Install, 5, null, "door=door-a side=entry act=install minutes=5")]
    [InlineData(ReaderActs.Replace, 15, null, "door=door-a side=entry act=replace minutes=15")]
    [InlineData(ReaderActs.Rotate, null, null, "door=door-a side=entry act=rotate")]
    [InlineData(ReaderActs.Accept, null, "00A1B2-1-0000000B", "door=door-a side=entry act=accept device=00A1B2-1-0000000B")]
    [InlineData(ReaderActs.End, null, null, "door=door-a side=entry act=end")]
    public async Task An_act_at_a_reader_goes_to_its_node_with_who_and_why_and_is_on_record_before_and_after(string act, int? minutes, string? device, string arguments)
    {
        await using var room = await DoorRoom.OpenAsync();
        await room.Desk.ReaderAsync(room.Admin, room.Code(room.Admin), DoorRoom.Door, "entry", act, minutes, device, "リーダの故障");

        var command = Assert.Single(room.Node.Taken);
        Assert.Equal((Verbs.Reader, "Suzuki", "リーダの故障", arguments), (command.Verb, command.Actor, command.Reason, string.Join(' ', command.Arguments.Select(it => $"{it.Key}={it.Value}"))));
        Assert.Equal([$"reader-{act} Suzuki リーダの故障", $"reader-{act}-outcome hub"], room.Acts());
    }

    [Theory]
    [InlineData("up", ReaderActs.Rotate, null, null, "side")]
    [InlineData("entry", "polish", null, null, "act")]
    [InlineData("entry", ReaderActs.Install, null, null, "minutes")]
    [InlineData("entry", ReaderActs.Install, 0, null, "minutes")]
    [InlineData("entry", ReaderActs.Replace, 16, null, "minutes")]
    [InlineData("entry", ReaderActs.Accept, null, null, "device")]
    public async Task An_act_at_a_reader_that_is_not_whole_is_not_sent(string side, string act, int? minutes, string? device, string field)
    {
        await using var room = await DoorRoom.OpenAsync();
        Assert.Equal(field, (await Assert.ThrowsAsync<InputException>(() => room.Desk.ReaderAsync(room.Admin, room.Code(room.Admin), DoorRoom.Door, side, act, minutes, device, "交換"))).Field);
        Assert.Empty(room.Node.Taken);
        Assert.Empty(room.Acts());
    }

    [Fact]
    public async Task Only_an_administrator_gives_readers_their_keys_and_only_within_the_scope()
    {
        await using var room = await DoorRoom.OpenAsync();
        var (on, off) = (await room.JoinAsync(Roles.Operator, "Ito"), await room.JoinAsync(Roles.Administrator, "Kato", "archive"));
        foreach (var who in new[] { on, off })
            await Assert.ThrowsAsync<NotAllowedException>(() => room.Desk.ReaderAsync(who, room.Code(who), DoorRoom.Door, "entry", ReaderActs.Rotate, null, null, "交換"));
        await Assert.ThrowsAsync<InputException>(() => room.Get<DoorCommands>().ReaderAsync(on.Actor, DoorRoom.Door, "entry", ReaderActs.Rotate, null, null, "交換"));
        Assert.Empty(room.Node.Taken);
    }

    private static async Task<SignedIn> JoinedADayAgoAsync(DoorRoom room, string role, string name, string scope = "site")
    {
        var who = await room.JoinAsync(role, name, scope);
        room.Hub.Time.Advance(SecondPerson.Wait);
        return who;
    }
}
