namespace PhysSec.Node.Enrolment;

/// <summary>What the installer brings: the hub's address, the one-time secret, and the pin of the site's authority.</summary>
public sealed record EnrolmentCode(Uri Hub, string Secret, string Pin)
{
    /// <summary>Null: it is none; Fault says why.</summary>
    public static EnrolmentCode? Parse(string text, out string? fault)
    {
        fault = null;
        if (!Uri.TryCreate(text.Trim(), UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http"))
            fault = "it does not begin with https://; copy it whole, in quotes, as physsec-hub enroll printed it";
        else if (uri.Scheme == "http" && !uri.IsLoopback)
            fault = "a hub on another machine is reached by https only; the hub must not listen in the clear";
        else if (uri.Fragment.TrimStart('#').Split('.') is not [{ Length: > 0 } secret, { Length: 32 } pin])
            fault = "the part after # is not whole; copy it in quotes: the shell takes # for a comment";
        else
            return new(new Uri(uri.GetLeftPart(UriPartial.Authority)), secret, pin.ToLowerInvariant());
        return null;
    }
}
