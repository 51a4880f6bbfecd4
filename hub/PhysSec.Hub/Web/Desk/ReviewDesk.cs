using Microsoft.EntityFrameworkCore;
using PhysSec.Hub.Access;
using PhysSec.Hub.Review;
using PhysSec.Hub.Web.Accounts;

namespace PhysSec.Hub.Web.Desk;

/// <summary>Reviews as persons make them: every signature takes the account's second factor, and the chief is another person than the reviewer.</summary>
public sealed class ReviewDesk(Reviews reviews, ReviewWatch watch, AccessLog log, SecondFactor factor, IDbContextFactory<OperatorsDb> databases, TimeProvider clock)
{
    /// <summary>Looks through the period; that somebody did is a record.</summary>
    public async Task<ReviewSheet> LookAsync(SignedIn by, string? id, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(by);
        var task = reviews.Find(id).Task;
        await log.SearchedAsync(by.Actor, new(task.From, task.To, Kind: "review"), cancel: cancel);
        return await reviews.LookAsync(id, cancel);
    }

    public async Task SignAsync(SignedIn by, string? code, string? id, NewSignature put)
    {
        ArgumentNullException.ThrowIfNull(by);
        await reviews.SignAsync(by.Actor, id, put, () => ConfirmAsync(by, code)); // A code works once: not for a list that has changed.
        await watch.RoundAsync(); // The alarm ends with what it was about.
    }

    public async Task AcknowledgeAsync(SignedIn by, string? code, string? id, string? remark, Instruction? instruction)
    {
        ArgumentNullException.ThrowIfNull(by);
        if (reviews.Find(id).Signature is { } signature && !await AreTwoAsync(by, signature.By))
            throw new InputException("review", "your account and the reviewer's were made by one administrator less than 24 h ago", "Have another person do it");
        await ConfirmAsync(by, code);
        await reviews.AcknowledgeAsync(by.Actor, id, remark, instruction);
        await watch.RoundAsync();
    }

    public async Task CloseAsync(SignedIn by, string? code, string? id, string? note)
    {
        await ConfirmAsync(by, code);
        await reviews.CloseAsync(by.Actor, id, note);
        await watch.RoundAsync();
    }

    private async Task ConfirmAsync(SignedIn by, string? code)
    {
        ArgumentNullException.ThrowIfNull(by);
        if (!await factor.TakeCodeAsync(by.Id, code)) throw new InputException("code", "the code is wrong or was already used", "Enter the next one from your authenticator");
    }

    // Somebody who signed under an account that is no more is another person.
    private async Task<bool> AreTwoAsync(SignedIn by, string name)
    {
        await using var db = await databases.CreateDbContextAsync();
        var (one, other) = (await db.Users.AsNoTracking().SingleOrDefaultAsync(it => it.Id == by.Id), await db.Users.AsNoTracking().SingleOrDefaultAsync(it => it.UserName == name));
        return one is not null && (other is null || SecondPerson.AreTwo(one, other, clock.GetUtcNow()));
    }
}
