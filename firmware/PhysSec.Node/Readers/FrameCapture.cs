using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using PhysSec.Hardware;

namespace PhysSec.Node.Readers;

/// <summary>
/// A readers' line in a text file: each frame with time, direction, what it is and its bytes in hex, for whoever looks for a fault. What may be a card, a PIN or a key is
/// masked, and so is whatever would let such a thing be guessed from the rest: the check characters of a masked frame, and within a Secure Channel everything that is encrypted or that
/// authenticates (whoever has the session's key could else try each digit against it). Bytes that are no frame are counted and not shown.
/// </summary>
[SuppressMessage("Interoperability", "CA1416", Justification = "A node runs on Linux.")]
internal sealed class FrameCapture : IDisposable
{
    private const string Masked = "xx";

    private static readonly OsdpReply[] _harmlessReplies =
    [
        OsdpReply.Ack, OsdpReply.Nak, OsdpReply.Id, OsdpReply.Capabilities, OsdpReply.LocalStatus, OsdpReply.InputStatus, OsdpReply.OutputStatus, OsdpReply.ReaderStatus,
        OsdpReply.Communication, OsdpReply.ClientCryptogram, OsdpReply.InitialReplyMac, OsdpReply.Busy, OsdpReply.FileTransferStatus,
    ];

    private static readonly OsdpCommand[] _harmlessCommands =
    [
        OsdpCommand.Poll, OsdpCommand.Id, OsdpCommand.Capabilities, OsdpCommand.LocalStatus, OsdpCommand.InputStatus, OsdpCommand.OutputStatus, OsdpCommand.ReaderStatus,
        OsdpCommand.Output, OsdpCommand.Led, OsdpCommand.Buzzer, OsdpCommand.CommunicationSet, OsdpCommand.Challenge, OsdpCommand.ServerCryptogram, OsdpCommand.ReceiveSize,
        OsdpCommand.Abort, OsdpCommand.KeepActive,
    ];

    private readonly StreamWriter _file;
    private readonly OsdpReceiver _sent = new(OsdpReceiver.StandardGap);
    private readonly OsdpReceiver _received = new(OsdpReceiver.StandardGap);
    private long _sentSkipped;
    private long _receivedSkipped;
    private bool _full;

    /// <param name="path">Written anew, for its owner alone.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public FrameCapture(string path) => _file = new StreamWriter(new FileStream(path, new FileStreamOptions
    {
        Mode = FileMode.Create,
        Access = FileAccess.Write,
        UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
    }))
    {
        AutoFlush = true, // It is looked at when something went wrong.
    };

    public void Sent(ReadOnlySpan<byte> bytes, TimeSpan now) => Keep('>', _sent, bytes, now, ref _sentSkipped);

    public void Received(ReadOnlySpan<byte> bytes, TimeSpan now) => Keep('<', _received, bytes, now, ref _receivedSkipped);

    public void Dispose()
    {
        try
        {
            _file.Dispose();
        }
        catch (IOException)
        {
            // As above.
        }
    }

    /// <summary>A frame's bytes, as far as anybody may see them.</summary>
    internal static string Hex(OsdpFrame frame)
    {
        var encrypted = frame.Block is OsdpBlock.CommandEncrypted or OsdpBlock.ReplyEncrypted;
        var hidden = encrypted || !(frame.IsReply ? _harmlessReplies.Contains(frame.Reply) : _harmlessCommands.Contains(frame.Command));
        var bytes = frame.Bytes.Span;
        var from = frame.IsSealed || (hidden && frame.Data.Length > 0) ? frame.Covered.Length - (hidden ? frame.Data.Length : 0) : bytes.Length;
        var text = new StringBuilder(bytes.Length * 3);
        for (var i = 0; i < bytes.Length; i++)
        {
            if (i > 0) text.Append(' ');
            if (i < from) text.Append(CultureInfo.InvariantCulture, $"{bytes[i]:X2}");
            else text.Append(Masked);
        }

        return text.ToString();
    }

    /// <summary>A disk that is full ends the capture, not the link.</summary>
    private void Keep(char direction, OsdpReceiver line, ReadOnlySpan<byte> bytes, TimeSpan now, ref long skipped)
    {
        try
        {
            if (!_full) Write(direction, line, bytes, now, ref skipped);
        }
        catch (IOException)
        {
            _full = true;
        }
    }

    private void Write(char direction, OsdpReceiver line, ReadOnlySpan<byte> bytes, TimeSpan now, ref long skipped)
    {
        foreach (var it in (IReadOnlyList<OsdpReceived>)[.. line.Expire(now), .. line.Receive(bytes, now)])
        {
            var at = now.TotalSeconds.ToString("F6", CultureInfo.InvariantCulture);
            if (it.Frame is { } frame) _file.WriteLine($"{at} {direction} {Hex(frame)}  {frame}");
            else _file.WriteLine($"{at} {direction} no frame: {it.Fault}");
        }

        if (line.Skipped != skipped) _file.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{now.TotalSeconds:F6} {direction} {line.Skipped - skipped} bytes that are no frame"));
        skipped = line.Skipped;
    }
}
