using System.Net.Sockets;
using System.Text;

namespace PhysSec.Hardware;

/// <summary>
/// A UPS behind upsd (Network UPS Tools), asked in its text protocol: VER once, then LIST VAR. The connection is kept;
/// one that has gone stale is made anew within the same sample.
/// </summary>
public sealed class NutUps : Sensor
{
    private const int LongestLine = 1_024;
    private const int VariablesMax = 1_024;
    private static readonly TimeSpan _within = TimeSpan.FromMilliseconds(900);

    private readonly NutEntry _entry;
    private readonly TimeProvider _clock;
    private readonly PointInfo _onBattery;
    private readonly PointInfo _lowBattery;
    private readonly PointInfo _charge;
    private readonly PointInfo _runtime;
    private TcpClient? _client;
    private BoundedLines? _lines;

    public NutUps(NutEntry entry, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(entry);
        (_entry, _clock) = (entry, clock);
        _onBattery = new($"{entry.Id}.on-battery", "bool", 0, 1, "upsOnBattery");
        _lowBattery = new($"{entry.Id}.low-battery", "bool", 0, 1, "upsLowBattery");
        _charge = new($"{entry.Id}.charge", "%", 0, 100, "upsCharge");
        _runtime = new($"{entry.Id}.runtime", "s", 0, 604_800, "upsRuntime");
        Points = [_onBattery, _lowBattery, _charge, _runtime];
    }

    public override string Id => _entry.Id;

    public override DeviceRole Role => _entry.Role;

    public override IReadOnlyList<PointInfo> Points { get; }

    public override TimeSpan Period => _entry.Period;

    public override IReadOnlyList<PointReading> Sample()
    {
        using var deadline = new CancellationTokenSource(_within, _clock);
        try
        {
            var (variables, fault) = AskAsync(deadline.Token).GetAwaiter().GetResult();
            return fault == SensorFault.None ? Judge(variables) : All(fault);
        }
        catch (Exception failure) when (failure is OperationCanceledException or SocketException or IOException or InvalidDataException)
        {
            HangUp(); // Whatever still comes belongs to a question that nobody asks any more.
            return All(failure switch
            {
                OperationCanceledException => SensorFault.Timeout,
                InvalidDataException => SensorFault.Protocol,
                _ => SensorFault.Unreachable,
            });
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) HangUp();
    }

    private PointReading[] Judge(Dictionary<string, string> variables)
    {
        var status = variables.GetValueOrDefault("ups.status") is { } text ? UpsVariables.Status(text) : (null, null);
        var missing = variables.ContainsKey("ups.status") ? SensorFault.OutOfRange : SensorFault.Protocol;
        return
        [
            new(_onBattery.Id, status.Item1, status.Item1 is null ? missing : SensorFault.None),
            new(_lowBattery.Id, status.Item2, status.Item2 is null ? missing : SensorFault.None),
            Number(_charge, "battery.charge"),
            Number(_runtime, "battery.runtime"),
        ];

        PointReading Number(PointInfo point, string name) =>
            variables.GetValueOrDefault(name) is { } given && UpsVariables.Number(given) is { } value
                ? InRange(point, value)
                : new(point.Id, null, SensorFault.Protocol);
    }

    private async Task<(Dictionary<string, string>, SensorFault)> AskAsync(CancellationToken cancel)
    {
        var kept = _client is not null;
        if (kept)
        {
            try
            {
                return await ListAsync(cancel);
            }
            catch (Exception failure) when (failure is SocketException or IOException)
            {
                HangUp(); // upsd was restarted, or dropped an idle client.
            }
        }

        await ConnectAsync(cancel);
        return await ListAsync(cancel);
    }

    private async Task ConnectAsync(CancellationToken cancel)
    {
        _client = new TcpClient { NoDelay = true };
        await _client.ConnectAsync(_entry.Host, _entry.Port, cancel);
        _lines = new BoundedLines(_client.GetStream(), LongestLine);
        var version = await SayAsync("VER", cancel);
        if (!version.StartsWith("Network UPS Tools upsd", StringComparison.Ordinal))
            throw new InvalidDataException("What answers at this port is not upsd.");
    }

    private async Task<(Dictionary<string, string>, SensorFault)> ListAsync(CancellationToken cancel)
    {
        var variables = new Dictionary<string, string>();
        var line = await SayAsync($"LIST VAR {_entry.Ups}", cancel);
        if (line.StartsWith("ERR ", StringComparison.Ordinal)) return (variables, UpsVariables.FaultOf(line));
        if (line != $"BEGIN LIST VAR {_entry.Ups}") throw new InvalidDataException("upsd began something else than the list.");

        for (var count = 0; count <= VariablesMax; count++)
        {
            line = await NextAsync(cancel);
            if (line == $"END LIST VAR {_entry.Ups}") return (variables, SensorFault.None);
            if (UpsVariables.Variable(line, _entry.Ups) is not { } variable)
                throw new InvalidDataException("A line of the list is not a variable.");

            variables[variable.Name] = variable.Value;
        }

        throw new InvalidDataException($"upsd lists more than {VariablesMax} variables.");
    }

    private async Task<string> SayAsync(string command, CancellationToken cancel)
    {
        await _client!.GetStream().WriteAsync(Encoding.ASCII.GetBytes(command + "\n"), cancel);
        return await NextAsync(cancel);
    }

    private async Task<string> NextAsync(CancellationToken cancel) =>
        await _lines!.ReadAsync(cancel) ?? throw new IOException("upsd hung up.");

    private void HangUp()
    {
        _client?.Dispose();
        (_client, _lines) = (null, null);
    }
}
