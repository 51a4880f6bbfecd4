using System.Collections.Concurrent;
using System.Text.Json;
using PhysSec.Core;
using PhysSec.Core.Wire;

namespace PhysSec.Hub.Live;

/// <summary>A live value as people see it: how good it is and how old. Quality is good, stale, fault or unknown.</summary>
public sealed record PointNow(string Node, string Point, double? Value, bool? On, string Unit, string Quality, DateTimeOffset? At, DateTimeOffset ReceivedAt, double AgeSeconds, string? Quantity);

/// <summary>A door as people see it. Quality tells whether the state can be believed: good, or unknown while the node is away.</summary>
public sealed record DoorNow(string Node, string Door, DoorLive State, string Quality, DateTimeOffset ReceivedAt, DoorSince Since);

/// <summary>The newest live values, in memory only: what is gone with a restart comes again within seconds. A silent value never looks alive.</summary>
public sealed class LiveBoard(TimeProvider clock)
{
    private const double PeriodDefault = 10;
    private const double RepeatSeconds = 15; // Doors and contacts are said when they change, and again this often.
    private const double StaleAfterPeriods = 3;

    private readonly ConcurrentDictionary<(NodeId Node, string Point), (LiveValue Value, DateTimeOffset At, long Stamp)> _values = new();
    private readonly ConcurrentDictionary<(NodeId Node, string Door), (DoorLive Door, DateTimeOffset At, long Stamp, DoorSince Since)> _doors = new();
    private readonly ConcurrentDictionary<NodeId, (string State, SinceWhen Since)> _states = new();
    private readonly ConcurrentDictionary<(NodeId Node, string Point), PointDescription> _points = new();
    private readonly ConcurrentDictionary<(NodeId Node, string Door), DoorDescription> _described = new();

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
                TakeState(node, JsonSerializer.Deserialize(payload, WireJson.Plain.NodeState)!.State);
                break;
            case "birth":
                var birth = JsonSerializer.Deserialize(payload, WireJson.Plain.Birth)!;
                foreach (var it in birth.Points) _points[(node, it.Point.Value)] = it;
                foreach (var it in birth.Doors) _described[(node, it.Door.Value)] = it;
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
            it.Key.Node.Value, it.Key.Door, it.Value.Door, Away(it.Key.Node) || Silent(it.Value.Stamp) ? "unknown" : "good", it.Value.At, it.Value.Since))
            .OrderBy(it => it.Door, StringComparer.Ordinal)];

    /// <summary>The node takes part no longer: what it said last is no state of anything.</summary>
    public void Forget(NodeId node)
    {
        foreach (var it in _values.Keys.Where(it => it.Node == node)) _values.TryRemove(it, out _);
        foreach (var it in _doors.Keys.Where(it => it.Node == node)) _doors.TryRemove(it, out _);
        foreach (var it in _points.Keys.Where(it => it.Node == node)) _points.TryRemove(it, out _);
        foreach (var it in _described.Keys.Where(it => it.Node == node)) _described.TryRemove(it, out _);
        _states.TryRemove(node, out _);
        Changed?.Invoke();
    }

    public DoorNow? Door(string door) => Doors().FirstOrDefault(it => it.Door == door);

    /// <summary>What hangs on a door, as its node said at its birth; null before.</summary>
    public DoorDescription? Described(NodeId node, string door) => _described.GetValueOrDefault((node, door));

    /// <summary>Null until the node has said its state.</summary>
    public string? State(NodeId node) => _states.TryGetValue(node, out var it) ? it.State : null;

    /// <summary>Since when the node has been in that state; null until it has said one.</summary>
    public SinceWhen? StateSince(NodeId node) => _states.TryGetValue(node, out var it) ? it.Since : null;

    private void TakeValue(NodeId node, string point, LiveValue value)
    {
        var (now, stamp) = (clock.GetUtcNow(), clock.GetTimestamp());
        if (!point.EndsWith(Topics.DoorSuffix, StringComparison.Ordinal))
        {
            _values[(node, point)] = (value, now, stamp);
            return;
        }

        // A door that cannot be read is unknown, not as it was.
        var key = (node, point[..^Topics.DoorSuffix.Length]);
        if (Read(value.V) is not { } door)
        {
            _doors.TryRemove(key, out _);
            return;
        }

        // What happened while nobody told is not known: after a silence it counts from when it was heard again.
        var seen = _doors.TryGetValue(key, out var last) && !Silent(last.Stamp);
        _doors[key] = (door, now, stamp, DoorSince.Next(seen ? (last.Door, last.Since) : null, door, now));
    }

    private void TakeState(NodeId node, string state)
    {
        var now = clock.GetUtcNow();
        _states.AddOrUpdate(node, _ => (state, new(now, Earlier: true)), (_, it) => it.State == state ? it : (state, new(now, Earlier: false)));
    }

    private bool Silent(long stamp) => Age(stamp) > StaleAfterPeriods * RepeatSeconds;

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

    private bool Away(NodeId node) => State(node) is "lost" or "offline";
}
