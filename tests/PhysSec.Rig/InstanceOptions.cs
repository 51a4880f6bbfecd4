using System.Text.Json.Nodes;

namespace PhysSec.Rig;

public enum BrokerKind { Embedded, Mosquitto }

/// <summary>What to start.</summary>
public sealed record InstanceOptions
{
    /// <summary>Everything is kept there; null = a temporary folder, removed at the end.</summary>
    public string? State { get; init; }

    public BrokerKind Broker { get; init; } = BrokerKind.Embedded;

    /// <summary>The shipped board file (its name without ending) by which the room is wired. A room with a second door gets people with PINs too.</summary>
    public string Board { get; init; } = OneRoom;

    public const string OneRoom = "one-room-simulated";

    public const string TwoDoors = "two-doors-simulated";

    /// <summary>Mains and battery also from a real upsd.</summary>
    public bool Ups { get; init; }

    /// <summary>The node's program and first arguments; null = as built, on the shared runtime.</summary>
    public IReadOnlyList<string>? NodeProgram { get; init; }

    /// <summary>The section review of hub.json.</summary>
    public JsonObject? Review { get; init; }

    /// <summary>Start a hub or node again that ended by itself, as systemd would.</summary>
    public bool Restart { get; init; }

    /// <summary>Variables of the hub's process, and of the node's.</summary>
    public IReadOnlyDictionary<string, string?>? HubEnvironment { get; init; }

    /// <inheritdoc cref="HubEnvironment"/>
    public IReadOnlyDictionary<string, string?>? NodeEnvironment { get; init; }

    /// <summary>Receives what the children say and what the rig does.</summary>
    public Action<string>? Say { get; init; }
}
