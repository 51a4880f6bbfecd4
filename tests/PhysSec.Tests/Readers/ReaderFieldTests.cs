using System.Collections.Concurrent;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Hardware;
using PhysSec.Hardware.Simulation;
using PhysSec.Node;
using PhysSec.Node.Control;
using PhysSec.Tests.Hardware;
using static PhysSec.Tests.Osdp.ReaderKeys;

namespace PhysSec.Tests.Readers;

/// <summary>An OSDP reader of a board, over a pseudo-terminal, as the control loop sees it.</summary>
public sealed class ReaderFieldTests : IAsyncDisposable
{
    private static readonly byte[] _siteKey = [.. Enumerable.Range(1, 32).Select(it => (byte)it)];
    private static readonly CardBits _card = WiegandFrame.Encode26(123, 45_678);
    private static readonly DoorId _door = new("door-b");

    private readonly RunningRoom _room = new();
    private readonly VirtualReaders _readers = new([new() { Address = 4, Key = Key(1) }], 115_200, TimeProvider.System);
    private readonly BlockingCollection<Input> _inputs = [];
    private readonly Board _board;
    private readonly Field _field;

    public ReaderFieldTests()
    {
        var reader = new OsdpEntry("door-b.entry", DeviceRole.EntryReader, _door.Value, new(_readers.Port, 115_200), 4, Keypad: true);
        var strike = new ReaderOutputEntry("door-b.lock", DeviceRole.Lock, _door.Value, reader.Id, 1, FailMode.FailSecure);
        var contact = new ReaderInputEntry("door-b.contact", DeviceRole.DoorContact, _door.Value, reader.Id, 0, ReaderInputState.Active);
        _board = Board.Open(_room.OneRoom with { Devices = [.. _room.OneRoom.Devices, reader, strike, contact] }, new Kept(Key(1)), TimeProvider.System);
        _field = new Field(_board, _siteKey, _inputs.Add);
        _field.StartReaders();
    }

    public async ValueTask DisposeAsync()
    {
        _board.Dispose();
        _readers.Dispose();
        await _room.DisposeAsync();
        _inputs.Dispose();
    }

    [Fact]
    public async Task A_card_becomes_its_token_a_key_its_number_and_an_opened_case_is_told()
    {
        Assert.Equal(new ReaderLinkChanged(_door, Direction.In, null), Next<ReaderLinkChanged>());
        Assert.False(Next<ReaderCaseChanged>().Tampered);
        await Settled();

        _readers.With((bus, _) =>
        {
            bus.Readers[0].Present(_card);
            bus.Readers[0].Press(7);
            bus.Readers[0].Press(OsdpKeys.Hash);
            bus.Readers[0].Status = new(Tamper: true, PowerFault: false);
            return true;
        });

        Next<ReaderCaseChanged>(it => it.Tampered);
        Assert.Equal(new CardRead(_door, Direction.In, CredentialTokens.Of(_siteKey, _card.Length, _card.Value)), Next<CardRead>());
        Assert.Equal(new KeyPressed(_door, Direction.In, 7), Next<KeyPressed>());
        Assert.Equal(new KeyPressed(_door, Direction.In, KeyPressed.Hash), Next<KeyPressed>());
    }

    [Fact]
    public async Task What_the_door_says_shows_at_the_reader_s_own_light()
    {
        Next<ReaderLinkChanged>();
        await Shows(OsdpColour.Red);

        _field.Show(new ReaderSignal(_door, Direction.In, Indication.Granted));
        await Shows(OsdpColour.Green);
        await Until((bus, _) => bus.Readers[0].Text == "OK"); // It has a display.
        _field.Show(new ReaderSignal(_door, Direction.In, Indication.Denied));
        await Until((bus, _) => bus.Readers[0].Text == "NO ENTRY");
        _field.Show(new ReaderSignal(_door, Direction.Out, Indication.Granted)); // The other side's is not this one.
        _field.Show(new ReaderSignal(_door, Direction.In, Indication.Idle));
        await Shows(OsdpColour.Red);
    }

    [Fact]
    public async Task The_door_s_lock_and_contact_may_hang_at_the_reader()
    {
        Assert.Contains(_field.LockFaultChanges(), it => it.Door != _door); // Of this one nobody can say anything yet.
        await Settled();
        Assert.Equal(new LockFaultChanged(_door, null), Assert.Single(_field.LockFaultChanges(), it => it.Door == _door));
        _field.Release(_door);
        await Until((bus, now) => bus.Readers[0].Output(1, now));
        _field.Secure(_door);
        await Until((bus, now) => !bus.Readers[0].Output(1, now));

        foreach (var (state, active, line) in ((OsdpInput, bool?, LineFault?)[])[(OsdpInput.Active, true, null), (OsdpInput.ShortCircuit, null, LineFault.Shorted), (OsdpInput.Inactive, false, null)])
        {
            _readers.With((bus, _) =>
            {
                bus.Readers[0].SetInput(0, state);
                return true;
            });
            Next<ContactChanged>(it => it == new ContactChanged("door-b.contact", ContactRole.DoorLeaf, _door, active, line));
        }
    }

    [Fact]
    public async Task An_orderly_end_locks_what_hangs_at_the_reader_before_the_line_is_given_up()
    {
        await Settled();
        _field.Release(_door);
        await Until((bus, now) => bus.Readers[0].Output(1, now));

        _board.Dispose();

        Assert.False(_readers.With((bus, now) => bus.Readers[0].Output(1, now)));
    }

    [Fact]
    public void A_real_board_never_reaches_a_reader_that_is_a_program()
    {
        var link = Path.Combine(Path.GetTempPath(), $"physsec-port-{Environment.ProcessId}");
        File.Delete(link);
        File.CreateSymbolicLink(link, _readers.Port);
        try
        {
            Assert.Contains("only a program", Assert.Throws<BoardOpenException>(() => Board.RefuseProgram(new OsdpEntry("door-b.entry", DeviceRole.EntryReader, "door-b", new(link, 9_600), 0, false))).Fault, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(link);
        }
    }

    private T Next<T>(Func<T, bool>? also = null)
        where T : Input
    {
        while (_inputs.TryTake(out var it, RunningRoom.Patience))
            if (it is T found && (also is null || also(found))) return found;
        throw new TimeoutException($"no {typeof(T).Name} came");
    }

    private Task Settled() => Until((bus, _) => bus.Links[0].Polls > 2);

    private Task Shows(OsdpColour colour) => Until((bus, now) => bus.Readers[0].Light(now) == colour);

    private async Task Until(Func<PeripheralBus, TimeSpan, bool> isSo)
    {
        using var patience = new CancellationTokenSource(RunningRoom.Patience, TimeProvider.System);
        while (!_readers.With(isSo)) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, patience.Token);
    }

    private sealed class Kept(OsdpKey key) : OsdpReaderStore
    {
        private OsdpReaderMemory _memory = new(new(key, null), null);

        public override OsdpReaderMemory Of(string reader) => _memory;

        public override void Store(string reader, OsdpReaderMemory memory) => _memory = memory;
    }
}
