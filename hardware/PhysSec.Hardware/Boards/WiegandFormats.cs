using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace PhysSec.Hardware;

/// <summary>The formats of a Wiegand reader in a board file.</summary>
internal static partial class BoardParser
{
    private const string FormatsRemedy =
        "Write a list of \"26\", \"34\", \"37\", \"raw32\" or formats of your own, like {\"name\": \"city-40\", \"length\": 40, \"number\": \"2-39\", "
        + "\"parity\": [{\"bit\": 1, \"kind\": \"even\", \"over\": \"2-20\"}, {\"bit\": 40, \"kind\": \"odd\", \"over\": \"21-39\"}]}.";

    private static CardFormat Formats(FieldReader f, bool keypad, List<BoardFault> faults)
    {
        const string shorthand = "Write \"parity\" or \"raw32\", or \"formats\" instead.";
        var named = f.Text("format", FormatPattern(), shorthand, required: false);
        if (f.Element("formats", false, FormatsRemedy) is not { } list) return named == "raw32" ? CardFormat.Raw32 : CardFormat.Parity;

        if (f.Has("format")) f.Note("format", "A reader has \"format\" or \"formats\", not both.", "Remove one of them.");
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() is 0 or > 8)
        {
            f.Note("formats", $"{FieldReader.Shown(list)} is not a list of 1 to 8 formats.", FormatsRemedy);
            return CardFormat.Parity;
        }

        var formats = new List<WiegandFormat>();
        foreach (var (i, element) in list.EnumerateArray().Index())
        {
            var at = string.Create(CultureInfo.InvariantCulture, $"formats[{i}]");
            var before = faults.Count;
            var format = element.ValueKind switch
            {
                JsonValueKind.String => WiegandFormat.Known.FirstOrDefault(it => it.Name == element.GetString()),
                JsonValueKind.Object => Format(new FieldReader(element, f.At(at), faults), faults),
                _ => null,
            };
            if (format is null)
            {
                if (faults.Count == before) f.Note(at, $"{FieldReader.Shown(element)} is no format.", FormatsRemedy);
                continue;
            }

            if (formats.Find(it => it.Length == format.Length) is { } same)
                f.Note(at, $"\"{format.Name}\" and \"{same.Name}\" both have {format.Length} bits: a frame would not say which it is.", "Keep one format of each length.");
            if (keypad && format.Length is 4 or 8) f.Note(at, $"On a reader with a keypad {format.Length} bits are a key.", "Remove the format, or the keypad.");
            formats.Add(format);
        }

        return new(formats);
    }

    private static WiegandFormat? Format(FieldReader f, List<BoardFault> faults)
    {
        var before = faults.Count;
        var name = f.Text("name", DoorPattern(), "Use a-z, 0-9 and '-', up to 32 long.") ?? "";
        var length = f.Integer("length", 4, WiegandFrame.BitsMax, null, "Write the frame's bits, parity included: 4 to 64.");
        var data = Bits(f, "number", length, required: true) | Bits(f, "facility", length, required: false);
        var parities = new List<WiegandParity>();
        var own = 0UL;
        const string remedy = "Write \"parity\": [ {\"bit\": 1, \"kind\": \"even\", \"over\": \"2-13\"} ], 1 to 8.";
        if (f.Element("parity", true, remedy) is { } list)
        {
            if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() is 0 or > 8 || list.EnumerateArray().Any(it => it.ValueKind != JsonValueKind.Object))
                f.Note("parity", "This is not a list of 1 to 8 parity bits.", remedy);
            else
                foreach (var (i, element) in list.EnumerateArray().Index())
                    parities.Add(Parity(new FieldReader(element, f.At(string.Create(CultureInfo.InvariantCulture, $"parity[{i}]")), faults), length, ref own));
        }

        f.Finish();
        if (faults.Count > before) return null;
        if ((data & own) != 0) f.Note("parity", "A parity bit lies within the number or the facility.", "Correct the bits; they are numbered from 1 as they come.");
        else if ((data & ~parities.Aggregate(0UL, (all, it) => all | it.Covers)) != 0)
            f.Note("parity", "Some bits of the number are under no parity: a flipped bit would be another card.", "Let the parities cover every bit of number and facility.");
        return faults.Count > before ? null : new(name, length, parities);
    }

    private static WiegandParity Parity(FieldReader f, int length, ref ulong own)
    {
        var bit = f.Integer("bit", 1, Math.Max(1, length), null, "Write which bit it is, from 1 as they come.");
        var kind = f.Text("kind", ParityPattern(), "Write \"even\" or \"odd\".");
        var over = Bits(f, "over", length, required: true);
        f.Finish();
        if (bit < 1 || length < 1) return default;
        var mask = WiegandFormat.Mask(length, bit, bit);
        own |= mask;
        return new(over | mask, kind == "odd");
    }

    /// <summary>Bits as "2-13" or "2-3,5,7-9".</summary>
    private static ulong Bits(FieldReader f, string field, int length, bool required)
    {
        const string remedy = "Write bits from 1 as they come, like \"2-13\" or \"2-3,5\".";
        if (f.Text(field, BitsPattern(), remedy, required) is not { } text || length < 1) return 0;

        var bits = 0UL;
        foreach (var part in text.Split(','))
        {
            var ends = part.Split('-').Select(it => int.Parse(it, CultureInfo.InvariantCulture)).ToList();
            if (ends[0] < 1 || ends[^1] > length || ends[0] > ends[^1])
            {
                f.Note(field, $"{part} does not lie within 1 to {length}.", remedy);
                return 0;
            }

            bits |= WiegandFormat.Mask(length, ends[0], ends[^1]);
        }

        return bits;
    }

    [GeneratedRegex(@"^(parity|raw32)\z")]
    private static partial Regex FormatPattern();

    [GeneratedRegex(@"^(even|odd)\z")]
    private static partial Regex ParityPattern();

    [GeneratedRegex(@"^[0-9]{1,2}(-[0-9]{1,2})?(,[0-9]{1,2}(-[0-9]{1,2})?){0,15}\z")]
    private static partial Regex BitsPattern();
}
