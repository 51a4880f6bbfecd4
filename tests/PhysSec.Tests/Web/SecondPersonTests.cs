using PhysSec.Hub.Storage;
using PhysSec.Hub.Web.Accounts;

namespace PhysSec.Tests.Web;

/// <summary>Nobody approves oneself through an account just made.</summary>
public sealed class SecondPersonTests : IAsyncLifetime
{
    private ConsoleRig _rig = null!;
    private SignedIn _first = null!;

    public async ValueTask InitializeAsync()
    {
        _rig = await ConsoleRig.StartAsync();
        _first = await _rig.FirstAdministratorAsync();
    }

    public ValueTask DisposeAsync() => _rig.DisposeAsync();

    [Fact]
    public async Task Whom_the_only_administrator_makes_is_no_second_person_for_a_day_in_either_direction()
    {
        var puppet = await JoinAsync("Sato");
        var mine = await AskAsync(_first);
        var theirs = await AskAsync(puppet);
        Assert.Equal("fault.second-person-new", (await _rig.Desk.ApproveAsync(puppet, mine.Id, _rig.NextCode(puppet))).Fault);
        Assert.Equal("fault.second-person-new", (await _rig.Desk.ApproveAsync(_first, theirs.Id, _rig.NextCode(_first))).Fault);

        _rig.Clock.Advance(SecondPerson.Wait);
        Assert.True((await _rig.Desk.ApproveAsync(puppet, mine.Id, _rig.NextCode(puppet))).Ok);
    }

    [Fact]
    public async Task Two_whom_the_same_administrator_made_alone_do_not_approve_each_other()
    {
        var links = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => _rig.Desk.InviteAsync(_first, Roles.Administrator, "site", "joins")));
        var one = (await _rig.EnrolAsync(links[0].Link!, "Sato")).Account!;
        var other = (await _rig.EnrolAsync(links[1].Link!, "Ito")).Account!;
        var asked = await AskAsync(one);
        Assert.Equal("fault.second-person-new", (await _rig.Desk.ApproveAsync(other, asked.Id, _rig.NextCode(other))).Fault);
    }

    [Fact]
    public async Task Nobody_is_the_second_person_through_an_account_that_an_account_just_made_has_made()
    {
        var puppet = await JoinAsync("Sato");
        var invited = await _rig.Desk.InviteAsync(puppet, Roles.Operator, "site", "joins");
        var theirs = (await _rig.EnrolAsync(invited.Link!, "Ito")).Account!;
        Assert.Equal("fault.second-person-new", await _rig.Desk.SecondPersonFaultAsync(theirs, [_first.Id], _rig.NextCode(theirs), Roles.Operator));

        _rig.Clock.Advance(SecondPerson.Wait);
        Assert.Null(await _rig.Desk.SecondPersonFaultAsync(theirs, [_first.Id], _rig.NextCode(theirs), Roles.Operator));
    }

    [Fact]
    public async Task A_further_administrator_needs_the_approval_of_another_and_then_counts_at_once()
    {
        var second = await JoinAsync("Sato");
        _rig.Clock.Advance(SecondPerson.Wait);

        Assert.True(await _rig.Desk.InviteAsync(_first, Roles.Administrator, "site", "joins") is { Ok: true, Waits: true, Link: null });
        var pending = Assert.Single(await _rig.Desk.WaitingAsync());
        Assert.Equal("fault.second-person", (await _rig.Desk.ApproveAsync(_first, pending.Id, _rig.NextCode(_first))).Fault);
        var approved = await _rig.Desk.ApproveAsync(second, pending.Id, _rig.NextCode(second));
        var third = (await _rig.EnrolAsync(approved.Link!, "Ito")).Account!;
        Assert.Equal(Roles.Administrator, third.Role);

        var asked = await AskAsync(_first);
        Assert.True((await _rig.Desk.ApproveAsync(third, asked.Id, _rig.NextCode(third))).Ok);
    }

    [Fact]
    public async Task Nobody_becomes_the_only_administrator_by_disabling_the_others()
    {
        var second = await JoinAsync("Sato");
        Assert.True((await _rig.Desk.SwitchAsync(_first, second.Id, disable: true, "looks stolen")).Ok);
        Assert.True((await _rig.Desk.InviteAsync(_first, Roles.Administrator, "site", "joins")).Waits);
        Assert.True((await _rig.Desk.SwitchAsync(_first, second.Id, disable: false, "was not stolen")).Waits);

        _rig.Clock.Advance(SecondPerson.Wait);
        Assert.False((await _rig.Desk.InviteAsync(_first, Roles.Administrator, "site", "joins")).Waits);
    }

    [Fact]
    public async Task An_administrator_whom_the_only_one_has_back_is_as_new()
    {
        var second = await JoinAsync("Sato");
        await _rig.Desk.SwitchAsync(_first, second.Id, disable: true, "on leave");
        _rig.Clock.Advance(SecondPerson.Wait);
        Assert.False((await _rig.Desk.SwitchAsync(_first, second.Id, disable: false, "back")).Waits);

        var asked = await AskAsync(_first);
        Assert.Equal("fault.second-person-new", (await _rig.Desk.ApproveAsync(second, asked.Id, _rig.NextCode(second))).Fault);
    }

    [Fact]
    public async Task What_a_disabled_administrator_asked_for_is_not_approved()
    {
        var second = await JoinAsync("Sato");
        _rig.Clock.Advance(SecondPerson.Wait);
        var asked = await AskAsync(second);
        await _rig.Desk.SwitchAsync(_first, second.Id, disable: true, "left");
        Assert.Equal("fault.asker-disabled", (await _rig.Desk.ApproveAsync(_first, asked.Id, _rig.NextCode(_first))).Fault);
    }

    [Fact]
    public async Task That_nobody_else_approved_is_on_record()
    {
        await JoinAsync("Sato");
        Assert.Equal(1, _rig.Store.Read(it => it.Number("select count(*) from ledger where kind = 'hub.account.invited' and cast(body as text) like '%nobody else approved%'")));
    }

    private async Task<SignedIn> JoinAsync(string name) =>
        (await _rig.EnrolAsync((await _rig.Desk.InviteAsync(_first, Roles.Administrator, "site", "joins")).Link!, name)).Account!;

    private async Task<PendingChange> AskAsync(SignedIn by)
    {
        Assert.True((await _rig.Desk.InviteAsync(by, Roles.Auditor, "site", "the yearly audit")).Waits);
        return Assert.Single(await _rig.Desk.WaitingAsync(), it => it.RequestedById == by.Id);
    }
}
