using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using System.Text.Json;
using PhysSec.Hardware;
using PhysSec.Hardware.Simulation;

namespace PhysSec.Tests.Hardware;

[SupportedOSPlatform("linux")]
public sealed class RoomServerTests
{
    [Theory]
    [InlineData("help", "ok badge NAME")]
    [InlineData("close", "ok the leaf is closed")]
    [InlineData("leak off", "ok leak off")]
    [InlineData("mains on", "ok mains on")]
    [InlineData("heat 3kW", "ok heat 3000 W")]
    [InlineData("heat 1.5kw", "ok heat 1500 W")]
    [InlineData("heat 800W", "ok heat 800 W")]
    [InlineData("heat 800", "ok heat 800 W")]
    [InlineData("cooling off", "ok cooling off")]
    [InlineData("cooling 2kW", "ok cooling 2000 W")]
    [InlineData("sensor stuck", "ok sensor stuck")]
    [InlineData("sensor present", "ok sensor present")]
    [InlineData("speed 60", "ok speed 60")]
    [InlineData("exit release", "ok the exit button is released")]
    [InlineData("", "error: the command is empty")]
    [InlineData("dance", "error: \"dance\" is not a command here; try help")]
    [InlineData("leak maybe", "error: \"leak maybe\" is not a command here; try help")]
    [InlineData("badge mallory", "error: no badge is called \"mallory\"; known: alice, bob")]
    [InlineData("badge alice up", "error: \"up\" is not a side; write in, out, or a reader: door-a.entry, door-a.exit")]
    [InlineData("card 256 1", "error: \"256\" is no facility code; give 0 to 255")]
    [InlineData("card 1 65536", "error: \"65536\" is no card number; give 0 to 65535")]
    [InlineData("card -1 1", "error: \"-1\" is no facility code")]
    [InlineData("bits 01x", "error: \"01x\" is not a row of bits")]
    [InlineData("keys 12a#", "error: these are no keys")]
    [InlineData("keys 1234#", "error: door-a.entry has no keypad")]
    [InlineData("pin mallory 1234", "error: no badge is called \"mallory\"")]
    [InlineData("heat hot", "error: \"hot\" is no heat; give 0 to 100000 W")]
    [InlineData("heat 200kW", "error: \"200kW\" is no heat")]
    [InlineData("speed 0", "error: \"0\" is no speed; give 0.1 to 3600")]
    [InlineData("speed 1e9", "error: \"1e9\" is no speed")]
    [InlineData("sensor broken", "error: \"broken\" is no sensor state")]
    public async Task Each_command_is_answered_with_ok_or_with_the_fault_and_a_remedy(string command, string answer)
    {
        await using var room = new RunningRoom();

        Assert.StartsWith(answer, await room.SayAsync(command), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Badges_and_cards_are_answered_without_their_numbers()
    {
        await using var room = new RunningRoom();

        Assert.Equal("ok alice shown at door-a.entry", await room.SayAsync("badge alice"));
        Assert.Equal("ok card shown at door-a.exit", await room.SayAsync("card 12 34567 out"));
    }

    [Fact]
    public async Task A_door_at_the_end_of_a_command_is_the_one_that_is_meant_and_each_stands_for_itself()
    {
        await using var room = new RunningRoom(TwoDoors());
        foreach (var (command, answer) in new[]
        {
            ("open door-b", "error: the lock holds the leaf"), ("push door-b", "ok the leaf is open"), ("exit hold door-a", "ok the exit button is held"), ("glass on door-b", "ok break glass on"),
            ("badge alice door-a", "ok alice shown at door-a.entry"), ("badge bob out door-b", "error: door-b has no ExitReader"), ("open door-c", "error: \"open door-c\" is not a command here"),
        })
            Assert.StartsWith(answer, await room.SayAsync(command), StringComparison.Ordinal);

        var status = JsonDocument.Parse((await room.SayAsync("status"))["ok ".Length..]).RootElement;
        Assert.Equal("closed", status.GetProperty("leaf").GetString());
        Assert.Equal(["closed true false", "open false true"], status.GetProperty("doors").EnumerateObject().Select(it =>
            $"{it.Value.GetProperty("leaf")} {it.Value.GetProperty("exitPressed")} {it.Value.GetProperty("breakGlass")}".ToLowerInvariant()));
    }

    [Fact]
    public async Task A_card_a_code_and_a_cut_cable_reach_the_second_door_s_reader_by_name_and_by_door()
    {
        await using var room = new RunningRoom(TwoDoors());
        foreach (var (command, answer) in new[]
        {
            ("pin alice 12345678 door-b", "ok 9 keys pressed"), ("keys 12# door-b.entry", "ok 3 keys pressed"), ("bits 0101 door-b", "error: door-b.entry is no Wiegand reader"),
            ("keys 12# door-a", "error: door-a.entry has no keypad"), ("reader door-b.entry badge alice", "ok alice shown at door-b.entry"), ("reader door-b.entry cut", "ok the reader's cable is cut"),
            ("reader door-b.entry exchange fresh", "ok another reader is there, serial 000003E9"),
            ("reader door-c.entry cut", "error: no OSDP reader is called \"door-c.entry\"; known: door-b.entry"),
        })
            Assert.StartsWith(answer, await room.SayAsync(command), StringComparison.Ordinal);
    }

    private static List<DeviceEntry> TwoDoors()
    {
        var port = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".pty");
        return [.. BoardFile.Load(Path.Combine(BoardFileTests.BoardsFolder(), "two-doors-simulated.json")).Devices.Select(it => it is OsdpEntry reader ? reader with { Line = reader.Line with { Port = port } } : it)];
    }

    [Fact]
    public async Task The_status_tells_the_whole_room_in_one_line()
    {
        await using var room = new RunningRoom();
        foreach (var command in (string[])["heat 3kW", "cooling off", "leak on", "mains off", "tamper door on", "speed 10"])
            await room.SayAsync(command);

        var status = JsonDocument.Parse((await room.SayAsync("status"))["ok ".Length..]).RootElement;

        Assert.Equal(3_000, status.GetProperty("heatWatts").GetDouble());
        Assert.Equal(10, status.GetProperty("speed").GetDouble());
        Assert.Equal("closed", status.GetProperty("leaf").GetString());
        Assert.Equal("ok", status.GetProperty("sensor").GetString());
        Assert.Equal(
            (false, true, false, true, false),
            (Flag("coolingOn"), Flag("leak"), Flag("mains"), Flag("doorTamper"), Flag("lockFree")));

        bool Flag(string name) => status.GetProperty(name).GetBoolean();
    }

    [Fact]
    public async Task The_socket_is_its_owner_s_alone_and_gone_at_the_end()
    {
        var room = new RunningRoom();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(room.Socket));
        Assert.Equal([room.Socket], Directory.GetFileSystemEntries(Path.GetDirectoryName(room.Socket)!));

        await room.DisposeAsync();

        Assert.False(File.Exists(room.Socket));
        await Assert.ThrowsAsync<IOException>(() => room.SayAsync("status"));
    }

