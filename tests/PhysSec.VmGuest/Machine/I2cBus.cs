using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using PhysSec.Hardware.Simulation;

namespace PhysSec.VmGuest.Machine;

/// <summary>Answers the kernel's I2C bus 1 (vi2c.c) with the project's register-level chip. Nobody is at any other address.</summary>
internal sealed class I2cBus
{
    private const int NoDevice = -6;
    private const int Sht4x = 0x44;
    private readonly Sht4xChip _chip = new(0x1234_5678, seed: 1);
    private readonly Lock _gate = new();
    private double _celsius = 23;

    public I2cBus(bool broken)
    {
        Broken = broken;
        var device = File.OpenHandle("/dev/vi2c", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        new Thread(() => Serve(device)) { IsBackground = true, Name = "i2c" }.Start();
    }

    /// <summary>Spoils one bit of every answer behind the scenarios' back: they must notice.</summary>
    private bool Broken { get; }

    public void Air(double celsius)
    {
        lock (_gate) _celsius = celsius;
    }

    public void Fault(ChipFault fault)
    {
        lock (_gate) _chip.Fault = fault;
    }

    private void Serve(SafeFileHandle device)
    {
        var request = new byte[8192];
        var answer = new byte[8192];
        while (true)
        {
            var length = RandomAccess.Read(device, request, 0);
            int filled;
            lock (_gate) filled = Answer(request.AsSpan(0, length), answer);
            try
            {
                RandomAccess.Write(device, answer.AsSpan(0, filled), 0);
            }
            catch (IOException)
            {
                // Too late: the kernel has given this transfer up.
            }
        }
    }

    private int Answer(ReadOnlySpan<byte> request, Span<byte> answer)
    {
        request[..4].CopyTo(answer); // The sequence number.
        var (at, filled) = (8, 8);
        for (var messages = BinaryPrimitives.ReadUInt16LittleEndian(request[6..]); messages > 0; messages--)
        {
            var address = BinaryPrimitives.ReadUInt16LittleEndian(request[at..]);
            var reads = (request[at + 2] & 1) != 0;
            var length = BinaryPrimitives.ReadUInt16LittleEndian(request[(at + 4)..]);
            at += 8;
            var acknowledged = address == Sht4x
                && (reads ? _chip.Read(answer.Slice(filled, length), Monotonic.Now) : _chip.Write(request.Slice(at, length), _celsius, 45, Monotonic.Now));
            if (!acknowledged)
            {
                BinaryPrimitives.WriteInt32LittleEndian(answer[4..], NoDevice);
                return 8;
            }

            if (reads && Broken) answer[filled] ^= 0x10;
            if (reads) filled += length;
            else at += length;
        }

        BinaryPrimitives.WriteInt32LittleEndian(answer[4..], 0);
        return filled;
    }
}
