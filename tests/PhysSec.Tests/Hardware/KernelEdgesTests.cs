using System.IO.Pipes;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using PhysSec.Hardware;

namespace PhysSec.Tests.Hardware;

/// <summary>The source of the kernel's edges, with a pipe in the place of the lines' request; a real request is held in tests/vm.</summary>
public sealed class KernelEdgesTests : IDisposable
{
    private static readonly CardBits _card = WiegandFrame.Encode26(123, 45_678);

    private readonly AnonymousPipeServerStream _kernel = new(PipeDirection.Out, HandleInheritability.None);
    private readonly WiegandReader _reader;
    private readonly TaskCompletionSource<ReaderFrame> _frame = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public KernelEdgesTests()
    {
        var entry = new WiegandEntry("door-a.entry", DeviceRole.EntryReader, "door-a", 17, 18, CardFormat.Parity, false, TimeSpan.FromMilliseconds(25));
        var lines = new SafeFileHandle(_kernel.ClientSafePipeHandle.DangerousGetHandle(), ownsHandle: false);
        _reader = new WiegandReader(entry, new KernelEdges(entry, lines, TimeProvider.System), TimeProvider.System);
        _reader.FrameRead += it => _frame.TrySetResult(it);
    }

    public void Dispose()
    {
        _reader.Dispose();
        _kernel.Dispose();
    }

    [Fact]
    public async Task The_kernel_s_events_become_a_card_with_the_time_of_the_last()
    {
        var events = Events(_card);

        Tell(events);

        Assert.Equal(new ReaderFrame((long)events[^1].Timestamp, _card, null, ReaderFault.None), await Frame());
    }

    [Fact]
    public async Task A_missing_number_is_a_fault_whatever_the_parity_says()
    {
        var events = Events(_card);
        for (var i = 13; i < events.Length; i++) events[i].Sequence++;

        Tell(events);

        Assert.NotEqual(ReaderFault.None, (await Frame()).Fault); // A pipe has no levels: the fault is named a stuck line.
    }

    [Fact]
    public async Task Lines_that_vanish_are_a_stuck_reader()
    {
        await _kernel.DisposeAsync();

        Assert.Equal(ReaderFault.LineStuck, (await Frame()).Fault);
    }

    [Fact]
    public void The_structures_are_those_of_linux_gpio_h()
    {
        Assert.Equal(
            (68, 256, 272, 592, 16, 48, 16),
            (Unsafe.SizeOf<GpioUapi.ChipInfo>(), Unsafe.SizeOf<GpioUapi.LineInfo>(), Unsafe.SizeOf<GpioUapi.LineConfig>(), Unsafe.SizeOf<GpioUapi.LineRequest>(),
                Unsafe.SizeOf<GpioUapi.LineValues>(), Unsafe.SizeOf<GpioUapi.LineEvent>(), Unsafe.SizeOf<GpioUapi.PollPair>()));
        Assert.Equal([0, 32, 64], Places<GpioUapi.ChipInfo>("Name", "Label", "Lines"));
        Assert.Equal([0, 32, 64, 68, 72, 80], Places<GpioUapi.LineInfo>("Name", "Consumer", "Offset", "AttributeCount", "Flags", "Attributes"));
        Assert.Equal([0, 8, 12, 32], Places<GpioUapi.LineConfig>("Flags", "AttributeCount", "Padding", "Attributes"));
        Assert.Equal([0, 256, 288, 560, 564, 568, 588], Places<GpioUapi.LineRequest>("Offsets", "Consumer", "Config", "LineCount", "EventBufferSize", "Padding", "Handle"));
        Assert.Equal([0, 8, 12, 16, 20, 24], Places<GpioUapi.LineEvent>("Timestamp", "Kind", "Offset", "Sequence", "LineSequence", "Padding"));
        Assert.Equal([0, 4, 6, 8, 12, 14], Places<GpioUapi.PollPair>("Events", "EventsWanted", "EventsSeen", "End", "EndWanted", "EndSeen"));
    }

    [Fact]
    public void The_calls_numbers_carry_the_structures_sizes()
    {
        Assert.Equal(Unsafe.SizeOf<GpioUapi.ChipInfo>(), Size(GpioUapi.GetChipInfo));
        Assert.Equal(Unsafe.SizeOf<GpioUapi.LineInfo>(), Size(GpioUapi.GetLineInfo));
        Assert.Equal(Unsafe.SizeOf<GpioUapi.LineRequest>(), Size(GpioUapi.GetLine));
        Assert.Equal(Unsafe.SizeOf<GpioUapi.LineValues>(), Size(GpioUapi.GetValues));

        static int Size(nuint call) => (int)(call >> 16 & 0x3FFF);
    }

    [Fact]
    public void A_machine_without_such_a_chip_has_none() => Assert.Null(KernelChip.Find(["no-such-chip"]));

    private static int[] Places<T>(params string[] fields)
        where T : struct => [.. fields.Select(it => (int)Marshal.OffsetOf<T>(it))];

    private static GpioUapi.LineEvent[] Events(CardBits card) => [.. Enumerable.Range(0, card.Length).Select(i => new GpioUapi.LineEvent
    {
        Timestamp = 1_000_000_000 + ((ulong)i * 2_000_000), // Long ago by any machine's clock.
        Kind = 2,
        Offset = (card.Value >> (card.Length - 1 - i) & 1) == 1 ? 18u : 17u,
        Sequence = (uint)i + 1,
    })];

    private void Tell(GpioUapi.LineEvent[] events) => _kernel.Write(MemoryMarshal.AsBytes(events.AsSpan()));

    private Task<ReaderFrame> Frame() => _frame.Task.WaitAsync(RunningRoom.Patience, TimeProvider.System, TestContext.Current.CancellationToken);
}
