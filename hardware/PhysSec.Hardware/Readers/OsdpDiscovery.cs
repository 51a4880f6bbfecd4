namespace PhysSec.Hardware;

/// <summary>A reader that answered.</summary>
/// <param name="Baud">At this speed.</param>
/// <param name="Address">At this address.</param>
/// <param name="Identity">As it says in clear, so unproved; null: it says nothing in clear.</param>
/// <param name="OnDefaultKey">It says that it still has the default key; null: it does not say.</param>
public sealed record OsdpFound(int Baud, byte Address, OsdpIdentity? Identity, bool? OnDefaultKey);

/// <summary>
/// Finds readers by asking each address at each speed who it is. It starts each reader's sequence anew, so whoever else controls them loses the session: for installing, not for a door in use.
/// </summary>
public static class OsdpDiscovery
{
    private const int BitsPerByte = 10, AnswerLength = 24;

    /// <summary>A reader may take so long before it begins to answer.</summary>
    private static readonly TimeSpan _replyDelay = TimeSpan.FromMilliseconds(200);

    /// <param name="port">Opened once for each speed.</param>
    /// <param name="bauds">In the order to be tried.</param>
    /// <param name="addresses">0 to 126.</param>
    /// <param name="clock">For the waits.</param>
    /// <param name="stop">Ends the search.</param>
    /// <exception cref="IOException">The port cannot be opened, or is gone.</exception>
    public static IEnumerable<OsdpFound> Search(SerialSettings port, IReadOnlyList<int> bauds, IReadOnlyList<byte> addresses, TimeProvider clock, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(port);
        ArgumentNullException.ThrowIfNull(bauds);
        ArgumentNullException.ThrowIfNull(addresses);
        ArgumentNullException.ThrowIfNull(clock);
        foreach (var baud in bauds)
        {
            using var line = SerialLine.Open(port with { Baud = baud });
            using var ending = stop.Register(line.Wake);
            foreach (var address in addresses)
            {
                if (stop.IsCancellationRequested) yield break;
                if (Ask(line, baud, OsdpFrame.Build(address, 0, OsdpCommand.Id, [0]), clock, stop) is not { } answer) continue;
                var skills = Ask(line, baud, OsdpFrame.Build(address, 1, OsdpCommand.Capabilities, [0]), clock, stop);
                var security = skills?.Reply == OsdpReply.Capabilities
                    ? OsdpCapability.Parse(skills.Data.Span)?.Where(it => it.Function == OsdpFunction.CommunicationSecurity).Select(it => (OsdpCapability?)it).FirstOrDefault()
                    : null;
                yield return new(baud, address, answer.Reply == OsdpReply.Id ? OsdpIdentity.Parse(answer.Data.Span) : null, security is { } it ? (it.Count & 1) != 0 : null);
            }
        }
    }

    private static OsdpFrame? Ask(SerialLine line, int baud, byte[] command, TimeProvider clock, CancellationToken stop)
    {
        line.Discard();
        if (!line.Write([OsdpFrame.Mark, .. command])) throw new IOException("The port is gone.");

        var start = clock.GetTimestamp();
        var wait = _replyDelay + TimeSpan.FromSeconds((double)(command.Length + AnswerLength) * BitsPerByte / baud);
        var receiver = new OsdpReceiver(wait);
        var buffer = new byte[256];
        while (!stop.IsCancellationRequested && clock.GetElapsedTime(start) is var now && now < wait)
        {
            if (line.Wait(wait - now) is not SerialWait.Received) continue;
            var read = line.Read(buffer);
            if (read < 0) throw new IOException("The port is gone.");
            foreach (var it in receiver.Receive(buffer.AsSpan(0, read), now))
                if (it.Frame is { IsReply: true } frame && frame.Address == (command[1] & 0x7F)) return frame;
        }

        return null;
    }
}
