using static PhysSec.Core.Access.PolicyCheck;

namespace PhysSec.Core.Access;

/// <summary>The part of <see cref="PolicyCheck"/> that is about PINs: shape, length and limits.</summary>
internal static class PinCheck
{
    internal static void Throw(Policy policy)
    {
        var pins = policy.Pins ?? [];
        Unique(pins, "pins", it => it.Person);
        var owners = policy.Credentials.ToDictionary(it => it.Token, it => it.Person);
        foreach (var it in pins) Shape(it, owners);

        var alone = pins.Where(it => it.Alone is not null).ToList();
        var tags = new HashSet<string?>();
        foreach (var it in alone)
            Need(tags.Add(it.AloneRight) && tags.Add(it.AloneDuress), $"pins[{it.Person}].alone", "the code is another's too", "Issue the PIN anew");

        var digits = PinRules.DigitsAlone(2 * alone.Count);
        foreach (var it in alone)
            Need(it.Digits >= digits, $"pins[{it.Person}].digits", $"{it.Digits} digits are too few for {2 * alone.Count} codes that work without a card", $"Issue a PIN of at least {digits} digits, or one that works only with a card");

        if (policy.PinLimits is not { } limits) return;
        Budget("person", limits.Person);
        Budget("personLong", limits.PersonLong);
        Budget("reader", limits.Reader);
        Budget("node", limits.Node);
    }

    private static void Shape(Pin it, Dictionary<CredentialToken, PersonId> owners)
    {
        var at = $"pins[{it.Person}]";
        Range($"{at}.digits", it.Digits, PinRules.DigitsMin, PinRules.DigitsMax, "digits");
        Hex($"{at}.salt", it.Salt, PinKey.SaltLength);
        Hex($"{at}.right", it.Right, 64);
        Hex($"{at}.duress", it.Duress, 64);
        Need(it.Right != it.Duress, $"{at}.duress", "it is the code that opens without an alarm", "Issue the PIN anew");
        if (it is { Alone: null, AloneRight: null, AloneDuress: null }) return;
        Need(it.Alone is { } token && owners.TryGetValue(token, out var owner) && owner == it.Person, $"{at}.alone", "it names no credential of this person", "Issue the PIN anew");
        Hex($"{at}.aloneRight", it.AloneRight, 64);
        Hex($"{at}.aloneDuress", it.AloneDuress, 64);
    }

    private static void Budget(string name, GuessBudget it)
    {
        Range($"pinLimits.{name}.burst", it.Burst, 1, 1000, "codes");
        Range($"pinLimits.{name}.refillSeconds", it.RefillSeconds, 60, GuessBudget.RefillMax, "s");
    }

    private static void Hex(string field, string? value, int length) =>
        Need(value?.Length == length && value.All(char.IsAsciiHexDigitLower), field, $"it is not {length} hex digits", "Issue the PIN anew");
}
