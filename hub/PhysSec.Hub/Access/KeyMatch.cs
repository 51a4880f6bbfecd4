namespace PhysSec.Hub.Access;

/// <summary>What the key register says of an opening without a release.</summary>
public enum KeyVerdict
{
    /// <summary>No loan explains it yet; one may still be entered.</summary>
    Waiting = 0,

    /// <summary>A key of the door was lent.</summary>
    Matched = 1,

    /// <summary>None was, and none was entered in time: an intrusion is suspected.</summary>
    Unmatched = 2,
}

/// <summary>R-KEY-07: an opening without a release must match a loan of a key of that door.</summary>
public static class KeyMatch
{
    /// <summary>A key that was handed out in a hurry may be entered so long after the opening.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    /// <summary>Judges one opening. Borders belong to the loan: a door that opens in the moment of the lending, of the return, or just 15 min before the entry matches.</summary>
    /// <param name="openedAt">When the door opened, by the record's own time.</param>
    /// <param name="loans">Of the keys of that door.</param>
    /// <param name="now">By the clock that <see cref="KeyLoan.EnteredAt"/> follows.</param>
    /// <returns>The verdict and, when it is matched, every loan that explains the opening: with two keys out nobody can say which one it was.</returns>
    public static (KeyVerdict Verdict, IReadOnlyList<KeyLoan> Loans) Judge(DateTimeOffset openedAt, IEnumerable<KeyLoan> loans, DateTimeOffset now)
    {
        var latest = openedAt + Patience;
        var explaining = loans.Where(it => it.LentAt <= openedAt && !(it.EndedAt < openedAt) && it.EnteredAt <= latest).ToList();
        if (explaining.Count > 0) return (KeyVerdict.Matched, explaining);
        return (now > latest ? KeyVerdict.Unmatched : KeyVerdict.Waiting, []);
    }
}
