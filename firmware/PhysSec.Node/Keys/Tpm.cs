using System.Buffers.Binary;
using System.Globalization;

namespace PhysSec.Node.Keys;

/// <summary>The board's TPM cannot do what it was asked. It may do so later, unless <see cref="ForeignOrSpoilt"/>.</summary>
public sealed class TpmException(string message, bool foreignOrSpoilt = false, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What should be opened was sealed by another TPM, or was changed since: it will never open here.</summary>
    public bool ForeignOrSpoilt { get; } = foreignOrSpoilt;
}

/// <summary>
/// A TPM 2.0, as far as a key at rest needs one: it seals a short secret so that no other board opens it. Commands and structures: TCG, TPM 2.0 Library, parts 2 and 3
/// (CreatePrimary, Create, Load, Unseal, FlushContext); the parent is the storage key that the chip makes anew from its owner seed at each use, so nothing is kept in it.
/// </summary>
/// <remarks>The secret crosses the chip's bus in the clear: whoever holds soldering iron and running board reads it there, as he would in the board's memory.</remarks>
public sealed class Tpm : IDisposable
{
    /// <summary>The kernel's resource manager: each user has handles of its own.</summary>
    public const string Device = "/dev/tpmrm0";

    /// <summary>What fits a sealed object of every TPM 2.0, in bytes.</summary>
    public const int SecretMax = 128;

    private const ushort WithSessions = 0x8002, NoSessions = 0x8001;
    private const uint Owner = 0x4000_0001, PasswordSession = 0x4000_0009;
    private const int HeaderSize = 10, ResponseMax = 4096, Tries = 5;
    private readonly Stream _device;

    /// <param name="device">Takes a command with one write and gives its answer; owned from here on.</param>
    public Tpm(Stream device) => _device = device;

