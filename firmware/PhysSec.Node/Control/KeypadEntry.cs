using PhysSec.Core;
using PhysSec.Core.Access;

namespace PhysSec.Node.Control;

/// <summary>Somebody whose card was good and who owes a PIN or a second person's card.</summary>
internal sealed record Owed(CredentialToken Credential, PersonId Person, DenialReason Reason, TimeSpan Since, TimeSpan Until);

/// <summary>
/// What has been shown and typed at one entry reader so far. Every key is taken alike and answered by nothing: # ends a code, * begins it anew, and so does a pause of ten seconds. After the card there are
/// 15 s for the code, longer while somebody types.
/// </summary>
internal sealed class KeypadEntry
{
    internal static readonly TimeSpan KeyTime = TimeSpan.FromSeconds(10);
    internal static readonly TimeSpan PinTime = TimeSpan.FromSeconds(15);

    /// <summary>However much is typed.</summary>
    internal static readonly TimeSpan PinTimeMax = TimeSpan.FromSeconds(60);

    private string _digits = "";
    private TimeSpan _keyAt;

    /// <summary>Null: nobody.</summary>
    internal Owed? Owed { get; private set; }

    internal void Owes(CredentialToken credential, AccessDecision.Denied missing, TimeSpan uptime, TimeSpan time)
    {
        Owed = new(credential, missing.Person!.Value, missing.Reason, uptime, uptime + time);
        _digits = "";
    }

    internal void Settle() => (Owed, _digits) = (null, "");

    /// <summary>A whole code, when this key ends one. More digits than a code can have are kept as one too many: it is wrong, and counts.</summary>
    internal string? Key(int key, TimeSpan uptime)
    {
        _keyAt = uptime;
        if (Owed is { Reason: DenialReason.PinRequired } owed && uptime + KeyTime > owed.Until)
            Owed = owed with { Until = uptime + KeyTime < owed.Since + PinTimeMax ? uptime + KeyTime : owed.Since + PinTimeMax };

        var typed = _digits;
        _digits = key switch
        {
            >= 0 and <= 9 when typed.Length <= PinRules.DigitsMax => typed + (char)('0' + key),
            >= 0 and <= 9 => typed,
            _ => "",
        };
        return key == KeyPressed.Hash && typed.Length > 0 ? typed : null;
    }

    /// <summary>Who has owed for too long, if anybody.</summary>
    internal Owed? Pass(TimeSpan uptime)
    {
        if (_digits.Length > 0 && uptime - _keyAt >= KeyTime) _digits = "";
        if (Owed is not { } late || uptime < late.Until) return null;
        Settle();
        return late;
    }

    /// <summary>Says nothing of what was typed.</summary>
    public override string ToString() => nameof(KeypadEntry);
}
