using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using PhysSec.Hardware;
using PhysSec.Hardware.Simulation;

namespace PhysSec.Tests.Hardware;

/// <summary>The drivers that ship, over the socket, in a simulated room. Waits are for events, never for a time.</summary>
[SuppressMessage("Reliability", "CA2025", Justification = "Every task is awaited before its board is closed.")]
public sealed class SimulatedBoardTests
{
    [Fact]
    public async Task A_badge_shown_in_the_room_is_a_card_at_the_reader()
    {
        await using var room = new RunningRoom();
        using var board = Board.Open(room.OneRoom, TimeProvider.System);
        Assert.True(board.Simulated);
        foreach (var (command, reader, card) in new[]
        {
            ("badge alice", "door-a.entry", WiegandFrame.Encode26(123, 45_678)),
            ("badge BOB out", "door-a.exit", WiegandFrame.Encode26(1, 1)),
            ("card 7 4711 in", "door-a.entry", WiegandFrame.Encode26(7, 4_711)),
        })
        {
            var read = NextFrame(board.Readers.Single(it => it.Id == reader));
            Assert.StartsWith("ok ", await room.SayAsync(command), StringComparison.Ordinal);
            Assert.Equal(card, (await read).Card);
        }
    }

    [Fact]
    public async Task A_card_and_a_code_in_the_room_are_a_card_and_keys_at_the_reader()
    {
        await using var room = new RunningRoom([.. new RoomParameters().Devices.Select(it => it is WiegandEntry reader ? reader with { Keypad = true } : it)]);
        using var board = Board.Open(room.OneRoom with { Devices = [.. room.OneRoom.Devices.Select(it => it is WiegandEntry reader ? reader with { Keypad = true } : it)] }, TimeProvider.System);
        var frames = new List<ReaderFrame>();
        var seven = new TaskCompletionSource();
        board.Readers.Single(it => it.Id == "door-a.entry").FrameRead += it =>
        {
            lock (frames) frames.Add(it);
            if (it.PinKey == 11 && frames.Count >= 6) seven.TrySetResult();
        };

        Assert.Equal("ok 5 keys pressed at door-a.entry", await room.SayAsync("pin alice 1357"));
        await seven.Task.WaitAsync(RunningRoom.Patience, TestContext.Current.CancellationToken);

        Assert.Equal(WiegandFrame.Encode26(123, 45_678), frames[0].Card);
        Assert.Equal([1, 3, 5, 7, 11], frames.Skip(1).Select(it => it.PinKey!.Value));
        Assert.DoesNotContain("7", string.Concat(frames.Select(it => it.ToString())), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bits 10111101110110010011011100", ReaderFault.Parity)]
    [InlineData("bits 1010", ReaderFault.BitCount)]
    [InlineData("bits 00000000001111111111000000000011111111110000000000111111111100000", ReaderFault.Overrun)]
    public async Task Broken_bits_are_the_reader_s_fault(string command, ReaderFault fault)
    {
        await using var room = new RunningRoom();
        using var board = Board.Open(room.OneRoom, TimeProvider.System);
        var read = NextFrame(board.Readers[0]);
        await room.SayAsync(command);

        Assert.Equal((null, fault), ((await read).Card, (await read).Fault));
    }

    [Theory]
    [InlineData("push", "door-a.contact", true)]
    [InlineData("force", "door-a.contact", true)]
    [InlineData("exit hold", "door-a.button", true)]
    [InlineData("tamper door on", "door-a.tamper", true)]
    [InlineData("tamper enclosure on", "enclosure.tamper", true)]
    [InlineData("leak on", "leak", true)]
    [InlineData("mains off", "mains", false)]
    public async Task What_happens_in_the_room_is_seen_on_its_contact(string command, string id, bool active)
    {
        await using var room = new RunningRoom();
        using var board = Board.Open(room.OneRoom, TimeProvider.System);
        var input = board.Inputs.Single(it => it.Id == id);
        await Becomes(input, !active);

        await room.SayAsync(command);

        await Becomes(input, active);
    }

    [Fact]
    public async Task A_short_press_of_the_exit_button_is_seen_as_pressed_and_released()
    {
        await using var room = new RunningRoom();
        using var board = Board.Open(room.OneRoom, TimeProvider.System);
        var button = board.Inputs.Single(it => it.Role == DeviceRole.ExitButton);
        await Becomes(button, false);
        var pressed = Next(button, true);
        var say = room.SayAsync("exit");
        await pressed;
        await Becomes(button, false);
        Assert.StartsWith("ok", await say, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_leaf_follows_the_lock_and_the_exit_button_needs_no_software()
    {
        await using var room = new RunningRoom();
        using var board = Board.Open(room.OneRoom, TimeProvider.System);
        Assert.StartsWith("error: the lock holds the leaf", await room.SayAsync("open"), StringComparison.Ordinal);

        board.Outputs.Single(it => it.Role == DeviceRole.Lock).Set(true);
        Assert.Equal("ok the leaf is open", await room.SayAsync("open"));

        board.Outputs.Single(it => it.Role == DeviceRole.Lock).Set(false);
        await room.SayAsync("close");
        Assert.StartsWith("error", await room.SayAsync("open"), StringComparison.Ordinal);
        await room.SayAsync("exit hold");
        Assert.Equal("ok the leaf is open", await room.SayAsync("open"));
    }

    [Fact]
    public async Task Each_output_is_seen_in_the_room_and_a_closed_board_leaves_all_of_them_off()
    {
        await using var room = new RunningRoom();
        using (var board = Board.Open(room.OneRoom, TimeProvider.System))
        {
            Assert.All(Outputs(await StatusAsync(room)), Assert.False);
            foreach (var output in board.Outputs) output.Set(true);
            Assert.All(Outputs(await StatusAsync(room)), Assert.True);
        }

        Assert.All(Outputs(await StatusAsync(room)), Assert.False);
    }

    [Fact] // SECURE-BY-DEFAULT
    public async Task A_board_that_dies_without_a_word_leaves_the_lock_locked_and_its_lines_to_the_next_one()
    {
        await using var room = new RunningRoom();
        using (var dying = await RawBoardAsync(room.Socket))
        {
            Assert.Equal("ok", await AskAsync(dying, "open 24"));
            Assert.Equal("ok 1", await AskAsync(dying, "mode 24 out 1"));
            Assert.True((await StatusAsync(room)).GetProperty("lockOutput").GetBoolean());
        } // The kernel closes a dead process's socket just so.

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(RunningRoom.Patience);
        while ((await StatusAsync(room)).GetProperty("lockOutput").GetBoolean()) patience.Token.ThrowIfCancellationRequested();

        using var next = Board.Open(room.OneRoom, TimeProvider.System);
        Assert.False((await StatusAsync(room)).GetProperty("lockOutput").GetBoolean());
    }

    [Fact]
    public async Task Switching_off_touches_outputs_alone_and_names_the_one_that_is_held()
    {
        await using var room = new RunningRoom();
        var input = room.OneRoom.Devices.OfType<InputEntry>().First();
        var output = room.OneRoom.Devices.OfType<OutputEntry>().Last();
        using var other = await RawBoardAsync(room.Socket);
        Assert.Equal("ok", await AskAsync(other, $"open {input.Line}"));
        Board.SwitchOff(room.OneRoom, TimeProvider.System);
        Assert.All(Outputs(await StatusAsync(room)), Assert.False);
        Assert.Equal("ok", await AskAsync(other, $"open {output.Line}"));
        Assert.Equal(output.Id, Assert.Throws<BoardOpenException>(() => Board.SwitchOff(room.OneRoom, TimeProvider.System)).Device);
    }

    [Fact]
    public async Task Two_boards_cannot_hold_the_same_lines()
    {
        await using var room = new RunningRoom();
        using var first = Board.Open(room.OneRoom, TimeProvider.System);

        var refused = Assert.Throws<BoardOpenException>(() => Board.Open(room.OneRoom, TimeProvider.System));

        Assert.Equal("door-a.lock", refused.Device);
        Assert.Contains("busy", refused.Fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sensor absent", SensorFault.Absent)]
    [InlineData("sensor crc", SensorFault.BadChecksum)]
    [InlineData("sensor ok", SensorFault.None)]
    public async Task The_climate_chip_is_read_over_its_registers_with_its_faults(string command, SensorFault fault)
    {
        await using var room = new RunningRoom();
        using var board = Board.Open(room.OneRoom, TimeProvider.System);
        await room.SayAsync(command);

        var readings = Assert.Single(board.Sensors).Sample();

        Assert.All(readings, it => Assert.Equal(fault, it.Fault));
        Assert.All(readings, it => Assert.Equal(fault == SensorFault.None, it.Value is not null));
    }

    [Fact] // UNKNOWN-IS-NOT-OK
    public async Task A_room_that_vanishes_makes_everything_unknown_and_comes_back()
    {
        await using var room = new RunningRoom();
        using var board = Board.Open(room.OneRoom, TimeProvider.System);
        var door = board.Inputs.Single(it => it.Role == DeviceRole.DoorContact);
        var strike = board.Outputs.Single(it => it.Role == DeviceRole.Lock);
        await Becomes(door, false);
        strike.Set(true);

        var lost = new TaskCompletionSource();
        door.BecameUnknown += (_, _) => lost.TrySetResult();
        await room.StopAsync();
        await lost.Task.WaitAsync(RunningRoom.Patience, TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.Null(door.Active);
        Assert.All(board.Sensors[0].Sample(), it => Assert.Equal(SensorFault.Unreachable, it.Fault));
        strike.Set(false);
        Assert.NotNull(strike.Fault);

        var known = Next(door, false);
        room.Start();
        await known;
        Assert.False((await StatusAsync(room)).GetProperty("lockOutput").GetBoolean());
    }

    [Fact]
    public void A_missing_room_stops_the_start_with_a_clear_error()
    {
        var file = BoardFile.Parse(
            """{"hardware":{"kind":"simulated","socket":"/nowhere/room.sock"},"devices":[{"id":"lamp","type":"output","role":"lamp","line":20,"active":"high"}]}""", "b");

        var refused = Assert.Throws<BoardOpenException>(() => Board.Open(file, TimeProvider.System));

        Assert.Equal("hardware", refused.Device);
        Assert.Contains("/nowhere/room.sock", refused.Fault, StringComparison.Ordinal);
        Assert.NotEmpty(refused.Remedy);
    }

    [Fact]
    public void A_real_board_file_never_falls_into_simulation()
    {
        var file = BoardFile.Parse(
            """{"hardware":{"kind":"raspberry-pi","gpioChip":"no-such-chip"},"devices":[{"id":"lamp","type":"output","role":"lamp","line":20,"active":"high"}]}""", "b");

        Assert.Equal("hardware", Assert.Throws<BoardOpenException>(() => Board.Open(file, TimeProvider.System)).Device);
    }

    [Fact]
    public async Task A_type_without_a_driver_is_refused_and_a_registered_driver_is_used()
    {
        await using var room = new RunningRoom();
        var file = room.OneRoom with { Devices = [new I2cEntry("rack", "bme280", DeviceRole.Environment, 1, 0x76, TimeSpan.FromSeconds(1))] };
        var refused = Assert.Throws<BoardOpenException>(() => Board.Open(file, TimeProvider.System));
        Assert.Equal("rack", refused.Device);
        Assert.Contains("IotBindings", refused.Remedy, StringComparison.Ordinal);

        using var board = Board.Open(file, TimeProvider.System,
            it => it.Entry is I2cEntry { Type: "bme280" } entry ? new Sht4x(entry, it.OpenI2c(entry.Bus, entry.Address), it.Clock) : null);
        Assert.Equal(SensorFault.Absent, Assert.Single(board.Sensors).Sample()[0].Fault); // No such chip in the room.
    }

    [Theory]
    [InlineData("Y\n", true)]
    [InlineData("N\n", false)]
    public void A_kernel_that_keeps_outputs_after_a_crash_is_refused(string value, bool refused)
    {
        var modules = Directory.CreateTempSubdirectory("modules");
        var folder = modules.CreateSubdirectory("pinctrl_rp1/parameters");
        File.WriteAllText(Path.Combine(folder.FullName, "persist_gpio_outputs"), value);

        var failure = Record.Exception(() => Buses.RefuseLastingOutputs(modules.FullName));

        modules.Delete(recursive: true);
        Assert.Equal(refused, failure is BoardOpenException { Remedy: var remedy } && remedy.Contains("strict_gpiod", StringComparison.Ordinal));
    }

    private static async Task<Socket> RawBoardAsync(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), TestContext.Current.CancellationToken);
        await socket.SendAsync(Encoding.ASCII.GetBytes("board 1\n"), TestContext.Current.CancellationToken);
        return socket;
    }

    private static async Task<string> AskAsync(Socket socket, string request)
    {
        await socket.SendAsync(Encoding.ASCII.GetBytes(request + "\n"), TestContext.Current.CancellationToken);
        var buffer = new byte[256];
        var count = await socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken);
        return Encoding.ASCII.GetString(buffer, 0, count).TrimEnd('\n');
    }

    private static async Task<JsonElement> StatusAsync(RunningRoom room) =>
        JsonDocument.Parse((await room.SayAsync("status"))["ok ".Length..]).RootElement;

    private static IEnumerable<bool> Outputs(JsonElement status) =>
        ((string[])["lockOutput", "led", "buzzer", "lamp", "siren"]).Select(it => status.GetProperty(it).GetBoolean());

    private static Task<ReaderFrame> NextFrame(WiegandReader reader)
    {
        var next = new TaskCompletionSource<ReaderFrame>(TaskCreationOptions.RunContinuationsAsynchronously);
        reader.FrameRead += it => next.TrySetResult(it);
        return next.Task.WaitAsync(RunningRoom.Patience, TimeProvider.System, TestContext.Current.CancellationToken);
    }

    private static Task Next(ContactInput input, bool active)
    {
        var next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        input.Changed += (_, it, _) =>
        {
            if (it == active) next.TrySetResult();
        };
        return next.Task.WaitAsync(RunningRoom.Patience, TimeProvider.System, TestContext.Current.CancellationToken);
    }

    private static Task Becomes(ContactInput input, bool active)
    {
        var next = Next(input, active);
        return input.Active == active ? Task.CompletedTask : next;
    }
}
