using System.Text.RegularExpressions;

namespace PhysSec.Hardware;

/// <summary>How a reader knows a card. Written in camelCase in a board file.</summary>
public enum ReaderProof
{
    /// <summary>By a number that anybody can copy: a UID, a FeliCa IDm, whatever comes over Wiegand.</summary>
    Number,

    /// <summary>The card proves itself with a key that lies in the reader.</summary>
    KeyInReader,

    /// <summary>The card proves itself with a key that lies in the controller.</summary>
    KeyAtController,
}

/// <summary>What a board file says of a reader beyond its wires.</summary>
/// <param name="Proof">How it knows a card.</param>
/// <param name="Card">The cards' technology, for people; null where the file does not say.</param>
public sealed record ReaderProfile(ReaderProof Proof, string? Card);

/// <summary>The profile of a reader of any type in a board file.</summary>
internal static partial class BoardParser
{
    private static ReaderProfile? Profile(FieldReader f, DeviceRole? role)
    {
        if (role is not (DeviceRole.EntryReader or DeviceRole.ExitReader)) return null;

        var proof = f.Choice<ReaderProof>("proof", required: false);
        var card = f.Text("card", CardPattern(), "Write the cards' technology in up to 64 characters, like \"MIFARE DESFire EV3\".", required: false);
        return proof is null && card is null ? null : new(proof ?? ReaderProof.Number, card);
    }

    [GeneratedRegex(@"^[\p{L}\p{N} ._/+()-]{1,64}\z")]
    private static partial Regex CardPattern();
}
