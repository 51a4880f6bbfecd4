using System.Security.Cryptography;

namespace PhysSec.Core.Wire;

/// <summary>What a board sends: the secret part of its one-time code and a PKCS #10 request, in PEM, signed by the key that it made.</summary>
public sealed record EnrolmentRequest(string? Code, string? Request);

/// <summary>What a board gets; certificates and keys in PEM. The site key (64 hex digits) is a secret; Board is the board file of the node that this board replaces.</summary>
public sealed record Enrolment(
    string Site, string Node, long Epoch, string Certificate, string Authority, string SiteKey, string HubKey, BrokerAddress Broker, string? Board = null);

/// <summary>Host is also the name in the broker's certificate.</summary>
public sealed record BrokerAddress(string Host, int Port);

/// <summary>How an enrolment code names the site's authority, so that a board tells the code to no other hub.</summary>
public static class AuthorityPin
{
    private const int Bytes = 16;

    /// <summary>32 lower-case hex digits: the first 16 bytes of the SHA-256 of the authority's certificate.</summary>
    /// <param name="certificate">DER.</param>
    public static string Of(ReadOnlySpan<byte> certificate) => Convert.ToHexStringLower(SHA256.HashData(certificate).AsSpan(0, Bytes));
}
