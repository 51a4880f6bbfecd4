using System.Collections.Concurrent;
using System.Text.Json;
using PhysSec.Core;
using PhysSec.Core.Wire;

namespace PhysSec.Hub.Live;

/// <summary>A live value as people see it: how good it is and how old. Quality is good, stale, fault or unknown.</summary>
public sealed record PointNow(string Node, string Point, double? Value, bool? On, string Unit, string Quality, DateTimeOffset? At, DateTimeOffset ReceivedAt, double AgeSeconds, string? Quantity);

/// <summary>A door as people see it. Quality tells whether the state can be believed: good, or unknown while the node is away.</summary>
public sealed record DoorNow(string Node, string Door, DoorLive State, string Quality, DateTimeOffset ReceivedAt);

/// <summary>The newest live values, in memory only: what is gone with a restart comes again within seconds. A silent value never looks alive.</summary>
public sealed class LiveBoard(TimeProvider clock)
{
    private const double PeriodDefault = 10;
    private const double RepeatSeconds = 15; // Doors and contacts are said when they change, and again this often.
    private const double StaleAfterPeriods = 3;

    private readonly ConcurrentDictionary<(NodeId Node, string Point), (LiveValue Value, DateTimeOffset At, long Stamp)> _values = new();
    private readonly ConcurrentDictionary<(NodeId Node, string Door), (DoorLive Door, DateTimeOffset At, long Stamp)> _doors = new();
    private readonly ConcurrentDictionary<NodeId, string> _states = new();
    private readonly ConcurrentDictionary<(NodeId Node, string Point), PointDescription> _points = new();

    /// <summary>Something changed; whoever shows it decides how often to draw.</summary>
    public event Action? Changed;

    /// <summary>Takes a checked message of the channel live, birth or state.</summary>
    public void Take(NodeId node, string channel, string? point, byte[] payload)
    {
        switch (channel)
        {
            case "live":
                TakeValue(node, point!, JsonSerializer.Deserialize(payload, WireJson.Plain.LiveValue)!);
                break;
            case "state":
                _states[node] = JsonSerializer.Deserialize(payload, WireJson.Plain.NodeState)!.State;
                break;
            case "birth":
                foreach (var it in JsonSerializer.Deserialize(payload, WireJson.Plain.Birth)!.Points) _points[(node, it.Point.Value)] = it;
                break;
        }

        Changed?.Invoke();
    }

    public IReadOnlyList<PointNow> Points()
    {
        return [.. _values.Select(it => Point(it.Key, it.Value)).OrderBy(it => it.Node, StringComparer.Ordinal).ThenBy(it => it.Point, StringComparer.Ordinal)];
    }

    public IReadOnlyList<DoorNow> Doors() =>
        [.. _doors.Select(it => new DoorNow(
            it.Key.Node.Value, it.Key.Door, it.Value.Door, Away(it.Key.Node) || Age(it.Value.Stamp) > StaleAfterPeriods * RepeatSeconds ? "unknown" : "good", it.Value.At))
            .OrderBy(it => it.Door, StringComparer.Ordinal)];

    /// <summary>The node takes part no longer: what it said last is no state of anything.</summary>
    public void Forget(NodeId node)
    {
        foreach (var it in _values.Keys.Where(it => it.Node == node)) _values.TryRemove(it, out _);
        foreach (var it in _doors.Keys.Where(it => it.Node == node)) _doors.TryRemove(it, out _);
        foreach (var it in _points.Keys.Where(it => it.Node == node)) _points.TryRemove(it, out _);
        _states.TryRemove(node, out _);
        Changed?.Invoke();
    }

    public DoorNow? Door(string door) => Doors().FirstOrDefault(it => it.Door == door);

    /// <summary>Null until the node has said its state.</summary>
    public string? State(NodeId node) => _states.GetValueOrDefault(node);

    private void TakeValue(NodeId node, string point, LiveValue value)
    {
        var (now, stamp) = (clock.GetUtcNow(), clock.GetTimestamp());
        if (!point.EndsWith(Topics.DoorSuffix, StringComparison.Ordinal))
        {
            _values[(node, point)] = (value, now, stamp);
            return;
        }

        // A door that cannot be read is unknown, not as it was.
        if (Read(value.V) is { } door) _doors[(node, point[..^Topics.DoorSuffix.Length])] = (door, now, stamp);
        else _doors.TryRemove((node, point[..^Topics.DoorSuffix.Length]), out _);
    }

    private static DoorLive? Read(JsonElement value)
    {
        try
        {
            return value.Deserialize(WireJson.Plain.DoorLive);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // By the monotonic clock: the machine's time may be stepped.
    private double Age(long stamp) => clock.GetElapsedTime(stamp).TotalSeconds;

    private PointNow Point((NodeId Node, string Point) key, (LiveValue Value, DateTimeOffset At, long Stamp) last)
    {
        var age = Age(last.Stamp);
        var period = _points.GetValueOrDefault(key) is not { } about ? RepeatSeconds : about.PeriodSeconds > 0 ? about.PeriodSeconds : PeriodDefault;
        var stale = age > StaleAfterPeriods * period;
        var quality = Away(key.Node) ? "unknown" : stale ? "stale" : last.Value.Quality;
        var v = last.Value.V;
        return new PointNow(
            key.Node.Value, key.Point, v.ValueKind == JsonValueKind.Number ? v.GetDouble() : null,
            v.ValueKind is JsonValueKind.True or JsonValueKind.False ? v.GetBoolean() : null, last.Value.Unit, quality, last.Value.At, last.At, age, _points.GetValueOrDefault(key)?.Quantity);
    }

    private bool Away(NodeId node) => _states.GetValueOrDefault(node) is "lost" or "offline";
}
