namespace PhysSec.Hub.Access;

/// <summary>
/// What to look for; null asks for nothing. Person is an id or part of a name or reading; kind may be a family like <c>access</c>; credential is the beginning of a card's code (4–64 hex digits, of
/// which eight count); zone finds the doors that were in it then; alarm is its key as the list of alarms shows it, or a class. From and to are about when it happened, or was received where the node did
/// not know the time. Cursor is the answer's Next. Limit 1–500. Searches shows also who searched for what: for auditors only.
/// </summary>
public sealed record LogFilter(
    DateTimeOffset? From = null, DateTimeOffset? To = null, string? Person = null, string? Door = null, string? Outcome = null, string? Reason = null,
    string? Kind = null, string? Node = null, bool? Late = null, long? Cursor = null, int Limit = 100, bool Searches = false,
    string? Credential = null, string? Zone = null, string? Alarm = null)
{
    private const int CredentialMin = 4;
    private const int CredentialMax = 64;
    private const int CredentialKept = 8;

    /// <summary>The same with blanks trimmed away and no more of a card's code than records show.</summary>
    /// <exception cref="InputException">The limit is outside 1–500, the end is not after the beginning, or the credential is no card's code.</exception>
    internal LogFilter Checked()
    {
        if (Limit is < 1 or > AccessLog.LimitMax) throw new InputException("limit", $"{Limit} is out of range", $"Give 1–{AccessLog.LimitMax}");
        if (From is { } from && To is { } to && from >= to) throw new InputException("to", "it is not after from", "Correct the period");
        var credential = Given(Credential)?.TrimEnd('…').ToLowerInvariant();
        if (credential is { Length: < CredentialMin or > CredentialMax } || credential?.All(char.IsAsciiHexDigitLower) == false) // What it was is not said: it might be a card's number.
            throw new InputException("credential", "it is not the beginning of a card's code", "Give 4–8 of the digits and letters a–f that the records show, never the number on the card");
        return this with
        {
            Person = Given(Person),
            Door = Given(Door),
            Outcome = Given(Outcome),
            Reason = Given(Reason),
            Kind = Given(Kind),
            Node = Given(Node),
            Zone = Given(Zone),
            Alarm = Given(Alarm),
            Credential = credential is { Length: > CredentialKept } ? credential[..CredentialKept] : credential,
        };
    }

    private static string? Given(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}

/// <summary>One record. At is null when the node's clock was unset; Body is the record's exact text.</summary>
public sealed record LogItem(
    long Id, string Node, long Epoch, string Stream, long Seq, DateTimeOffset? At, DateTimeOffset ReceivedAt, bool Late, string Kind, string? Door, string? Direction,
    string? Person, string? PersonName, string? Outcome, string? Reason, int? Code, string Body)
{
    /// <summary>When the text was deleted at the end of its retention, and the number of the record that certifies it; null: it is there.</summary>
    public DateTimeOffset? DeletedAt { get; init; }

    public long? Certificate { get; init; }
}

/// <summary>Newest first, by when it happened. Next is null at the end.</summary>
public sealed record LogPage(IReadOnlyList<LogItem> Items, long? Next);
