using System.Net;
using System.Net.Sockets;
using System.Text;
using PhysSec.Hardware;

namespace PhysSec.Tests.Hardware;

/// <summary>The client against a server that says what the test tells it to, and the words of the protocol on their own.</summary>
public sealed class NutUpsTests
{
    private const string Version = "Network UPS Tools upsd 2.8.0 - https://www.networkupstools.org/\n";

    [Theory]
    [InlineData("OL", 0.0, 0.0)]
    [InlineData("OL CHRG", 0.0, 0.0)]
    [InlineData("OB DISCHRG", 1.0, 0.0)]
    [InlineData("OB DISCHRG LB", 1.0, 1.0)]
    [InlineData("OL CHRG LB", 0.0, 1.0)]
    [InlineData("BYPASS", null, null)]
    [InlineData("OFF", null, null)]
    [InlineData("OL OB", null, null)]
    [InlineData("", null, null)]
    [InlineData("COLB", null, null)]
    public void A_status_says_who_carries_the_load_or_nothing(string status, double? onBattery, double? lowBattery) =>
        Assert.Equal((onBattery, lowBattery), UpsVariables.Status(status));

    [Theory]
    [InlineData("VAR rack1 ups.status \"OL CHRG\"", "ups.status", "OL CHRG")]
    [InlineData("VAR rack1 ups.mfr \"a \\\"b\\\" \\\\c\"", "ups.mfr", "a \"b\" \\c")]
    [InlineData("VAR rack1 x \"\"", "x", "")]
    public void A_variable_is_taken_apart(string line, string name, string value) =>
        Assert.Equal((name, value), UpsVariables.Variable(line, "rack1"));

    [Theory]
    [InlineData("VAR rack2 ups.status \"OL\"")]
    [InlineData("VAR rack1 ups.status OL")]
    [InlineData("VAR rack1 ups.status \"OL")]
    [InlineData("VAR rack1 ups.status \"OL\\")]
    [InlineData("VAR rack1 ups.status \"OL\"x")]
    [InlineData("VAR rack1 \"OL\"")]
    [InlineData("VAR rack1")]
    [InlineData("")]
    public void Anything_else_is_no_variable(string line) => Assert.Null(UpsVariables.Variable(line, "rack1"));

    [Theory]
    [InlineData("ERR DATA-STALE", SensorFault.Stale)]
    [InlineData("ERR DRIVER-NOT-CONNECTED", SensorFault.Absent)]
    [InlineData("ERR UNKNOWN-UPS", SensorFault.Absent)]
    [InlineData("ERR ACCESS-DENIED", SensorFault.Unreachable)]
    [InlineData("ERR UNKNOWN-COMMAND", SensorFault.Protocol)]
    [InlineData("ERR ", SensorFault.Protocol)]
    public async Task Each_error_of_upsd_is_its_fault_for_every_point(string error, SensorFault fault)
    {
        using var upsd = new Upsd();
        upsd.Answer(Version, error + "\n");
        using var ups = upsd.Sensor();

        Assert.All(ups.Sample(), it => Assert.Equal((null, fault), (it.Value, it.Fault)));
        await upsd.DoneAsync();
    }

    [Fact]
    public async Task The_variables_become_four_points()
    {
        using var upsd = new Upsd();
        upsd.Answer(Version, List(("battery.charge", "60"), ("battery.runtime", "900"), ("ups.mfr", "PhysSec"), ("ups.status", "OB DISCHRG")));
        using var ups = upsd.Sensor();

        Assert.Equal(
            [
                new("ups.on-battery", 1, SensorFault.None), new("ups.low-battery", 0, SensorFault.None),
                new("ups.charge", 60, SensorFault.None), new("ups.runtime", 900, SensorFault.None),
            ],
            ups.Sample());
        await upsd.DoneAsync();
    }

    [Fact]
    public async Task A_value_that_is_missing_or_impossible_is_a_fault_of_its_own_point_only()
    {
        using var upsd = new Upsd();
        upsd.Answer(Version, List(("battery.charge", "130"), ("battery.runtime", "long"), ("ups.status", "OL")));
        using var ups = upsd.Sensor();

        Assert.Equal(
            [SensorFault.None, SensorFault.None, SensorFault.OutOfRange, SensorFault.Protocol],
            ups.Sample().Select(it => it.Fault));
        await upsd.DoneAsync();
    }

