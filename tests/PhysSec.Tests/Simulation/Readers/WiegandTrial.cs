using PhysSec.Hardware;

namespace PhysSec.Tests.Simulation.Readers;

/// <summary>
/// Frames of every kind on a reader's two lines: good ones, noise, and good ones that lose, double or crowd their edges. The judge knows what was sent and counts parities one bit at a time;
/// a card or a key that it cannot account for is a finding, and so is a good one that went missing with nothing wrong around it.
/// </summary>
internal sealed class WiegandTrial(Random random)
{
    private const int FramesInGroup = 3;
    private const long Millisecond = 1_000_000;
    private static readonly TimeSpan _gap = TimeSpan.FromMilliseconds(25);
    private static readonly Ruled[] _halves = [Halves(26), Halves(34), Halves(37)];

    // 35 bits with three parities of which the last covers all: "as data" in a board file.
    private static readonly Ruled _city = new(35, [
        ([2, 3, 4, 6, 7, 9, 10, 12, 13, 15, 16, 18, 19, 21, 22, 24, 25, 27, 28, 30, 31, 33, 34], 0),
        ([35, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18, 20, 21, 23, 24, 26, 27, 29, 30, 32, 33], 1),
        ([.. Enumerable.Range(1, 35)], 1)]);

    private static readonly (CardFormat Format, Ruled[] Rules)[] _readers =
    [
        (CardFormat.Parity, _halves),
        (CardFormat.Raw32, [new(32, [])]),
        (new([WiegandFormat.Bits26, OfRules("city-35", _city)]), [_halves[0], _city]),
    ];

    /// <summary>Plays so many frames. Null: nothing is wrong; else what is.</summary>
    public string? Play(long frames)
    {
        for (var played = 0L; played < frames; played += FramesInGroup)
            if (Group() is { } wrong) return wrong;
        return null;
    }

    private string? Group()
    {
        var (format, rules) = _readers[random.Next(_readers.Length)];
        var keypad = random.Next(2) == 0;
        var sent = new Sent[FramesInGroup];
        var edges = new List<LineEdge>();
        var (at, sequence) = (Millisecond, 1u);
        for (var i = 0; i < sent.Length; i++)
        {
            sent[i] = Frame(rules, last: i == sent.Length - 1);
            at = Send(sent[i], edges, at, ref sequence) + (200 * Millisecond);
        }

        for (var i = edges.Count - 1; i > 0; i--)
            if (random.Next(8) == 0) (edges[i], edges[i - 1]) = (edges[i - 1], edges[i]); // As two lines' queues deliver them.
        var assembler = new WiegandAssembler(format, keypad, EdgeTiming.OfKernel(_gap));
        foreach (var it in edges) assembler.Add(it);
        return Judge(sent, assembler.SilentUntil(at + (10_000 * Millisecond)), rules, keypad);
    }

    private Sent Frame(Ruled[] rules, bool last)
    {
        if (random.Next(4) == 0) // Noise of any length.
            return new([.. Enumerable.Range(0, random.Next(1, 71)).Select(_ => random.Next(2) == 1)], Damage.None);

        var bits = rules[random.Next(rules.Length)].Good(random);
        switch (random.Next(6))
        {
            case 0:
                for (var n = random.Next(1, 4); n > 0; n--) bits[random.Next(bits.Length)] ^= true; // Flipped on the wire: the edges are all there.
                return new(bits, Damage.None);
            case 1:
                return new(bits, last ? Damage.Doubled : Damage.Lost); // Behind the last edge of all nobody can see that one more was lost.
            case 2:
                return new(bits, random.Next(2) == 0 ? Damage.Doubled : Damage.Crowded);
            default:
                return new(bits, Damage.None);
        }
    }

    private long Send(Sent frame, List<LineEdge> edges, long at, ref uint sequence)
    {
        var hit = random.Next(frame.Bits.Length);
        for (var i = 0; i < frame.Bits.Length; i++)
        {
            at += frame.Damage == Damage.Crowded && i == hit && i > 0 ? 30_000 : 2 * Millisecond; // 30 µs: nobody knows which came first.
            var edge = new LineEdge(frame.Bits[i], at, sequence++);
            if (frame.Damage == Damage.Lost && i == hit) continue;
            edges.Add(edge);
            if (frame.Damage == Damage.Doubled && i == hit) edges.Add(edge);
        }

        frame.Whole = frame.Damage == Damage.None || (frame.Damage == Damage.Crowded && hit == 0);
        return at;
    }

