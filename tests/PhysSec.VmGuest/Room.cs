using PhysSec.Hardware;
using PhysSec.VmGuest.Machine;

namespace PhysSec.VmGuest;

/// <summary>The room of hardware/boards/one-room-pi.json, wired to the simulated bank: the same lines as on the header of a Pi.</summary>
internal sealed class Room
{
    public static readonly TimeSpan WiegandSpacing = TimeSpan.FromMilliseconds(2);
    private const int LeafLine = 5, ButtonLine = 6, DoorTamperLine = 13, LeakLine = 16, EnclosureLine = 19, MainsLine = 26;
    private const int LockLine = 24, LedLine = 25, BuzzerLine = 12, LampLine = 20, SirenLine = 21;
    private static readonly int[] _outputs = [LockLine, LedLine, BuzzerLine, LampLine, SirenLine];

    public Room(string bank, string broken)
    {
        Lines = new Lines(bank);
        Bus = new I2cBus(broken == "i2c");
        Entry = broken == "wiegand" ? new CardReader(Lines, 18, 17) : new CardReader(Lines, 17, 18); // Broken: the two data wires are swapped.
        _ = new CardReader(Lines, 22, 23);
        Leaf(open: false);
        Button(pressed: false);
        Leak(wet: false);
        foreach (var it in (int[])[DoorTamperLine, EnclosureLine, MainsLine]) Lines.Contact(it, closed: true);
    }

    public Lines Lines { get; }

    public I2cBus Bus { get; }

    public CardReader Entry { get; }

    public bool LockOn => Lines[LockLine];

    public bool LedOn => Lines[LedLine];

    public bool BuzzerOn => Lines[BuzzerLine];

    public bool LampOn => Lines[LampLine];

    public bool SirenOn => Lines[SirenLine];

    public bool AllOff => !_outputs.Any(it => Lines[it]);

    public TimeSpan Badge(CardBits card) => Entry.Send(card, WiegandSpacing);

    public void Leaf(bool open) => Lines.Contact(LeafLine, closed: !open);

    public void Button(bool pressed) => Lines.Contact(ButtonLine, closed: pressed);

    public void Leak(bool wet) => Lines.Contact(LeakLine, closed: !wet);
}
