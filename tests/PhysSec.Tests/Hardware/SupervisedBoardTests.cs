using System.Device.I2c;
using PhysSec.Hardware;
using PhysSec.Hardware.Simulation;
using PhysSec.Node.Commissioning;

namespace PhysSec.Tests.Hardware;

/// <summary>Supervised lines through the drivers that ship.</summary>
public sealed class SupervisedBoardTests
{
    private static readonly LineNetwork _network = new(2.2, 1, 1, 0.47, 0.01);
    private static readonly SupervisedEntry[] _lines =
    [
        new("door-a.contact", DeviceRole.DoorContact, "door-a", 1, 0x49, 0, null, LineContact.Open, _network),
        new("door-a.button", DeviceRole.ExitButton, "door-a", 1, 0x49, 1, null, LineContact.Closed, _network),
        new("door-a.tamper", DeviceRole.DoorTamper, "door-a", 1, 0x49, 2, null, LineContact.Open, _network),
        new("enclosure.tamper", DeviceRole.EnclosureTamper, null, 1, 0x49, 3, null, LineContact.Open, _network),
    ];

    [Fact]
    public void Four_lines_are_sampled_three_times_within_a_hundred_milliseconds()
    {
        using var chip = new Chip(1.2, 1.2, 1.2, 1.2);
        using var scanner = new LineScanner([.. _lines.Select(it => new SupervisedInput(it, null))], chip, chip.Clock);
        var begin = chip.Clock.GetTimestamp();

        for (var round = 0; round < 3; round++) scanner.Scan();

        Assert.InRange(chip.Clock.GetElapsedTime(begin), TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(60));
    }

    [Fact]
    public void Each_line_is_judged_by_its_own_input()
    {
        using var chip = new Chip(3.3 * _network.Ratio(1), 3.3 * _network.Ratio(2), 3.3, 0);
        using var scanner = new LineScanner([.. _lines.Select(it => new SupervisedInput(it, null))], chip, chip.Clock);

        Rounds(scanner, chip);

        Assert.Equal([LineState.Closed, LineState.Open, LineState.Cut, LineState.Ground], scanner.Inputs.Select(it => it.State!.Value));
        Assert.Equal([false, false, null, null], scanner.Inputs.Select(it => it.Active));
    }

    [Theory]
    [InlineData(2.0, LineState.Unreadable)] // No excitation to speak of.
    [InlineData(3.0, LineState.Closed)]
    [InlineData(3.6, LineState.Closed)]
    public void With_a_reference_the_excitation_may_drift_and_must_be_there(double excitation, LineState expected)
    {
        var line = _lines[0] with { Reference = 3 };
        using var chip = new Chip(excitation * _network.Ratio(1), 0, 0, excitation);
        using var scanner = new LineScanner([new(line, null)], chip, chip.Clock);

        Rounds(scanner, chip);

        Assert.Equal(expected, scanner.Inputs[0].State);
    }

    [Theory]
    [InlineData(ChipFault.Absent)]
    [InlineData(ChipFault.Crc)]
    public void A_converter_that_does_not_answer_makes_every_line_unreadable(ChipFault fault)
    {
        using var chip = new Chip(1.2, 1.2, 1.2, 1.2);
        using var scanner = new LineScanner([.. _lines.Select(it => new SupervisedInput(it, null))], chip, chip.Clock);
        Rounds(scanner, chip);
        chip.Registers.Fault = fault;

        Rounds(scanner, chip);

        Assert.All(scanner.Inputs, it => Assert.Equal((LineState.Unreadable, null), (it.State, it.Active)));
    }