    private static string? Judge(Sent[] sent, IReadOnlyList<AssembledFrame> found, Ruled[] rules, bool keypad)
    {
        var next = 0;
        foreach (var it in found)
        {
            if (it.Fault != ReaderFault.None)
            {
                if (it.Card is not null || it.PinKey is not null) return $"a frame is a fault ({it.Fault}) and a card at once";
                continue;
            }

            while (next < sent.Length && !(sent[next].Whole && Fits(sent[next], it, rules, keypad))) next++;
            if (next == sent.Length) return $"{(it.Card is null ? "a key" : $"a card of {it.Card.Value.Length} bits")} that nobody sent";
            sent[next++].Found = true;
        }

        for (var i = 0; i < sent.Length; i++)
        {
            var undisturbed = (i == 0 || sent[i - 1].Whole) && (i == sent.Length - 1 || sent[i + 1].Whole);
            if (!sent[i].Found && sent[i].Whole && undisturbed && Meaning(sent[i].Bits, rules, keypad) != Means.Nothing)
                return $"a good frame of {sent[i].Bits.Length} bits was not read";
        }

        return null;
    }

    private static bool Fits(Sent sent, AssembledFrame it, Ruled[] rules, bool keypad)
    {
        var value = 0UL;
        foreach (var bit in sent.Bits.Take(64)) value = value << 1 | (bit ? 1UL : 0);
        return Meaning(sent.Bits, rules, keypad) switch
        {
            Means.Card => it.Card is { } card && card.Length == sent.Bits.Length && card.Value == value,
            Means.Key => it.PinKey == (int)(value & 0x0F),
            _ => false,
        };
    }

    /// <summary>What these bits are, without any of the code that is judged.</summary>
    private static Means Meaning(bool[] bits, Ruled[] rules, bool keypad)
    {
        if (keypad && bits.Length == 4) return Means.Key;
        if (keypad && bits.Length == 8) return Enumerable.Range(0, 4).All(i => bits[i] != bits[i + 4]) ? Means.Key : Means.Nothing;
        return rules.Any(it => it.Holds(bits)) ? Means.Card : Means.Nothing;
    }

    private static Ruled Halves(int length)
    {
        var half = (length + 1) / 2;
        return new(length, [([.. Enumerable.Range(1, half)], 0), ([length, .. Enumerable.Range(length - half + 1, half - 1)], 1)]);
    }

    private static WiegandFormat OfRules(string name, Ruled rules) => new(name, rules.Length, [.. rules.Parities.Select(it => new WiegandParity(
        it.Bits.Aggregate(0UL, (mask, bit) => mask | WiegandFormat.Mask(rules.Length, bit, bit)), it.Remainder == 1))]);

    private enum Damage { None, Lost, Doubled, Crowded }

    private enum Means { Nothing, Card, Key }

    private sealed class Sent(bool[] bits, Damage damage)
    {
        public bool[] Bits { get; } = bits;

        public Damage Damage { get; } = damage;

        public bool Whole { get; set; }

        public bool Found { get; set; }
    }

    /// <summary>A format as a list of bits, from 1, and what their sum leaves by two. The first bit of each list is the parity bit.</summary>
    private sealed record Ruled(int Length, (int[] Bits, int Remainder)[] Parities)
    {
        public bool Holds(bool[] bits) => bits.Length == Length && Parities.All(it => it.Bits.Sum(bit => bits[bit - 1] ? 1 : 0) % 2 == it.Remainder);

        public bool[] Good(Random random)
        {
            bool[] bits = [.. Enumerable.Range(0, Length).Select(_ => random.Next(2) == 1)];
            foreach (var (covered, remainder) in Parities)
                if (covered.Sum(bit => bits[bit - 1] ? 1 : 0) % 2 != remainder) bits[covered[0] - 1] ^= true;
            return bits;
        }
    }
}
