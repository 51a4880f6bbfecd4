using System.Buffers.Binary;
using System.Text;

namespace PhysSec.Hardware;

public enum OsdpOutputAction : byte
{
    None = 0,
    PermanentOff = 1,
    PermanentOn = 2,
    OffAfterTime = 3,
    OnAfterTime = 4,

    /// <summary>On for the given time and off again by the reader's own timer, so a controller that dies holds nothing.</summary>
    TemporaryOn = 5,
    TemporaryOff = 6,
}

public enum OsdpColour : byte
{
    Off = 0,
    Red = 1,
    Green = 2,
    Amber = 3,
    Blue = 4,
    Magenta = 5,
    Cyan = 6,
    White = 7,
}

public enum OsdpTone : byte
{
    None = 0,
    Off = 1,
    Default = 2,
}

public enum OsdpTextAction : byte
{
    Permanent = 1,
    PermanentWrapped = 2,
    Temporary = 3,
    TemporaryWrapped = 4,
}

/// <summary>A blink pattern; times in units of 100 ms. Off time 0: steady.</summary>
public readonly record struct OsdpBlink(byte OnTime, byte OffTime, OsdpColour OnColour, OsdpColour OffColour)
{
    public static OsdpBlink Steady(OsdpColour colour) => new(1, 0, colour, OsdpColour.Off);
}

/// <summary>What may be ordered of a reader. Each is one command with its data.</summary>
public abstract record OsdpOrder
{
    private OsdpOrder(OsdpCommand command) => Command = command;

    public OsdpCommand Command { get; }

    public abstract byte[] Data();

    /// <param name="Number">The output, from 0.</param>
    /// <param name="Action">What it does.</param>
    /// <param name="Time">In units of 100 ms; 0 where the action has none.</param>
    public sealed record Output(byte Number, OsdpOutputAction Action, ushort Time) : OsdpOrder(OsdpCommand.Output)
    {
        private const int Length = 4;

        public override byte[] Data() => [Number, (byte)Action, .. Word(Time)];

        /// <summary>Null unless the data is whole entries, at least one.</summary>
        public static IReadOnlyList<Output>? Parse(ReadOnlySpan<byte> data)
        {
            if (data.Length == 0 || data.Length % Length != 0) return null;
            var all = new List<Output>();
            for (; data.Length > 0; data = data[Length..]) all.Add(new(data[0], (OsdpOutputAction)data[1], BinaryPrimitives.ReadUInt16LittleEndian(data[2..])));
            return all;
        }
    }

    /// <param name="Number">The lamp, from 0.</param>
    /// <param name="Temporary">Shown for <paramref name="Time"/> in place of the permanent pattern; null changes nothing.</param>
    /// <param name="Time">In units of 100 ms.</param>
    /// <param name="Permanent">Null changes nothing.</param>
    /// <param name="CancelTemporary">Ends a temporary pattern before its time.</param>
    public sealed record Led(byte Number, OsdpBlink? Temporary, ushort Time, OsdpBlink? Permanent, bool CancelTemporary = false) : OsdpOrder(OsdpCommand.Led)
    {
        private const int Length = 14;

        public override byte[] Data() =>
        [
            0, Number, (byte)(Temporary is not null ? 2 : CancelTemporary ? 1 : 0), .. Pattern(Temporary), .. Word(Time),
            (byte)(Permanent is not null ? 1 : 0), .. Pattern(Permanent),
        ];

        /// <summary>Null unless the data is whole entries, at least one.</summary>
        public static IReadOnlyList<Led>? Parse(ReadOnlySpan<byte> data)
        {
            if (data.Length == 0 || data.Length % Length != 0) return null;
            var all = new List<Led>();
            for (; data.Length > 0; data = data[Length..])
                all.Add(new(data[1], data[2] == 2 ? Blink(data[3..]) : null, BinaryPrimitives.ReadUInt16LittleEndian(data[7..]), data[9] == 1 ? Blink(data[10..]) : null, data[2] == 1));
            return all;
        }

