using PhysSec.Hub.Access;
using PhysSec.Hub.Fleet;
using PhysSec.Hub.Web.Accounts;

namespace PhysSec.Hub.Web.Desk;

/// <summary>What persons do at doors from the console. Scope and second factor are checked here, on the server, whatever a page showed; a code works once, so that nothing is done twice by it.</summary>
public sealed class DoorDesk(Doors doors, DoorCommands commands, Unlockings unlockings, ReleasePaths paths, SecondFactor factor, AccountDesk accounts)
{
    /// <summary>What waits for a second person, within the scope.</summary>
    public IReadOnlyList<UnlockRequest> Waiting(SignedIn? who) => [.. unlockings.Waiting().Where(it => who is not null && Covers(who, it.Door))];

    /// <summary>The times that may be chosen, in minutes.</summary>
    public IReadOnlyList<int> Choices => unlockings.Choices;

    /// <summary>Whether somebody who unlocks this door for so long needs a second person.</summary>
    public bool NeedsSecond(SignedIn by, string door, int minutes)
    {
        ArgumentNullException.ThrowIfNull(by);
        return unlockings.NeedsSecond(by.Actor.Name, door, minutes);
    }

    public async Task<CommandResult> ReleaseAsync(SignedIn by, string code, string door, string reason) =>
        await commands.ReleaseAsync(await ConfirmedAsync(by, code, door), door, reason);

    public async Task<CommandResult> LockdownAsync(SignedIn by, string code, string door, bool on, string reason) =>
        await commands.LockdownAsync(await ConfirmedAsync(by, code, door), door, on, reason);

    public async Task<CommandResult> UnlockAsync(SignedIn by, string code, string door, int minutes, string reason) =>
        await unlockings.UnlockAsync(await ConfirmedAsync(by, code, door), by.Id, door, minutes, reason);

    public async Task<CommandResult> BlockAsync(SignedIn by, string code, string door, int minutes, string reason) =>
        await commands.BlockAsync(await ConfirmedAsync(by, code, door), door, minutes, reason);

    public async Task<CommandResult> EndOverrideAsync(SignedIn by, string code, string door, string reason) =>
        await commands.EndOverrideAsync(await ConfirmedAsync(by, code, door), door, reason);

    public async Task<CommandResult> ConfirmReleaseAsync(SignedIn by, string code, string door, string reason) =>
        await commands.ConfirmReleaseAsync(await ConfirmedAsync(by, code, door), door, reason);

    /// <summary>Says yes to what another person ordered.</summary>
    /// <exception cref="InputException">It waits no longer, or this is no second person, or the code is wrong.</exception>
    public async Task<CommandResult> AgreeAsync(SignedIn by, string code, string id)
    {
        var request = unlockings.Find(id);
        Within(by, request.Door);
        var fault = await accounts.SecondPersonFaultAsync(by, request.Account is { } account ? [account] : [], code, Roles.Administrator, Roles.Operator);
        if (fault == "fault.code") throw WrongCode();
        if (fault is not null) throw new InputException("account", "you are no second person to this order", "Have somebody else confirm it, whose account neither of you made within the last 24 h");
        if (request.Account is { } asker && !await accounts.MayOperateAsync(asker)) throw new InputException("account", "whoever gave this order may not act any more", "Say no to it, and order it yourself if it is still needed");
        return await unlockings.ConfirmAsync(by.Actor, id);
    }

    /// <summary>Takes an order back, or says no to it.</summary>
    public Task DropAsync(SignedIn by, string id)
    {
        Within(by, unlockings.Find(id).Door);
        return unlockings.DropAsync(by.Actor, id);
    }

    /// <summary>The ways out within the scope whose test is due.</summary>
    public IReadOnlyList<ReleasePath> WaysOut(SignedIn? who) => [.. paths.List().Where(it => it.Due && who?.Covers(it.Zone) == true)];

    public ReleaseMeasure? Measure(string door, DateTimeOffset since) => paths.Measure(door, since);

    public Task RecordTestAsync(SignedIn by, string door, DateTimeOffset since, string remark)
    {
        Within(by, door);
        return paths.RecordAsync(by.Actor, door, since, remark);
    }

    private async Task<Ledger.Actor> ConfirmedAsync(SignedIn by, string code, string door)
    {
        Within(by, door);
        return await factor.TakeCodeAsync(by.Id, code) ? by.Actor : throw WrongCode();
    }

    private static InputException WrongCode() => new("code", "the code is wrong or was already used", "Enter the next one from your authenticator");

    /// <exception cref="Frame.NotAllowedException">The door lies outside the scope.</exception>
    private void Within(SignedIn by, string door)
    {
        ArgumentNullException.ThrowIfNull(by);
        if (!Covers(by, door)) throw new Frame.NotAllowedException();
    }

    private bool Covers(SignedIn by, string door) => doors.Get(door) is { } it && by.Covers(it.Zone);
}