    [Fact]
    public async Task A_second_room_at_the_same_socket_is_refused_and_the_first_goes_on()
    {
        await using var room = new RunningRoom();
        var second = new RoomServer(room.Socket, new RoomParameters(), new Dictionary<string, (int, int)>(), TimeProvider.System);

        var refused = await Assert.ThrowsAsync<IOException>(() => second.RunAsync(TestContext.Current.CancellationToken));

        Assert.Contains("Another simulated room", refused.Message, StringComparison.Ordinal);
        Assert.StartsWith("ok", await room.SayAsync("status"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_socket_left_by_a_killed_room_is_taken_over()
    {
        await using var room = new RunningRoom();
        await room.StopAsync();
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(room.Socket + "x"));
            File.Move(room.Socket + "x", room.Socket, overwrite: true); // Its name stays when the process is gone.
        }

        room.Start();

        Assert.StartsWith("ok", await room.SayAsync("status"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("open 99")]
    [InlineData("open -1")]
    [InlineData("mode 24 out 1")]
    [InlineData("fly 24")]
    [InlineData("i2c 1 x FD 0")]
    [InlineData("i2c 1 68 FDF 0")]
    [InlineData("i2c 1 68 - 65")]
    [InlineData("i2c 1 69 FD 0")]
    public async Task A_board_that_talks_nonsense_gets_an_error_and_harms_nobody(string request)
    {
        await using var room = new RunningRoom();
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(room.Socket), TestContext.Current.CancellationToken);
        await socket.SendAsync(Encoding.ASCII.GetBytes($"board 1\n{request}\n"), TestContext.Current.CancellationToken);
        var buffer = new byte[256];
        var count = await socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken);

        Assert.StartsWith("error ", Encoding.ASCII.GetString(buffer, 0, count), StringComparison.Ordinal);
        Assert.Contains("\"lockOutput\":false", await room.SayAsync("status"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_line_without_end_is_hung_up_on()
    {
        await using var room = new RunningRoom();
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(room.Socket), TestContext.Current.CancellationToken);
        await socket.SendAsync(new byte[5_000], TestContext.Current.CancellationToken);

        var end = await Record.ExceptionAsync(async () =>
            Assert.Equal(0, await socket.ReceiveAsync(new byte[1], TestContext.Current.CancellationToken)));

        Assert.True(end is null or SocketException, end?.ToString()); // End of stream or reset: either way it is over.
        Assert.StartsWith("ok", await room.SayAsync("status"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_path_that_no_socket_can_have_is_refused_at_once() => Assert.Throws<ArgumentException>(() => new RoomServer(
        "/tmp/" + new string('x', 110), new RoomParameters(), new Dictionary<string, (int, int)>(), TimeProvider.System));

    [Fact]
    public void A_badge_that_does_not_fit_26_bits_is_refused_at_once() => Assert.Throws<ArgumentException>(() => new RoomServer(
        "/tmp/x", new RoomParameters(), new Dictionary<string, (int, int)> { ["eve"] = (256, 1) }, TimeProvider.System));
}
