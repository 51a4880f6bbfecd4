using System.Globalization;
using System.Net.Sockets;

namespace PhysSec.Rig.Peers;

/// <summary>
/// A real upsd with Debian's dummy-ups driver, on a free port of the loopback address. The driver plays a sequence file
/// again and again; another one put in its place is taken at the end of a round.
/// </summary>
public sealed class Ups : IAsyncDisposable
{
    public const string Name = "rack1";

    private const string OnMains = """
        ups.mfr: PhysSec
        ups.model: Dummy 3000
        ups.status: OL
        battery.charge: 100
        battery.charge.low: 20
        battery.runtime: 2400
        input.voltage: 101.2
        ups.load: 31
        TIMER 1

        """;

    private const string OnBattery = """
        ups.status: OB DISCHRG
        input.voltage: 0.0
        battery.charge: 60
        battery.runtime: 900
        TIMER 4

        """;

    private const string LowBattery = """
        ups.status: OB DISCHRG LB
        battery.charge: 15
        battery.runtime: 120
        TIMER 4

        """;

    private readonly string _folder;
    private readonly Child _driver;
    private readonly Child _server;

    private Ups(string folder, int port, Child driver, Child server) =>
        (_folder, Port, _driver, _server) = (folder, port, driver, server);

    public int Port { get; }

    public IReadOnlyList<int> Pids => [_driver.Pid, _server.Pid];

    public static async Task<Ups> StartAsync(string folder, int port, CancellationToken cancel)
    {
        const string driver = "/lib/nut/dummy-ups";
        const string server = "/lib/nut/upsd";
        if (!File.Exists(driver)) throw new RigException("dummy-ups is missing; install Debian's nut-server");

        Files.Folder(folder);
        Files.WriteSecret(Path.Combine(folder, "ups.conf"),
            $"[{Name}]\n  driver = dummy-ups\n  port = {folder}/{Name}.seq\n  desc = \"Server room UPS\"\n");
        Files.WriteSecret(Path.Combine(folder, "upsd.conf"),
            string.Create(CultureInfo.InvariantCulture, $"LISTEN 127.0.0.1 {port}\nMAXAGE 15\nSTATEPATH {folder}\n"));
        Files.WriteSecret(Path.Combine(folder, "upsd.users"), "");
        Write(folder, OnMains);

        var paths = new Dictionary<string, string?>
        {
            ["NUT_CONFPATH"] = folder,
            ["NUT_STATEPATH"] = folder,
            ["NUT_ALTPIDPATH"] = folder,
        };
        var user = Environment.UserName;
        var driving = Child.Start("ups driver", driver, ["-a", Name, "-u", user, "-D"], null, paths);
        var serving = Child.Start("upsd", server, ["-u", user, "-D"], null, paths);
        var ups = new Ups(folder, port, driving, serving);
        try
        {
            await Wait.UntilAsync("upsd to report the UPS on mains", () => ups.SaysAsync("OL"), TimeSpan.FromSeconds(15), cancel);
            return ups;
        }
        catch (RigException failure)
        {
            await ups.DisposeAsync();
            throw new RigException($"{failure.Message}. upsd: {serving.Tail()} driver: {driving.Tail()}");
        }
    }

    /// <summary>From now on: on battery, low battery, back on mains, and so on mains.</summary>
    public async Task PlayPowerCutAsync(CancellationToken cancel)
    {
        Write(_folder, OnBattery + LowBattery + OnMains);
        await Wait.UntilAsync("the UPS to go on battery", () => SaysAsync("OB"), TimeSpan.FromSeconds(10), cancel);
        Write(_folder, OnMains);
    }

    /// <summary>kill -9 of upsd: nobody answers any more.</summary>
    public Task KillServerAsync() => _server.KillAsync();

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _driver.DisposeAsync();
    }

    private static void Write(string folder, string sequence) =>
        Files.WriteSecret(Path.Combine(folder, $"{Name}.seq"), sequence);

    private async Task<bool> SaysAsync(string status)
    {
        if (_server.Ended.IsCompleted) throw new RigException($"upsd ended. {_server.Tail()}");
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", Port);
            await using var stream = client.GetStream();
            await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes($"GET VAR {Name} ups.status\n"));
            using var reader = new StreamReader(stream);
            return (await reader.ReadLineAsync())?.Contains($"\"{status}", StringComparison.Ordinal) == true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
