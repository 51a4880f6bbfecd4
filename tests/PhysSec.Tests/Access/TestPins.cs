using PhysSec.Core;
using PhysSec.Core.Access;

namespace PhysSec.Tests.Access;

/// <summary>What the hub would make of codes that a test can know.</summary>
internal static class TestPins
{
    internal static readonly PinKey Key = PinKey.Of([.. Enumerable.Repeat((byte)7, 32)]);

    internal static Pin Of(PersonId person, string right, string duress, CredentialToken? alone = null)
    {
        var salt = new string('0', PinKey.SaltLength);
        return new(
            person, right.Length, salt, Key.Verifier(salt, right), Key.Verifier(salt, duress), alone,
            alone is null ? null : Key.Tag(right), alone is null ? null : Key.Tag(duress));
    }
}
