using PhysSec.Hardware;

namespace PhysSec.Tests.Simulation.Readers;

/// <summary>
/// A readers' line with everything on it: good frames, frames with flipped, missing and added bytes, wrong lengths, noise full of start bytes, in pieces of any size at any time. The judge checks
/// each frame that comes out with its own arithmetic: it must lie in what was sent, behind the one before, and be whole.
/// </summary>
internal sealed class OsdpTrial(Random random)
{
    private const int ItemsInStream = 12;

    /// <summary>Plays so many frames. Null: nothing is wrong; else what is.</summary>
    public string? Play(long frames)
    {
        for (var played = 0L; played < frames; played += ItemsInStream)
            if (Stream() is { } wrong) return wrong;
        return null;
    }

    private string? Stream()
    {
        var stream = new List<byte>();
        for (var i = 0; i < ItemsInStream; i++) stream.AddRange(Item());
        var (bytes, receiver, now) = (stream.ToArray(), new OsdpReceiver(OsdpReceiver.StandardGap), TimeSpan.Zero);
        var found = new List<OsdpReceived>();
        for (var at = 0; at < bytes.Length;)
        {
            var piece = Math.Min(bytes.Length - at, random.Next(1, 60));
            now += TimeSpan.FromMilliseconds(random.Next(4) == 0 ? random.Next(40) : 1);
            if (random.Next(5) == 0) found.AddRange(receiver.Expire(now));
            found.AddRange(receiver.Receive(bytes.AsSpan(at, piece), now));
            at += piece;
        }

        found.AddRange(receiver.Expire(now + TimeSpan.FromSeconds(1)));
        var from = 0;
        foreach (var it in found.Where(it => it.Frame is not null))
        {
            if (it.Fault != OsdpFrameFault.None) return $"a frame is a fault ({it.Fault}) at once";
            var frame = it.Frame!.Bytes.Span;
            var place = bytes.AsSpan(from).IndexOf(frame);
            if (place < 0) return "a frame that was not on the line";
            from += place + frame.Length;
            if (!Whole(frame)) return $"a frame that is none: {Convert.ToHexString(frame)}";
        }

        return null;
    }

    private byte[] Item()
    {
        if (random.Next(5) == 0) return Noise();
        var data = new byte[random.Next(3) == 0 ? random.Next(200) : random.Next(12)];
        random.NextBytes(data);
        var (address, sequence, crc) = ((byte)random.Next(0x80), (byte)random.Next(4), random.Next(3) > 0);
        var block = random.Next(6) == 0 ? (OsdpBlock)random.Next(0x11, 0x15) : OsdpBlock.None;
        List<byte> frame = [.. random.Next(2) == 0
            ? OsdpFrame.Build(address, sequence, (OsdpCommand)random.Next(0x60, 0x80), data, block, 1, crc)
            : OsdpFrame.Build(address, sequence, (OsdpReply)random.Next(0x40, 0x80), data, block, 1, crc)];
        switch (random.Next(7))
        {
            case 0:
                for (var n = random.Next(1, 4); n > 0; n--) frame[random.Next(frame.Count)] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                frame.RemoveRange(random.Next(frame.Count), 1);
                break;
            case 2:
                frame.Insert(random.Next(frame.Count), (byte)random.Next(256));
                break;
            case 3:
                (frame[2], frame[3]) = ((byte)random.Next(256), (byte)random.Next(random.Next(2) == 0 ? 6 : 256)); // Another length than it has.
                break;
        }

        if (random.Next(2) == 0) frame.Insert(0, OsdpFrame.Mark);
        return [.. frame];
    }

    private byte[] Noise()
    {
        var noise = new byte[random.Next(1, 80)];
        random.NextBytes(noise);
        for (var i = 0; i < noise.Length; i++)
            if (random.Next(6) == 0) noise[i] = random.Next(2) == 0 ? OsdpFrame.Start : OsdpFrame.Mark;
        return noise;
    }

    /// <summary>Start, length and check character, without any of the code that is judged.</summary>
    private static bool Whole(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < 7 || frame[0] != 0x53 || (frame[2] | frame[3] << 8) != frame.Length || (frame[4] & 0x80) != 0) return false;
        if ((frame[4] & 0x04) == 0)
        {
            var sum = 0;
            foreach (var it in frame) sum += it;
            return sum % 256 == 0;
        }

        // CRC of the whole frame, bit by bit, most significant first.
        uint crc = 0x1D0F;
        foreach (var it in frame[..^2])
        {
            for (var bit = 7; bit >= 0; bit--)
            {
                var top = (crc >> 15 & 1) ^ (uint)(it >> bit & 1);
                crc = crc << 1 & 0xFFFF;
                if (top == 1) crc ^= 0x1021;
            }
        }

        return frame[^2] == (crc & 0xFF) && frame[^1] == crc >> 8;
    }
}
