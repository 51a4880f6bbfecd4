using System.Globalization;
using PhysSec.Hardware;
using PhysSec.VmGuest.Machine;

namespace PhysSec.VmGuest.Scenarios;

/// <summary>How long an edge takes to the program: from the interrupt's stamp to the node's own code, on two lines that the board leaves free.</summary>
internal static class EdgeLatency
{
    private const int D0 = 10, D1 = 11, Edges = 500;
    private const string NameOfD0 = "SPARE-D0"; // init gives it.
    private const int Kept = 1_024, Lost = 6;
    private const string Bank = "pinctrl-bcm2711";
    private static readonly TimeSpan _spacing = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan _settle = TimeSpan.FromMilliseconds(500);
    private static readonly WiegandEntry _entry = new("spare", DeviceRole.EntryReader, "none", D0, D1, CardFormat.Parity, false, TimeSpan.FromMilliseconds(25));

    public static void Play(Report report, Room room, string where) => report.Play($"{Edges} edges reach the program, each with its time and number, {where}", it =>
    {
        room.Lines.Drive(D0, high: true);
        room.Lines.Drive(D1, high: true);
        var chip = KernelChip.Find([Bank]) ?? throw new InvalidOperationException("the bank is not found by its label");
        it.Expect(chip.OffsetsOf(NameOfD0) is [D0] && chip.OffsetsOf("NOBODY") is [], "the line is not found by its name");
        var seen = new List<(double Microseconds, uint Sequence)>();
        using (var source = new KernelEdges(_entry, chip.RequestFalling(D0, D1), TimeProvider.System))
        {
            source.Start(edge => seen.Add((((Monotonic.Now.Ticks * 100) - edge.At) / 1_000.0, edge.Sequence)), _ => null);
            Pulse(room, Edges, _spacing);
            Monotonic.Sleep(_settle);
        }

        var sorted = seen.Select(edge => edge.Microseconds).Order().ToArray();
        it.Expect(seen.Select(edge => (int)edge.Sequence).SequenceEqual(Enumerable.Range(1, Edges)), $"{seen.Count} edges came, or not in their order");
        if (sorted.Length > 0) it.Note(string.Create(CultureInfo.InvariantCulture, $"p50 {sorted[sorted.Length / 2]:F0} µs, p99 {sorted[sorted.Length * 99 / 100]:F0} µs, longest {sorted[^1]:F0} µs"));

        HeldLineIsNamed(it, chip);
    }, (_, _) => { });

    /// <summary>What the assembler is told when a program is kept from the processor for longer than the kernel can keep its edges.</summary>
    public static void PlayOverflow(Report report, Room room) => report.Play("of more edges than the kernel keeps the oldest are lost, and their numbers are missing", it =>
    {
        var chip = KernelChip.Find([Bank])!;
        var lines = chip.RequestFalling(D0, D1);
        Pulse(room, Kept + Lost, TimeSpan.FromMicroseconds(200));
        var seen = new List<uint>();
        using (var source = new KernelEdges(_entry, lines, TimeProvider.System))
        {
            source.Start(edge => seen.Add(edge.Sequence), _ => null);
            Monotonic.Sleep(_settle);
        }

        it.Expect(seen.SequenceEqual(Enumerable.Range(Lost + 1, Kept).Select(number => (uint)number)), $"{seen.Count} edges came, the first with the number {seen.FirstOrDefault()}");
    }, (_, _) => { });

    private static void Pulse(Room room, int count, TimeSpan spacing) => Priority.AsHardware(() =>
    {
        for (var i = 0; i < count; i++)
        {
            Monotonic.Sleep(spacing);
            room.Lines.Drive(i % 3 == 0 ? D0 : D1, high: false);
            room.Lines.Drive(i % 3 == 0 ? D0 : D1, high: true);
        }
    });

    /// <summary>The node holds its reader's lines.</summary>
    private static void HeldLineIsNamed(Scenario it, KernelChip chip)
    {
        try
        {
            chip.RequestFalling(17, 18).Dispose();
            it.Expect(false, "a line that the node holds was given twice");
        }
        catch (IOException refused)
        {
            it.Expect(refused.Message.Contains("line 17 is held by \"physsec-reader\"", StringComparison.Ordinal), $"the holder is not named: {refused.Message}");
        }
    }
}