    /// <summary>The board's own; null: it has none.</summary>
    /// <exception cref="TpmException">There is one, and it may not be used.</exception>
    public static Tpm? OfBoard()
    {
        if (!File.Exists(Device)) return null;
        try
        {
            return new(new FileStream(Device, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new TpmException($"{Device} cannot be opened: {failure.Message} The service's user must be in the group tss.", inner: failure);
        }
    }

    /// <returns>The sealed object's private and public part: worth nothing without this TPM.</returns>
    public (byte[] Private, byte[] Public) Seal(ReadOnlySpan<byte> secret)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(secret.Length, SecretMax);
        var parent = StorageKey();
        try
        {
            var answer = Ask(Command.Create, "seal", new Body().Handle(parent).Password()
                .Sized(new Body().Sized([]).Sized(secret))
                .Sized(new Body().U16(0x0008).U16(0x000B).U32(0x0000_0452).Sized([]).U16(0x0010).Sized([])) // Keyed hash, SHA-256; fixed to this TPM and parent, with the password, no lock-out; no scheme.
                .Sized([]).U32(0));
            var at = 4; // After the length of the parameters.
            return (Part(answer, ref at), Part(answer, ref at));
        }
        finally
        {
            Flush(parent);
        }
    }

    /// <exception cref="TpmException">It was sealed elsewhere, or the TPM does not answer.</exception>
    public byte[] Unseal(ReadOnlySpan<byte> privatePart, ReadOnlySpan<byte> publicPart)
    {
        var parent = StorageKey();
        try
        {
            var item = First(Ask(Command.Load, "load what it has sealed", new Body().Handle(parent).Password().Sized(privatePart).Sized(publicPart)));
            try
            {
                var at = 4;
                return Part(Ask(Command.Unseal, "unseal", new Body().Handle(item).Password()), ref at);
            }
            finally
            {
                Flush(item);
            }
        }
        finally
        {
            Flush(parent);
        }
    }

    public void Dispose() => _device.Dispose();

    // ECC P-256, SHA-256; fixed, restricted, for decryption; AES-128-CFB below it: the storage key of the TCG's provisioning guidance.
    private uint StorageKey() => First(Ask(Command.CreatePrimary, "make its storage key", new Body().Handle(Owner).Password()
        .Sized(new Body().Sized([]).Sized([]))
        .Sized(new Body().U16(0x0023).U16(0x000B).U32(0x0003_0472).Sized([]).U16(0x0006).U16(128).U16(0x0043).U16(0x0010).U16(0x0003).U16(0x0010).Sized([]).Sized([]))
        .Sized([]).U32(0)));

    private void Flush(uint handle) => Ask(Command.FlushContext, "forget a key", new Body().Handle(handle), NoSessions);

    /// <returns>What follows the answer's header.</returns>
    private byte[] Ask(Command command, string what, Body body, ushort tag = WithSessions)
    {
        var request = new byte[HeaderSize + body.Bytes.Count];
        BinaryPrimitives.WriteUInt16BigEndian(request, tag);
        BinaryPrimitives.WriteUInt32BigEndian(request.AsSpan(2), (uint)request.Length);
        BinaryPrimitives.WriteUInt32BigEndian(request.AsSpan(6), (uint)command);
        body.Bytes.CopyTo(request, HeaderSize);
        for (var attempt = 1; ; attempt++)
        {
            var answer = Exchange(request);
            var code = BinaryPrimitives.ReadUInt32BigEndian(answer.AsSpan(6));
            if (code == 0) return answer[HeaderSize..];
            if (code is 0x908 or 0x909 or 0x90A or 0x922 && attempt < Tries) continue; // Yielded, cancelled, testing, retry: it is busy with itself.
            var said = string.Create(CultureInfo.InvariantCulture, $"The TPM does not {what}: code 0x{code:X}.");
            throw command is Command.Load ? new TpmException(said + " It was sealed by another TPM, or changed since.", foreignOrSpoilt: true)
                : command is Command.CreatePrimary && (code & 0xBF) is 0xA2 or 0x8E ? new TpmException(said + " Its owner has a password: this program knows none.")
                : new TpmException(said);
        }
    }

    private byte[] Exchange(byte[] request)
    {
        try
        {
            _device.Write(request);
            _device.Flush();
            var (answer, length) = (new byte[ResponseMax], 0);
            do
            {
                var read = _device.Read(answer, length, ResponseMax - length);
                if (read == 0) throw new TpmException("The TPM broke off its answer.");
                length += read;
            }
            while (length < HeaderSize || length < BinaryPrimitives.ReadUInt32BigEndian(answer.AsSpan(2)) && length < ResponseMax);
            return answer[..length];
        }
        catch (IOException failure)
        {
            throw new TpmException($"The TPM does not answer: {failure.Message}", inner: failure);
        }
    }

    private static uint First(byte[] answer) => BinaryPrimitives.ReadUInt32BigEndian(answer);

    private static byte[] Part(byte[] answer, ref int at)
    {
        var (start, length) = (at + 2, BinaryPrimitives.ReadUInt16BigEndian(answer.AsSpan(at)));
        at = start + length;
        return answer[start..at];
    }

    private enum Command : uint
    {
        CreatePrimary = 0x131,
        Create = 0x153,
        Load = 0x157,
        Unseal = 0x15E,
        FlushContext = 0x165,
    }

    /// <summary>Big-endian, as everything in a TPM.</summary>
    private sealed class Body
    {
        public List<byte> Bytes { get; } = [];

        public Body U16(ushort value)
        {
            Bytes.Add((byte)(value >> 8));
            Bytes.Add((byte)(value & 0xFF));
            return this;
        }

        public Body U32(uint value) => U16((ushort)(value >> 16)).U16((ushort)(value & 0xFFFF));

        public Body Handle(uint value) => U32(value);

        /// <summary>The authorisation of the handle before it: an empty password.</summary>
        public Body Password() => U32(9).U32(PasswordSession).Sized([]).Byte(0).Sized([]);

        public Body Sized(ReadOnlySpan<byte> value)
        {
            U16((ushort)value.Length);
            Bytes.AddRange(value);
            return this;
        }

        public Body Sized(Body value) => Sized(value.Bytes.ToArray());

        private Body Byte(byte value)
        {
            Bytes.Add(value);
            return this;
        }
    }
}
