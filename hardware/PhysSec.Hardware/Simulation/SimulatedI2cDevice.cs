using System.Device.I2c;
using System.Globalization;

namespace PhysSec.Hardware.Simulation;

/// <summary>One address on an I2C bus of a simulated room.</summary>
internal sealed class SimulatedI2cDevice(RoomLink link, int bus, int address) : I2cDevice
{
    public override I2cConnectionSettings ConnectionSettings { get; } = new(bus, address);

    public override void Read(Span<byte> buffer) => Transfer([], buffer);

    public override void Write(ReadOnlySpan<byte> buffer) => Transfer(buffer, []);

    public override void WriteRead(ReadOnlySpan<byte> writeBuffer, Span<byte> readBuffer) => Transfer(writeBuffer, readBuffer);

    private void Transfer(ReadOnlySpan<byte> write, Span<byte> read)
    {
        var sent = write.IsEmpty ? "-" : Convert.ToHexString(write);
        var answer = Convert.FromHexString(
            link.Request(string.Create(CultureInfo.InvariantCulture, $"i2c {bus} {address} {sent} {read.Length}")));
        if (answer.Length != read.Length) throw I2cFault.Exception(5, "Short transfer");

        answer.CopyTo(read);
    }
}
