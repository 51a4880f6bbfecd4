using PhysSec.Hub.Web.Accounts;

namespace PhysSec.Tests.Web;

/// <summary>Who may sign in, and who may change who may.</summary>
public sealed class AccountTests : IAsyncLifetime
{
    private const string Password = "a long enough sentence";
    private ConsoleRig _rig = null!;

    public async ValueTask InitializeAsync() => _rig = await ConsoleRig.StartAsync();

    public ValueTask DisposeAsync() => _rig.DisposeAsync();

    [Fact]
    public async Task The_first_link_makes_one_administrator_once()
    {
        var first = await _rig.FirstAdministratorAsync();
        Assert.Equal(Roles.Administrator, first.Role);
        Assert.Equal("fault.link", (await _rig.EnrolAsync(_rig.FirstLink!, "Somebody")).Fault);
        Assert.Null(await _rig.Desk.FirstLinkAsync());
    }

    [Fact]
    public async Task The_first_link_ends_after_a_day_and_with_the_next_start()
    {
        var second = await _rig.Desk.FirstLinkAsync();
        Assert.Null(await _rig.Desk.FindAsync(ConsoleRig.CodeOf(_rig.FirstLink!)));
        _rig.Clock.Advance(TimeSpan.FromHours(24));
        Assert.Equal("fault.link", (await _rig.EnrolAsync(second!, "Suzuki")).Fault);
    }

    [Theory]
    [InlineData("", Password, "fault.name")]
    [InlineData("Suzuki", "too short", "fault.password")]
    [InlineData("Suzuki", "suzuki is a fine name", "fault.password-name")]
    public async Task Weak_accounts_are_refused_and_the_link_stays_good(string name, string password, string expected)
    {
        Assert.Equal(expected, (await _rig.EnrolAsync(_rig.FirstLink!, name, password)).Fault);
        Assert.Null((await _rig.EnrolAsync(_rig.FirstLink!, "Suzuki")).Fault);
    }

    [Fact]
    public async Task A_code_works_once()
    {
        var who = await _rig.FirstAdministratorAsync();
        var code = _rig.NextCode(who);
        Assert.NotNull(await _rig.SignInAsync("Suzuki", Password, code));
        Assert.Null(await _rig.SignInAsync("Suzuki", Password, code));
        Assert.False(await _rig.Factor.TakeCodeAsync(who.Id, code));
    }

