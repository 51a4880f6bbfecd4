namespace PhysSec.Hardware;

/// <summary>What the line brought: a frame, or why bytes that began as one are none.</summary>
public readonly record struct OsdpReceived(OsdpFrame? Frame, OsdpFrameFault Fault);

/// <summary>
/// Frames out of a stream of bytes that may hold anything: marks, noise, half frames. It keeps at most one message, and finds the next frame
/// even inside what began as another. It never throws.
/// </summary>
/// <param name="gap">The longest silence inside a frame. A frame whose rest comes later is taken only if that completes it: a busy machine reads late what was sent in time.</param>
public sealed class OsdpReceiver(TimeSpan gap)
{
    /// <summary>The standard's longest pause between two characters of a frame.</summary>
    public static readonly TimeSpan StandardGap = TimeSpan.FromMilliseconds(20);

    private readonly byte[] _buffer = new byte[OsdpFrame.LengthMax];
    private int _used;
    private TimeSpan _last;

    /// <summary>Bytes that belonged to no frame, marks not counted.</summary>
    public long Skipped { get; private set; }

    /// <summary>When <see cref="Expire"/> will give up what has begun; null: nothing has.</summary>
    public TimeSpan? Due => _used > 0 ? _last + gap : null;

    public IReadOnlyList<OsdpReceived> Receive(ReadOnlySpan<byte> bytes, TimeSpan now)
    {
        if (bytes.Length == 0) return [];

        List<OsdpReceived>? found = null;
        var late = Due is { } due && now > due;
        _last = now;
        while (bytes.Length > 0)
        {
            var taken = Math.Min(bytes.Length, _buffer.Length - _used);
            bytes[..taken].CopyTo(_buffer.AsSpan(_used));
            _used += taken;
            bytes = bytes[taken..];
            Scan(ref found);
            while (late && _used > taken) GiveUp(ref found);
            late = false;
        }

        return found ?? [];
    }

    /// <summary>Gives up a frame whose rest did not come in time, and looks for another behind its start.</summary>
    public IReadOnlyList<OsdpReceived> Expire(TimeSpan now)
    {
        List<OsdpReceived>? found = null;
        while (Due is { } due && now >= due) GiveUp(ref found);
        return found ?? [];
    }

    /// <summary>Forgets everything: what came before this moment answers nothing that is asked after it.</summary>
    public void Clear()
    {
        Skipped += _used;
        _used = 0;
    }

    private void GiveUp(ref List<OsdpReceived>? found)
    {
        (found ??= []).Add(new(null, OsdpFrameFault.CutOff));
        Drop(1, skipped: 1);
        Scan(ref found);
    }

    private void Scan(ref List<OsdpReceived>? found)
    {
        while (_used > 0)
        {
            var fault = OsdpFrame.Parse(_buffer.AsSpan(0, _used), out var frame);
            if (fault == OsdpFrameFault.Incomplete) return;
            if (frame is not null)
            {
                (found ??= []).Add(new(frame, OsdpFrameFault.None));
                Drop(frame.Bytes.Length, skipped: 0);
            }
            else if (fault == OsdpFrameFault.NoStart)
            {
                var start = _buffer.AsSpan(0, _used).IndexOf(OsdpFrame.Start);
                var noise = start < 0 ? _used : start;
                Drop(noise, noise - _buffer.AsSpan(0, noise).Count(OsdpFrame.Mark));
            }
            else
            {
                // A whole frame that is not understood is skipped whole: what it carries must not pass for a frame of its own.
                var whole = fault is OsdpFrameFault.MultiPart or OsdpFrameFault.SecurityBlock ? _buffer[2] | _buffer[3] << 8 : 1;
                (found ??= []).Add(new(null, fault));
                Drop(whole, whole);
            }
        }
    }

    private void Drop(int count, int skipped)
    {
        Skipped += skipped;
        _used -= count;
        _buffer.AsSpan(count, _used).CopyTo(_buffer);
    }
}
