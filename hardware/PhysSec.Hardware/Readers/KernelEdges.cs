using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace PhysSec.Hardware;

/// <summary>
/// Edges as the kernel stamps and counts them in the interrupt. A thread of its own reads them, so that no timer and no crowded thread pool has a
/// part in what a card is; a program that is kept from the processor finds every edge in the kernel's buffer afterwards, or a number missing.
/// </summary>
internal sealed class KernelEdges : EdgeSource
{
    private const int Batch = 64;
    private const int BatchesMax = 16;

    /// <summary>The interrupt stamps an edge and a thread of the kernel queues it: what is stamped now may be there in a moment.</summary>
    private const long Queueing = 1_000_000;

    private static readonly TimeSpan _endWithin = TimeSpan.FromSeconds(2);

    private readonly SafeFileHandle _lines;
    private readonly SafeFileHandle _end;
    private readonly uint _d1;
    private readonly Thread _thread;
    private Action<LineEdge>? _onEdge;
    private Func<long, long?>? _onSilence;
    private volatile bool _gone;
    private bool _started;

    /// <param name="entry">The reader.</param>
    /// <param name="lines">Its lines' request: D0 first, then D1. Owned.</param>
    /// <param name="clock">One that counts as the kernel does (CLOCK_MONOTONIC from zero), as the system's does.</param>
    public KernelEdges(WiegandEntry entry, SafeFileHandle lines, TimeProvider clock)
        : base(clock, 0)
    {
        (_lines, _d1) = (lines, (uint)entry.D1);
        _end = new SafeFileHandle(GpioUapi.NewSignal(0, 0), ownsHandle: true);
        if (_end.IsInvalid) throw new IOException($"{GpioUapi.LastError}.");
        Timing = EdgeTiming.OfKernel(entry.FrameGap);
        _thread = new Thread(ReadForEver) { IsBackground = true, Name = $"edges {entry.Id}" };
    }

    public override EdgeTiming Timing { get; }

    public override void Start(Action<LineEdge> onEdge, Func<long, long?> onSilence)
    {
        (_onEdge, _onSilence) = (onEdge, onSilence);
        _thread.Start();
        _started = true;
    }

    public override bool AnyLineLow()
    {
        var values = new GpioUapi.LineValues { Mask = 0b11 };
        return _gone || GpioUapi.Ask(_lines, GpioUapi.GetValues, ref values) != 0 || (values.Bits & 0b11) != 0b11;
    }

    protected override void Dispose(bool disposing)
    {
        GpioUapi.Write(_end, 1, sizeof(ulong));
        var ended = !_started || Thread.CurrentThread == _thread || _thread.Join(_endWithin);
        _lines.Dispose();
        if (ended) _end.Dispose();
    }

    private void ReadForEver()
    {
        long? due = null;
        while (Wait(due is { } at ? Milliseconds(at - Now) : Timeout.Infinite) is not null)
        {
            var before = Now;
            var last = 0L;
            var batches = 0;
            while (batches < BatchesMax && Wait(0) is true)
            {
                if (ReadBatch() is not { } stamp) return;
                (last, batches) = (stamp, batches + 1);
                before = Now;
            }

            due = _onSilence!((batches < BatchesMax ? before : last) - Queueing); // Lines that never pause are judged by their own time.
        }

        _gone = true;
    }

    /// <summary>Whether an edge is there; null: read no more.</summary>
    private bool? Wait(int milliseconds)
    {
        var handles = new GpioUapi.PollPair
        {
            Events = (int)_lines.DangerousGetHandle(),
            EventsWanted = GpioUapi.PollIn,
            End = (int)_end.DangerousGetHandle(),
            EndWanted = GpioUapi.PollIn,
        };
        var found = GpioUapi.Poll(ref handles, 2, milliseconds);
        if (found < 0) return Marshal.GetLastPInvokeError() == GpioUapi.Interrupted ? false : null;
        if (handles.EndSeen != 0) return null;

        return handles.EventsSeen == 0 ? false : (handles.EventsSeen & GpioUapi.PollIn) != 0 ? true : null; // Else the chip is gone.
    }

    /// <summary>The last edge's time; null: the lines are gone.</summary>
    private long? ReadBatch()
    {
        Span<GpioUapi.LineEvent> events = stackalloc GpioUapi.LineEvent[Batch];
        var size = Unsafe.SizeOf<GpioUapi.LineEvent>();
        var bytes = GpioUapi.Read(_lines, ref events[0], (nuint)(Batch * size));
        if (bytes < size)
        {
            _gone = true;
            return null;
        }

        var count = (int)bytes / size;
        foreach (ref readonly var it in events[..count]) _onEdge!(new(it.Offset == _d1, (long)it.Timestamp, it.Sequence));
        return (long)events[count - 1].Timestamp;
    }

    private static int Milliseconds(long nanoseconds) => (int)Math.Clamp((nanoseconds + 999_999) / 1_000_000, 0, 60_000);
}