    [Fact]
    public async Task Of_many_who_bring_the_same_code_at_once_one_is_let_in()
    {
        var who = await _rig.FirstAdministratorAsync();
        var code = _rig.NextCode(who);
        var taken = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => _rig.Factor.TakeCodeAsync(who.Id, code))));
        Assert.Single(taken, it => it);
    }

    [Fact]
    public async Task A_recovery_code_stands_in_once()
    {
        var (_, _, codes) = await _rig.EnrolAsync(_rig.FirstLink!, "Suzuki");
        Assert.Equal(10, codes.Distinct().Count());
        Assert.NotNull(await _rig.SignInAsync("Suzuki", Password, codes[3].ToLowerInvariant()));
        Assert.Null(await _rig.SignInAsync("Suzuki", Password, codes[3]));
    }

    [Fact]
    public async Task Five_failures_shut_the_account_to_where_they_came_from_and_to_nobody_else()
    {
        var who = await _rig.FirstAdministratorAsync();
        for (var i = 0; i < 5; i++) Assert.Null(await _rig.SignInAsync("Suzuki", "wrong", "000000"));
        Assert.Null(await _rig.SignInAsync("Suzuki", Password, _rig.NextCode(who)));
        Assert.Equal(1, _rig.Acts("sign-in.locked"));
        Assert.NotNull(await _rig.SignInAsync("Suzuki", Password, _rig.NextCode(who), "192.0.2.2"));
        _rig.Clock.Advance(SignInTries.Pause);
        Assert.NotNull(await _rig.SignInAsync("Suzuki", Password, _rig.NextCode(who)));
    }

    [Fact]
    public async Task Tries_side_by_side_are_counted_each()
    {
        await _rig.FirstAdministratorAsync();
        await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => Task.Run(() => _rig.SignInAsync("Suzuki", "wrong", "000000"))));
        Assert.InRange(_rig.Acts("sign-in.failed"), 3, SignInTries.FromOneAddressMax); // The eleventh and twelfth failure are not worth a record each.
        Assert.Equal(10, _rig.Acts("sign-in.failed") + _rig.Acts("sign-in.locked"));
    }

    [Fact]
    public async Task An_account_that_is_guessed_at_from_everywhere_stays_open_to_where_its_owner_signed_in_before()
    {
        var who = await _rig.FirstAdministratorAsync();
        Assert.NotNull(await _rig.SignInAsync("Suzuki", Password, _rig.NextCode(who), "192.0.2.9"));
        for (var i = 0; i < SignInTries.FromAnywhereMax; i++) Assert.Null(await _rig.SignInAsync("Suzuki", "wrong", "000000", $"198.51.100.{i}"));
        Assert.Null(await _rig.SignInAsync("Suzuki", Password, _rig.NextCode(who), "203.0.113.7"));
        Assert.NotNull(await _rig.SignInAsync("Suzuki", Password, _rig.NextCode(who), "192.0.2.9"));
    }

    [Fact]
    public async Task A_flood_of_failures_leaves_a_handful_of_records()
    {
        await _rig.FirstAdministratorAsync();
        for (var i = 0; i < 500; i++) Assert.Null(await _rig.SignInAsync($"name {i}", "wrong", "000000"));
        Assert.InRange(_rig.Acts("sign-in.failed") + _rig.Acts("sign-in.locked"), 10, 30);
    }

    [Fact]
    public async Task What_a_disabled_administrator_has_handed_out_makes_no_account()
    {
        var first = await _rig.FirstAdministratorAsync();
        var second = await SecondAdministratorAsync(first);
        var link = (await _rig.Desk.InviteAsync(first, Roles.Operator, "site", "joins the team")).Link!;
        Assert.True((await _rig.Desk.SwitchAsync(second, first.Id, disable: true, "left")).Ok);
        Assert.Equal("fault.link", (await _rig.EnrolAsync(link, "Friend")).Fault);
    }

    [Fact]
    public async Task Nobody_decides_on_ones_own_disabling()
    {
        var first = await _rig.FirstAdministratorAsync();
        var second = await SecondAdministratorAsync(first);
        await _rig.Desk.InviteAsync(first, Roles.Auditor, "site", "the yearly audit");
        var making = Assert.Single(await _rig.Desk.WaitingAsync());
        var auditor = (await _rig.EnrolAsync((await _rig.Desk.ApproveAsync(second, making.Id, _rig.NextCode(second))).Link!, "Kansa")).Account!;
        await _rig.Desk.SwitchAsync(first, auditor.Id, disable: true, "moved");
        var pending = Assert.Single(await _rig.Desk.WaitingAsync());
        Assert.Equal("fault.not-yourself", (await _rig.Desk.RejectAsync(auditor, pending.Id)).Fault);
        Assert.Single(await _rig.Desk.WaitingAsync());
        Assert.True((await _rig.Desk.RejectAsync(first, pending.Id)).Ok);
    }

    [Fact]
    public async Task An_administrator_of_one_zone_switches_off_nobody_beyond_it()
    {
        var first = await _rig.FirstAdministratorAsync();
        var second = await SecondAdministratorAsync(first, "room-a");
        Assert.Equal("fault.scope-wider", (await _rig.Desk.SwitchAsync(second, first.Id, disable: true, "away with him")).Fault);
    }

    [Fact]
    public async Task A_name_that_looks_like_anothers_is_that_others_or_none()
    {
        await _rig.FirstAdministratorAsync();
        var link = await _rig.Desk.RecoverAsync("the phone is lost");
        Assert.Equal("fault.name-taken", (await _rig.EnrolAsync(link, "Ｓｕｚｕｋｉ")).Fault);
        Assert.Equal("fault.name", (await _rig.EnrolAsync(link, "Suzu\u200Bki")).Fault);
        Assert.Equal(Roles.Administrator, (await _rig.EnrolAsync(link, "Tanaka")).Account!.Role);
        Assert.Equal(1, _rig.Acts("account.recovery"));
    }

    [Fact]
    public async Task Sign_ins_and_failures_are_on_record()
    {
        var who = await _rig.FirstAdministratorAsync();
        await _rig.SignInAsync("Suzuki", Password, _rig.NextCode(who));
        await _rig.SignInAsync("Suzuki", "wrong", "000000");
        await _rig.SignInAsync("Nobody", "wrong", "000000");
        Assert.Equal((1, 2), (_rig.Acts("sign-in"), _rig.Acts("sign-in.failed")));
    }

    [Fact]
    public async Task Six_digits_cannot_be_guessed_from_an_open_session()
    {
        var who = await _rig.FirstAdministratorAsync();
        for (var i = 0; i < 5; i++) Assert.False(await _rig.Factor.TakeCodeAsync(who.Id, "no code"));
        Assert.False(await _rig.Factor.TakeCodeAsync(who.Id, _rig.NextCode(who)));
        _rig.Clock.Advance(TimeSpan.FromMinutes(15));
        Assert.True(await _rig.Factor.TakeCodeAsync(who.Id, _rig.NextCode(who)));
    }

    [Fact]
    public async Task An_administrator_alone_cannot_make_an_auditor()
    {
        var first = await _rig.FirstAdministratorAsync();
        var asked = await _rig.Desk.InviteAsync(first, Roles.Auditor, "site", "the yearly audit");
        Assert.True(asked is { Ok: true, Waits: true, Link: null });
        var pending = Assert.Single(await _rig.Desk.WaitingAsync());
        Assert.Equal("fault.second-person", (await _rig.Desk.ApproveAsync(first, pending.Id, _rig.NextCode(first))).Fault);
        Assert.Single(await _rig.Desk.WaitingAsync());
    }

    [Fact]
    public async Task A_second_administrator_approves_with_an_own_code()
    {
        var first = await _rig.FirstAdministratorAsync();
        var second = await SecondAdministratorAsync(first);
        await _rig.Desk.InviteAsync(first, Roles.Auditor, "site", "the yearly audit");
        var pending = Assert.Single(await _rig.Desk.WaitingAsync());
        Assert.Equal("fault.code", (await _rig.Desk.ApproveAsync(second, pending.Id, "000000")).Fault);
        var approved = await _rig.Desk.ApproveAsync(second, pending.Id, _rig.NextCode(second));
        Assert.Equal(Roles.Auditor, (await _rig.EnrolAsync(approved.Link!, "Kansa")).Account!.Role);
        Assert.Equal("fault.no-such-request", (await _rig.Desk.ApproveAsync(second, pending.Id, _rig.NextCode(second))).Fault);
    }

    [Fact]
    public async Task An_operator_approves_nothing_and_invites_nobody()
    {
        var first = await _rig.FirstAdministratorAsync();
        var clerk = await InvitedAsync(first, Roles.Operator, "Unyo");
        await _rig.Desk.InviteAsync(first, Roles.Auditor, "site", "the yearly audit");
        var pending = Assert.Single(await _rig.Desk.WaitingAsync());
        Assert.Equal("fault.not-allowed", (await _rig.Desk.ApproveAsync(clerk, pending.Id, _rig.NextCode(clerk))).Fault);
        Assert.Equal("fault.not-allowed", (await _rig.Desk.InviteAsync(clerk, Roles.Operator, "site", "a friend")).Fault);

        // Nor by claiming another role: the account is read anew.
        Assert.Equal("fault.not-allowed", (await _rig.Desk.InviteAsync(clerk with { Role = Roles.Administrator }, Roles.Operator, "site", "a friend")).Fault);
    }

    [Fact]
    public async Task An_administrator_alone_cannot_disable_an_auditor_and_the_auditor_does_not_approve_that_of_oneself()
    {
        var first = await _rig.FirstAdministratorAsync();
        var second = await SecondAdministratorAsync(first);
        var auditor = await AuditorAsync(first, second);
        Assert.True((await _rig.Desk.SwitchAsync(first, auditor.Id, disable: true, "left")).Waits);
        var pending = Assert.Single(await _rig.Desk.WaitingAsync());
        Assert.False(Assert.Single(await _rig.Desk.ListAsync(), it => it.Id == auditor.Id).Disabled);
        Assert.Equal("fault.not-yourself", (await _rig.Desk.ApproveAsync(auditor, pending.Id, _rig.NextCode(auditor))).Fault);
        Assert.True((await _rig.Desk.ApproveAsync(second, pending.Id, _rig.NextCode(second))).Ok);
        Assert.True(Assert.Single(await _rig.Desk.ListAsync(), it => it.Id == auditor.Id).Disabled);
    }

    [Fact]
    public async Task Disabling_an_account_ends_its_sessions_and_sign_in()
    {
        var first = await _rig.FirstAdministratorAsync();
        var clerk = await InvitedAsync(first, Roles.Operator, "Unyo");
        var session = _rig.PrincipalOf((await _rig.SignInAsync("Unyo", Password, _rig.NextCode(clerk)))!);
        Assert.True(await _rig.Sessions.IsAliveAsync(session));
        Assert.True((await _rig.Desk.SwitchAsync(first, clerk.Id, disable: true, "left")).Ok);
        Assert.False(await _rig.Sessions.IsAliveAsync(session));
        Assert.Null(await _rig.SignInAsync("Unyo", Password, _rig.NextCode(clerk)));
    }

    [Fact]
    public async Task A_session_ends_after_30_idle_minutes_and_after_8_hours_in_any_case()
    {
        var who = await _rig.FirstAdministratorAsync();
        var session = _rig.PrincipalOf((await _rig.SignInAsync("Suzuki", Password, _rig.NextCode(who)))!);
        var id = session.FindFirst(SignedIn.SessionClaim)!.Value;
        _rig.Clock.Advance(TimeSpan.FromMinutes(31));
        Assert.False(await _rig.Sessions.IsAliveAsync(session));

        session = _rig.PrincipalOf((await _rig.SignInAsync("Suzuki", Password, _rig.NextCode(who)))!);
        id = session.FindFirst(SignedIn.SessionClaim)!.Value;
        for (var i = 0; i < 23; i++)
        {
            _rig.Clock.Advance(TimeSpan.FromMinutes(20));
            Assert.True(await _rig.Sessions.IsAliveAsync(session));
            _rig.Sessions.Touch(id);
        }

        _rig.Clock.Advance(TimeSpan.FromMinutes(21));
        Assert.False(await _rig.Sessions.IsAliveAsync(session));
    }

    [Fact]
    public async Task Nobody_switches_off_the_own_account()
    {
        var first = await _rig.FirstAdministratorAsync();
        Assert.Equal("fault.not-yourself", (await _rig.Desk.SwitchAsync(first, first.Id, disable: true, "tired")).Fault);
    }

    [Fact]
    public async Task Nobody_is_invited_beyond_the_inviter_s_own_scope()
    {
        var first = await _rig.FirstAdministratorAsync();
        var zonal = (await _rig.EnrolAsync((await _rig.Desk.InviteAsync(first, Roles.Administrator, "zone-a,zone-b", "runs two zones")).Link!, "Sato")).Account!;
        Assert.Equal("fault.scope-wider", (await _rig.Desk.InviteAsync(zonal, Roles.Operator, "site", "a friend")).Fault);
        Assert.Equal("fault.scope-wider", (await _rig.Desk.InviteAsync(zonal, Roles.Operator, "zone-a,zone-c", "a friend")).Fault);
        Assert.True((await _rig.Desk.InviteAsync(zonal, Roles.Operator, "zone-b", "a colleague")).Ok);
    }

    private async Task<SignedIn> InvitedAsync(SignedIn by, string role, string name, string scope = "site") =>
        (await _rig.EnrolAsync((await _rig.Desk.InviteAsync(by, role, scope, "joins the team")).Link!, name)).Account!;

    /// <summary>The one whom the only administrator makes, a day later.</summary>
    private async Task<SignedIn> SecondAdministratorAsync(SignedIn first, string scope = "site")
    {
        var second = await InvitedAsync(first, Roles.Administrator, "Sato", scope);
        _rig.Clock.Advance(SecondPerson.Wait);
        return second;
    }

    private async Task<SignedIn> AuditorAsync(SignedIn first, SignedIn second)
    {
        await _rig.Desk.InviteAsync(first, Roles.Auditor, "site", "the yearly audit");
        var pending = Assert.Single(await _rig.Desk.WaitingAsync());
        return (await _rig.EnrolAsync((await _rig.Desk.ApproveAsync(second, pending.Id, _rig.NextCode(second))).Link!, "Kansa")).Account!;
    }
}
