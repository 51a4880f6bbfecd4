using PhysSec.Hardware;
using PhysSec.Hardware.Simulation;

namespace PhysSec.Tests.Simulation.Readers;

/// <summary>
/// A reader in a secure session on a hostile line: answers are lost, doubled, bent, replayed from before, cut into pieces, and overtaken by frames that somebody without the key has made, with a good
/// check character, the right address and sequence, in clear, as part of a handshake or sealed with a made-up code. The judge knows which cards were held to the reader: every other card that
/// comes out, every one that comes twice, a session in clear and a changed key or pin are findings.
/// </summary>
internal sealed class OsdpLinkTrial(Random random)
{
    private const byte Address = 3;
    private const int Baud = 115_200;
    private const int Forged = 250; // The facility of every card that was never there.
    private static readonly OsdpKey _key = Osdp.ReaderKeys.Key(77);

    private readonly List<byte[]> _heard = [];
    private readonly HashSet<ulong> _shown = [];
    private int _number;

    /// <summary>Plays so many answers. Null: nothing is wrong; else what is.</summary>
    public string? Play(long answers)
    {
        var readers = new PeripheralBus([new PeripheralSettings { Address = Address, Key = _key }], it => random.NextBytes(it));
        using var control = new OsdpBus(Baud, [new OsdpLink(new OsdpLinkSettings(Address), new(_key, null), random.NextBytes)]);
        var (now, coming, pinned) = (TimeSpan.FromSeconds(1), Array.Empty<byte>(), false);
        for (var given = 0L; given < answers;)
        {
            var step = control.Step(coming, now);
            coming = [];
            foreach (var it in step.Events)
            {
                if (Judge(it, ref pinned) is { } wrong) return wrong;
            }

            if (step.Send.Length > 0)
            {
                now += TimeSpan.FromMilliseconds(3);
                if (random.Next(20) == 0) Show(readers.Readers[0]);
                coming = Hostile(readers.Take(step.Send.Span, now), step.Send.Span);
                given++;
                now += TimeSpan.FromMilliseconds(random.Next(6));
                continue;
            }

            now = step.Next > now && step.Next < now + TimeSpan.FromMinutes(2) ? step.Next : now + TimeSpan.FromMilliseconds(50);
        }

        return null;
    }

    private string? Judge(OsdpEvent it, ref bool pinned)
    {
        switch (it)
        {
            case OsdpEvent.CardRead { Card: { } card }:
                return _shown.Remove(card.Value) ? null : $"a card of {card.Length} bits that was not held to the reader, or came twice";
            case OsdpEvent.Online { Secure: false }:
                return "a session in clear";
            case OsdpEvent.KeysChanged or OsdpEvent.KeyInstalled:
                return "a key that nobody changed has changed";
            case OsdpEvent.KeysPressed or OsdpEvent.Moved:
                return $"{it.GetType().Name} that nobody caused";
            case OsdpEvent.Pinned:
                var again = pinned;
                pinned = true;
                return again ? "the reader was pinned anew" : null;
            default:
                return null;
        }
    }

    private void Show(OsdpPeripheral reader)
    {
        _number = (_number + 1) % 60_000;
        var card = WiegandFrame.Encode26(_number % 200, _number);
        _shown.Add(card.Value);
        reader.Present(card);
    }

    private byte[] Hostile(byte[] answer, ReadOnlySpan<byte> command)
    {
        if (answer.Length > 0)
        {
            _heard.Add(answer);
            if (_heard.Count > 40) _heard.RemoveAt(0);
        }

        switch (random.Next(14))
        {
            case 0:
                return [];
            case 1 when answer.Length > 0:
                byte[] bent = [.. answer];
                bent[random.Next(bent.Length)] ^= (byte)(1 << random.Next(8));
                return bent;
            case 2 when answer.Length > 0:
                return [.. answer, .. answer];
            case 3 when _heard.Count > 0:
                return _heard[random.Next(_heard.Count)]; // Instead of the true one.
            case 4 when _heard.Count > 0:
                return [.. _heard[random.Next(_heard.Count)], .. answer];
            case 5 when answer.Length > 1:
                return answer[..random.Next(1, answer.Length)];
            case 6 or 7:
                return [.. Forge(command), .. answer];
            case 8:
                return Forge(command);
            default:
                return answer;
        }
    }

    /// <summary>What somebody who sees the line, and has no key, can put on it.</summary>
    private byte[] Forge(ReadOnlySpan<byte> command)
    {
        OsdpFrame.Parse(command[(command[0] == OsdpFrame.Mark ? 1 : 0)..], out var asked);
        var sequence = asked?.Sequence ?? 0;
        var card = OsdpCardRead.Of(WiegandFrame.Encode26(Forged, random.Next(60_000))).Data();
        var (code, data) = random.Next(4) switch
        {
            0 => (OsdpReply.Ack, Array.Empty<byte>()),
            1 => (OsdpReply.Keypad, new OsdpKeys(0, [1, 2, 3, 4]).Data()),
            _ => (OsdpReply.CardBits, card),
        };
        if (random.Next(3) > 0) return OsdpFrame.Build(Address, sequence, code, data, random.Next(2) == 0 ? OsdpBlock.None : (OsdpBlock)random.Next(0x11, 0x15), 1);

        // Sealed, as it should be, with a code that is made up; its check character is right.
        var sealedFrame = OsdpFrame.BuildUnsealed(Address | 0x80, sequence, (byte)code, data.Length == 0 || random.Next(2) == 0 ? data : new byte[16], data.Length == 0 ? OsdpBlock.ReplyMac : OsdpBlock.ReplyEncrypted);
        var mac = new byte[OsdpFrame.MacLength];
        random.NextBytes(mac);
        return OsdpFrame.Close(sealedFrame, mac);
    }
}
