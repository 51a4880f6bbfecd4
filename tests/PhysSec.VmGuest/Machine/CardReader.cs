using PhysSec.Hardware;

namespace PhysSec.VmGuest.Machine;

/// <summary>A Wiegand reader's two open-collector lines: a pulse of 50 µs on D0 is a zero, on D1 a one.</summary>
internal sealed class CardReader
{
    private static readonly TimeSpan _pulse = TimeSpan.FromMicroseconds(50);
    private readonly Lines _lines;
    private readonly int _d0;
    private readonly int _d1;

    public CardReader(Lines lines, int d0, int d1)
    {
        (_lines, _d0, _d1) = (lines, d0, d1);
        lines.Drive(d0, high: true);
        lines.Drive(d1, high: true);
    }

    /// <summary>Sends a frame and returns when its last pulse ended.</summary>
    public TimeSpan Send(CardBits card, TimeSpan spacing)
    {
        Priority.AsHardware(() => Pulse(card, spacing));
        return Monotonic.Now;
    }

    private void Pulse(CardBits card, TimeSpan spacing)
    {
        var due = Monotonic.Now;
        for (var bit = card.Length - 1; bit >= 0; bit--, due += spacing)
        {
            if (due < Monotonic.Now) due = Monotonic.Now; // A reader that is late never catches up.
            Monotonic.SleepUntil(due);
            var line = (card.Value >> bit & 1) == 0 ? _d0 : _d1;
            _lines.Drive(line, high: false);
            Monotonic.SleepUntil(due + _pulse);
            _lines.Drive(line, high: true);
        }
    }
}
