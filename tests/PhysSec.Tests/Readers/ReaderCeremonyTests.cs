using System.Collections.Concurrent;
using PhysSec.Core;
using PhysSec.Core.Access;
using PhysSec.Core.Wire;
using PhysSec.Hardware;
using PhysSec.Hardware.Simulation;
using PhysSec.Node;
using PhysSec.Node.Control;
using PhysSec.Node.Readers;
using PhysSec.Tests.Access;
using PhysSec.Tests.Control;
using PhysSec.Tests.Hardware;

namespace PhysSec.Tests.Readers;

/// <summary>An order of a reader from the command to the record: the node's core, its key file and a reader at the other end of a real pseudo-terminal.</summary>
public sealed class ReaderCeremonyTests : IAsyncDisposable
{
    private static readonly DoorId _door = new("door-b");

    private readonly RunningRoom _room = new();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ceremony");
    private readonly BlockingCollection<Input> _inputs = [];
    private readonly List<ReaderCommissioned> _record = [];
    private readonly ReaderKeyFile _keys;
    private readonly Board _board;
    private readonly Field _field;
    private readonly NodeCore _core;
    private VirtualReaders _readers;
    private TimeSpan _uptime;

    public ReaderCeremonyTests()
    {
        _readers = Plug(serial: 10);
        _keys = ReaderKeyFile.Open(Path.Combine(_folder.FullName, ReaderKeyFile.Name));
        var reader = new OsdpEntry("door-b.entry", DeviceRole.EntryReader, _door.Value, new(Port, 115_200), 4, Keypad: true);
        _board = Board.Open(_room.OneRoom with { Devices = [.. _room.OneRoom.Devices, reader] }, _keys, TimeProvider.System);
        _field = new Field(_board, new byte[32], _inputs.Add);
        _core = new NodeCore(NodeProbe.Setup(TestPolicy.Policy(), ClockQuality.Synced) with { Readers = [new(_door, Direction.In)], Doors = [new(_door, true, false, false, false)] }, null);
        _field.StartReaders();
    }

    private string Port => Path.Combine(_folder.FullName, "port");

    public async ValueTask DisposeAsync()
    {
        _board.Dispose();
        _readers.Dispose();
        _keys.Dispose();
        await _room.DisposeAsync();
        _inputs.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public void A_reader_is_installed_given_another_key_exchanged_with_its_key_and_replaced_and_the_record_tells_it_all_without_a_key()
    {
        Order(ReaderActs.Install, ("minutes", "5"));
        var installed = Outcome(ReaderActs.Install);
        Assert.Equal((null, Fingerprint, "0000000A"), (installed.KeyBefore, installed.KeyAfter, installed.DeviceAfter?.Serial));

        Until(() => _board.OsdpReaders[0].Link.State == OsdpLinkState.Online);
        Order(ReaderActs.Rotate);
        var rotated = Outcome(ReaderActs.Rotate);
        Assert.Equal((installed.KeyAfter, Fingerprint), (rotated.KeyBefore, rotated.KeyAfter));
        Assert.NotEqual(rotated.KeyBefore, rotated.KeyAfter);

        var key = _readers.With((bus, _) => bus.Readers[0].Key); // A device that was made to look the same, with the key: only a person takes it.
        _readers.Dispose();
        _readers = Plug(serial: 11, key);
        var other = Next(it => it.Act == ReaderActs.OtherDevice);
        Order(ReaderActs.Accept, ("device", other.DeviceAfter!.Mark()));
        Assert.Equal("0000000B", Outcome(ReaderActs.Accept).DeviceAfter?.Serial);

        _readers.Dispose();
        _readers = Plug(serial: 12);
        Order(ReaderActs.Replace, ("minutes", "1"));
        var replaced = Outcome(ReaderActs.Replace);
        Assert.Equal((rotated.KeyAfter, Fingerprint), (replaced.KeyBefore, replaced.KeyAfter));
        Assert.Equal(("0000000B", "0000000C"), (replaced.DeviceBefore?.Serial, replaced.DeviceAfter?.Serial));
        Assert.Equal(_readers.With((bus, _) => bus.Readers[0].Key), _keys.Of("door-b.entry").Keys.Current);
        var hex = Convert.ToHexStringLower(_keys.Of("door-b.entry").Keys.Current!.Export());
        Assert.All(_record, it => Assert.DoesNotContain(hex, it.ToString(), StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void A_reader_on_the_default_key_gets_nothing_without_a_window_and_after_one_was_ended()
    {
        Until(() => _board.OsdpReaders[0].Link.State == OsdpLinkState.Offline);
        Assert.Null(_readers.With((bus, _) => bus.Readers[0].Key));
        _readers.Dispose();
        Order(ReaderActs.Install, ("minutes", "5"));
        Order(ReaderActs.End);
        Assert.Equal(ReaderActFault.WindowClosed, Outcome(ReaderActs.Install).Fault);
        var asked = _board.OsdpReaders[0].Link.Statistics.Replies;
        _readers = Plug(serial: 10);
        Until(() => _board.OsdpReaders[0].Link.Statistics.Replies > asked + 1);
        Assert.Null(_readers.With((bus, _) => bus.Readers[0].Key));
    }

    [Fact]
    public void What_was_lost_in_a_jam_is_told_again()
    {
        Until(() => _board.OsdpReaders[0].Link.State == OsdpLinkState.Offline);
        while (_inputs.TryTake(out _)) { }

        _field.PostAll();

        var told = _inputs.TakeWhile(_ => _inputs.Count > 0).ToList();
        Assert.Contains(told, it => it is ReaderKeptSeen { Key: null });
        Assert.Contains(told, it => it is ReaderLinkChanged { Why: ReaderOffline.NoKey });
    }

    private string Fingerprint => _readers.With((bus, _) => bus.Readers[0].Key!.Fingerprint);

    private VirtualReaders Plug(uint serial, OsdpKey? key = null) => new(
        [new() { Address = 4, Key = key, Identity = new PeripheralSettings { Address = 4 }.Identity with { Serial = serial } }], 115_200, TimeProvider.System, Port);

    private void Order(string act, params (string Name, string Value)[] more)
    {
        Drain();
        var arguments = new Dictionary<string, string> { ["door"] = _door.Value, ["side"] = "entry", ["act"] = act };
        foreach (var (name, value) in more) arguments[name] = value;
        var effects = Do(new CommandArrived(new(Verbs.Reader, "n-1", TestPolicy.Tuesday, "sato", "test", arguments, "checked")));
        Assert.Equal("done", Assert.Single(effects.Replies).Outcome);
    }

    private ReaderCommissioned Outcome(string act) => Next(it => it.Act == act && it.Outcome != "begun");

    private ReaderCommissioned Next(Func<ReaderCommissioned, bool> which)
    {
        Until(() => _record.Exists(it => which(it)));
        return _record.Last(which);
    }

    private void Until(Func<bool> isSo)
    {
        var patience = TimeProvider.System.GetTimestamp();
        while (!isSo())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(patience) < RunningRoom.Patience, string.Join('\n', _record));
            if (_inputs.TryTake(out var it, TimeSpan.FromMilliseconds(20))) Do(it);
        }
    }

    private void Drain()
    {
        while (_inputs.TryTake(out var it)) Do(it);
    }

    private Effects Do(Input input)
    {
        _uptime = TimeProvider.System.GetElapsedTime(0);
        var effects = _core.Step(input, _uptime, TestPolicy.Tuesday);
        _record.AddRange(effects.Records.Select(it => it.Fact).OfType<ReaderCommissioned>());
        foreach (var it in effects.Readers) _field.Carry(it);
        return effects;
    }
}
