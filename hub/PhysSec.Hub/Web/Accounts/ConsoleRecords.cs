using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Web.Accounts;

/// <summary>Puts on the ledger what happens at the sign-in desk and what auditors look at.</summary>
public sealed class ConsoleRecords(Store store, TimeProvider clock)
{
    /// <summary>Nobody in particular acts where <paramref name="by"/> is null: somebody who has not signed in.</summary>
    public Task AddAsync(SignedIn? by, string what, string target, string reason) =>
        store.WriteAsync(it => Records.Act(it, new(by?.Actor ?? new("nobody signed in", "none", "console"), what, target, reason), clock.GetUtcNow()));
}