        private static byte[] Pattern(OsdpBlink? it) => it is { } blink ? [blink.OnTime, blink.OffTime, (byte)blink.OnColour, (byte)blink.OffColour] : new byte[4];

        private static OsdpBlink Blink(ReadOnlySpan<byte> data) => new(data[0], data[1], (OsdpColour)data[2], (OsdpColour)data[3]);
    }

    /// <param name="Tone">What sounds.</param>
    /// <param name="OnTime">In units of 100 ms.</param>
    /// <param name="OffTime">In units of 100 ms.</param>
    /// <param name="Count">How often; 0: until told otherwise.</param>
    public sealed record Buzzer(OsdpTone Tone, byte OnTime, byte OffTime, byte Count) : OsdpOrder(OsdpCommand.Buzzer)
    {
        public override byte[] Data() => [0, (byte)Tone, OnTime, OffTime, Count];

        public static Buzzer? Parse(ReadOnlySpan<byte> data) => data.Length == 5 ? new((OsdpTone)data[1], data[2], data[3], data[4]) : null;
    }

    /// <param name="Action">For how long and whether it wraps.</param>
    /// <param name="Seconds">Of a temporary text.</param>
    /// <param name="Row">From 1.</param>
    /// <param name="Column">From 1.</param>
    /// <param name="Characters">Up to 32 of printable ASCII; others show as a question mark.</param>
    public sealed record Text(OsdpTextAction Action, byte Seconds, byte Row, byte Column, string Characters) : OsdpOrder(OsdpCommand.Text)
    {
        public const int LengthMax = 32;

        public override byte[] Data()
        {
            var shown = Characters.Length > LengthMax ? Characters[..LengthMax] : Characters;
            return [0, (byte)Action, Seconds, Row, Column, (byte)shown.Length, .. shown.Select(it => it is >= ' ' and <= '~' ? (byte)it : (byte)'?')];
        }

        public static Text? Parse(ReadOnlySpan<byte> data) =>
            data.Length >= 6 && data.Length == 6 + data[5] ? new((OsdpTextAction)data[1], data[2], data[3], data[4], Encoding.ASCII.GetString(data[6..])) : null;
    }

    /// <summary>Moves the reader to another address and speed; it answers with what it took, still at the old ones.</summary>
    public sealed record CommunicationSet(byte Address, int Baud) : OsdpOrder(OsdpCommand.CommunicationSet)
    {
        public override byte[] Data() => new OsdpCommunication(Address, Baud).Data();
    }

    /// <summary>The longest message that the controller takes.</summary>
    public sealed record ReceiveSize(ushort Bytes) : OsdpOrder(OsdpCommand.ReceiveSize)
    {
        public override byte[] Data() => Word(Bytes);

        public static ReceiveSize? Parse(ReadOnlySpan<byte> data) => data.Length == 2 ? new(BinaryPrimitives.ReadUInt16LittleEndian(data)) : null;
    }

    /// <summary>Keeps a smart card's session up for so many milliseconds.</summary>
    public sealed record KeepActive(ushort Milliseconds) : OsdpOrder(OsdpCommand.KeepActive)
    {
        public override byte[] Data() => Word(Milliseconds);

        public static KeepActive? Parse(ReadOnlySpan<byte> data) => data.Length == 2 ? new(BinaryPrimitives.ReadUInt16LittleEndian(data)) : null;
    }

    /// <summary>Asks again for what the reader reports by itself on a change.</summary>
    public sealed record Status : OsdpOrder
    {
        private Status(OsdpCommand command) : base(command)
        {
        }

        public static readonly Status Local = new(OsdpCommand.LocalStatus), Inputs = new(OsdpCommand.InputStatus), Outputs = new(OsdpCommand.OutputStatus), Readers = new(OsdpCommand.ReaderStatus);

        public override byte[] Data() => [];
    }

    private static byte[] Word(ushort value) => [(byte)(value & 0xFF), (byte)(value >> 8)];
}