    [Fact]
    public async Task A_ups_that_does_not_say_who_carries_the_load_is_not_taken_for_normal()
    {
        using var upsd = new Upsd();
        upsd.Answer(Version, List(("ups.status", "BYPASS")), List(("battery.charge", "90")));
        using var ups = upsd.Sensor();

        Assert.Equal([SensorFault.OutOfRange, SensorFault.OutOfRange], ups.Sample().Take(2).Select(it => it.Fault));
        Assert.Equal([SensorFault.Protocol, SensorFault.Protocol], ups.Sample().Take(2).Select(it => it.Fault));
        await upsd.DoneAsync();
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2\n", "")]
    [InlineData(Version, "BEGIN LIST VAR rack2\nEND LIST VAR rack2\n")]
    [InlineData(Version, "BEGIN LIST VAR rack1\nRUBBISH\n")]
    [InlineData(Version, "\u0001\u0002\u0003\n")]
    public async Task Garbage_is_a_protocol_fault_and_the_connection_is_dropped(string first, string second)
    {
        using var upsd = new Upsd();
        upsd.Answer(first, second);
        using var ups = upsd.Sensor();

        Assert.All(ups.Sample(), it => Assert.Equal(SensorFault.Protocol, it.Fault));
        upsd.Answer(Version, List(("ups.status", "OL")));
        Assert.Equal(SensorFault.None, ups.Sample()[0].Fault);
        await upsd.DoneAsync();
    }

    [Fact]
    public async Task A_line_without_end_is_a_protocol_fault()
    {
        using var upsd = new Upsd();
        upsd.Answer(Version, new string('x', 2_000));
        using var ups = upsd.Sensor();

        Assert.All(ups.Sample(), it => Assert.Equal(SensorFault.Protocol, it.Fault));
        await upsd.DoneAsync();
    }

    [Fact]
    public async Task A_restarted_upsd_is_asked_again_within_the_same_sample()
    {
        using var upsd = new Upsd();
        upsd.Answer(Version, List(("ups.status", "OL")));
        upsd.Answer(Version, List(("ups.status", "OB")));
        using var ups = upsd.Sensor();
        Assert.Equal(0, ups.Sample()[0].Value);

        Assert.Equal(1, ups.Sample()[0].Value); // The first connection was closed after its answers.
        await upsd.DoneAsync();
    }

    [Fact]
    public void Nobody_listening_is_unreachable()
    {
        int port;
        using (var upsd = new Upsd()) port = upsd.Port;
        using var ups = new NutUps(new NutEntry("ups", DeviceRole.Ups, "127.0.0.1", port, "rack1", TimeSpan.FromSeconds(2)), TimeProvider.System);

        Assert.All(ups.Sample(), it => Assert.Equal((null, SensorFault.Unreachable), (it.Value, it.Fault)));
    }

    [Fact]
    public void A_upsd_that_accepts_and_says_nothing_times_out()
    {
        using var upsd = new Upsd(); // The kernel accepts into the backlog; nobody answers.
        using var ups = upsd.Sensor();

        Assert.All(ups.Sample(), it => Assert.Equal((null, SensorFault.Timeout), (it.Value, it.Fault)));
    }

    private static string List(params (string Name, string Value)[] variables) =>
        $"BEGIN LIST VAR rack1\n{string.Concat(variables.Select(it => $"VAR rack1 {it.Name} \"{it.Value}\"\n"))}END LIST VAR rack1\n";

    /// <summary>One connection for each <see cref="Answer"/>: a line is read, the next answer written, at the end it hangs up.</summary>
    private sealed class Upsd : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private Task _serving = Task.CompletedTask;

        public Upsd() => _listener.Start();

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public NutUps Sensor() =>
            new(new NutEntry("ups", DeviceRole.Ups, "127.0.0.1", Port, "rack1", TimeSpan.FromSeconds(2)), TimeProvider.System);

        public void Answer(params string[] answers)
        {
            var before = _serving;
            _serving = Task.Run(async () =>
            {
                await before;
                using var client = await _listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
                await using var stream = client.GetStream();
                using var reader = new StreamReader(stream, Encoding.ASCII);
                foreach (var answer in answers)
                {
                    if (answer.Length == 0 || await reader.ReadLineAsync(TestContext.Current.CancellationToken) is null) return;
                    await stream.WriteAsync(Encoding.UTF8.GetBytes(answer), TestContext.Current.CancellationToken);
                }
            });
        }

        public Task DoneAsync() => _serving.WaitAsync(RunningRoom.Patience, TimeProvider.System, TestContext.Current.CancellationToken);

        public void Dispose() => _listener.Dispose();
    }
}