    [Fact]
    public void A_bus_that_hangs_makes_every_line_unreadable_without_another_sample()
    {
        using var chip = new Chip(3.3 * _network.Ratio(1), 1.2, 1.2, 1.2);
        using var scanner = new LineScanner([new(_lines[0], null)], chip, chip.Clock);
        Rounds(scanner, chip);

        scanner.Watch();
        Assert.Equal(LineState.Closed, scanner.Inputs[0].State);
        chip.Clock.Advance(TimeSpan.FromSeconds(1.1));
        scanner.Watch();

        Assert.Equal(LineState.Unreadable, scanner.Inputs[0].State);
    }

    [Fact]
    public void A_scanner_that_hangs_in_its_bus_is_found_by_its_own_watchdog()
    {
        using var chip = new Chip(3.3 * _network.Ratio(1), 1.2, 1.2, 1.2);
        using var hangs = new ManualResetEventSlim();
        using var goesOn = new ManualResetEventSlim();
        using var scanner = new LineScanner([new(_lines[0], null)], chip, chip.Clock);
        Rounds(scanner, chip);
        chip.Before = () =>
        {
            hangs.Set();
            goesOn.Wait();
        };
        try
        {
            scanner.Start();
            Assert.True(hangs.Wait(RunningRoom.Patience, TestContext.Current.CancellationToken));
            chip.Clock.Advance(TimeSpan.FromSeconds(1.5));
            Assert.Equal(LineState.Unreadable, scanner.Inputs[0].State);
        }
        finally
        {
            goesOn.Set();
        }
    }

    [Fact]
    public void A_bus_that_answers_is_not_taken_for_one_that_hangs_and_who_listens_hears_of_one_that_does()
    {
        using var chip = new Chip(3.3 * _network.Ratio(1), 1.2, 1.2, 1.2);
        using var scanner = new LineScanner([new(_lines[0], null)], chip, chip.Clock);
        var heard = new List<LineState>();
        scanner.Inputs[0].Changed += (_, state) => heard.Add(state);
        for (var i = 0; i < 15; i++) Rounds(scanner, chip); // A second and a half.

        scanner.Watch();
        chip.Clock.Advance(TimeSpan.FromSeconds(1.1));
        scanner.Watch();

        Assert.Equal([LineState.Closed, LineState.Unreadable], heard);
    }

    [Fact]
    public void More_than_the_converter_can_measure_is_a_foreign_voltage()
    {
        using var chip = new Chip(5, 1.2, 1.2, 1.2);
        using var scanner = new LineScanner([new(_lines[0], null)], chip, chip.Clock);

        Rounds(scanner, chip);

        Assert.Equal(LineState.ForeignVoltage, scanner.Inputs[0].State);
    }

    [Fact]
    public void A_line_that_was_calibrated_is_judged_by_what_was_measured_at_it()
    {
        using var chip = new Chip(3.3 * _network.Ratio(1), 1.2, 1.2, 1.2);
        using var scanner = new LineScanner([new(_lines[0], new(_lines[0].Id, _lines[0].Wiring, _network.Ratio(1) + 0.04, _network.Ratio(2)))], chip, chip.Clock);

        Rounds(scanner, chip);

        Assert.Equal(LineState.OutOfBand, scanner.Inputs[0].State);
    }

