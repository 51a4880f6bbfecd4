namespace PhysSec.Hub.Web.Accounts;

/// <summary>
/// When a change of accounts needs a second person, and who is one. Whoever alone makes an account holds its first password: for a day the two count as one person,
/// so that nobody approves oneself through an account just made, and the record of it has been seen.
/// </summary>
public static class SecondPerson
{
    public static readonly TimeSpan Wait = TimeSpan.FromHours(24);

    public static bool AreTwo(Account one, Account other, DateTimeOffset now) => Behind(one, now) != Behind(other, now);

    /// <summary>
    /// Making an administrator needs the approval of another person as soon as there is another administrator. One who was disabled within the last day still counts:
    /// nobody becomes the only one by disabling the others.
    /// </summary>
    public static bool IsNeededFor(string administratorId, IEnumerable<Account> administrators, DateTimeOffset now) =>
        administrators.Any(it => it.Id != administratorId && (!it.Disabled || (it.DisabledAt is { } at && now - at < Wait)));

    /// <summary>Who counts for this account: whoever made it alone within the last day, and stood behind that one then.</summary>
    public static string Behind(Account it, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(it);
        return it.AloneById is { } maker && it.AloneAt is { } at && now - at < Wait ? maker : it.Id;
    }
}