    [Fact]
    public async Task In_the_simulated_room_a_contact_moves_and_each_thing_that_happens_to_its_wires_is_seen_as_that()
    {
        await using var room = new RunningRoom(Shipped().Devices);
        using var board = Board.Open(room.BoardFile with { Devices = Shipped().Devices }, TimeProvider.System);
        var contact = board.Lines.Single(it => it.Entry.Role == DeviceRole.DoorContact);

        await Becomes(contact, LineState.Closed);
        await room.SayAsync("push");
        await Becomes(contact, LineState.Open);
        Assert.True(contact.Active);
        foreach (var (condition, state) in new[]
        {
            ("cut", LineState.Cut), ("short", LineState.Shorted), ("ground", LineState.Ground), ("foreign", LineState.ForeignVoltage), ("between", LineState.OutOfBand),
        })
        {
            Assert.StartsWith("ok", await room.SayAsync($"line door-a.contact {condition}"), StringComparison.Ordinal);
            await Becomes(contact, state);
            Assert.Null(contact.Active);
        }

        await room.SayAsync("close");
        await room.SayAsync("line door-a.contact ok");
        await Becomes(contact, LineState.Closed);
        Assert.StartsWith("error", await room.SayAsync("line door-b.contact cut"), StringComparison.Ordinal);
        Assert.StartsWith("error", await room.SayAsync("line door-a.contact bend"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_line_is_calibrated_by_whoever_moves_its_contact_and_refused_to_who_does_not()
    {
        var folder = Directory.CreateTempSubdirectory("lines");
        await using var room = new RunningRoom(Shipped().Devices);
        using var board = Board.Open(room.BoardFile with { Devices = Shipped().Devices }, TimeProvider.System);
        var contact = board.Lines.Single(it => it.Entry.Role == DeviceRole.DoorContact);
        var kept = new CommissioningFolder(folder.FullName);

        Assert.Equal(1, await CalibrateCommand.MeasureAsync(contact, kept, new Installer(), TextWriter.Null, TimeProvider.System));
        Assert.Empty(kept.Calibrations());
        Assert.Equal(0, await CalibrateCommand.MeasureAsync(contact, kept, new Installer("close", "push") { Room = room }, TextWriter.Null, TimeProvider.System));
        Assert.Equal(75, await CalibrateCommand.MeasureAsync(contact, kept, TextReader.Null, TextWriter.Null, TimeProvider.System));

        var calibration = Assert.Single(kept.Calibrations());
        Assert.Equal((contact.Entry.Id, contact.Entry.Wiring), (calibration.Device, calibration.Wiring));
        Assert.Equal(_network.Ratio(1), calibration.Closed, 0.002);
        Assert.Equal(_network.Ratio(2), calibration.Open, 0.002);
        folder.Delete(recursive: true);
    }

    private static BoardFile Shipped() => BoardFile.Load(Path.Combine(BoardFileTests.BoardsFolder(), "supervised-simulated.json"));

    private static async Task Becomes(SupervisedInput line, LineState state)
    {
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Look(SupervisedInput it, LineState now)
        {
            if (now == state) seen.TrySetResult();
        }

        line.Changed += Look;
        if (line.State != state) await seen.Task.WaitAsync(RunningRoom.Patience, TestContext.Current.CancellationToken);
        line.Changed -= Look;
    }

    private static void Rounds(LineScanner scanner, Chip chip)
    {
        for (var round = 0; round < 4; round++)
        {
            scanner.Scan();
            chip.Clock.Advance(TimeSpan.FromMilliseconds(25));
        }
    }

    /// <summary>Does one thing to the room before each Enter.</summary>
    private sealed class Installer(params string[] acts) : TextReader
    {
        private int _next;

        public RunningRoom? Room { get; init; }

        public override async Task<string?> ReadLineAsync()
        {
            if (Room is not null) await Room.SayAsync(acts[_next++]);
            return "";
        }
    }

    private sealed class Chip(params double[] volts) : I2cDevice
    {
        public Ads1115Chip Registers { get; } = new();

        public JumpingClock Clock { get; } = new();

        /// <summary>Comes before each word on the bus.</summary>
        public Action? Before { get; set; }

        public override I2cConnectionSettings ConnectionSettings { get; } = new(1, 0x49);

        public override void Read(Span<byte> buffer)
        {
            if (!Registers.Read(buffer, Clock.GetElapsedTime(0))) throw I2cFault.Exception(121, "Remote I/O error");
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Before?.Invoke();
            if (!Registers.Write(buffer, volts, Clock.GetElapsedTime(0))) throw I2cFault.Exception(121, "Remote I/O error");
        }

        public override void WriteRead(ReadOnlySpan<byte> writeBuffer, Span<byte> readBuffer)
        {
            Write(writeBuffer);
            Read(readBuffer);
        }
    }
}
