namespace PhysSec.Core.Wire;

/// <summary>The only place that spells a topic. Version 1 of the wire; within a version fields are only added.</summary>
public static class Topics
{
    public const int Version = 1;
    private const string Root = "physsec/1/";

    public static string Birth(SiteId site, NodeId node) => $"{Root}{site}/{node}/birth";

    public static string State(SiteId site, NodeId node) => $"{Root}{site}/{node}/state";

    public static string Live(SiteId site, NodeId node, PointId point) => $"{Root}{site}/{node}/live/{point}";

    public static string Journal(SiteId site, NodeId node, string stream) => $"{Root}{site}/{node}/journal/{stream}";

    public static string Hot(SiteId site, NodeId node) => $"{Root}{site}/{node}/hot";

    public static string Ack(SiteId site, NodeId node) => $"{Root}{site}/{node}/ack";

    public static string Command(SiteId site, NodeId node, string verb) => $"{Root}{site}/{node}/command/{verb}";

    /// <summary>Where a node answers a command (the response topic of MQTT 5).</summary>
    public static string Reply(SiteId site, NodeId node) => $"{Root}{site}/{node}/reply";

    public static string Policy(SiteId site, NodeId node) => $"{Root}{site}/{node}/policy";

    /// <summary>Where the hub hands a node its renewed certificate.</summary>
    public static string Certificate(SiteId site, NodeId node) => $"{Root}{site}/{node}/certificate";

    public static string Hub(SiteId site) => $"{Root}{site}/hub";

    /// <summary>What a node subscribes to: what the hub tells it, and nothing else.</summary>
    public static IReadOnlyList<string> NodeReads(SiteId site, NodeId node) =>
        [Ack(site, node), $"{Root}{site}/{node}/command/+", Policy(site, node), Certificate(site, node), Hub(site)];

    /// <summary>What the hub subscribes to on an external broker.</summary>
    public static IReadOnlyList<string> HubReads(SiteId site) =>
    [
        $"{Root}{site}/+/birth", $"{Root}{site}/+/state", $"{Root}{site}/+/live/+", $"{Root}{site}/+/journal/+",
        $"{Root}{site}/+/hot", $"{Root}{site}/+/reply",
    ];

    /// <summary>The channels that a node may publish on, below its own name.</summary>
    public static bool NodeMayPublish(NodeTopic topic) =>
        topic.Channel is "birth" or "state" or "hot" or "reply" && topic.Rest is null
        || topic.Channel is "live" && Names.IsDotted(topic.Rest)
        || topic.Channel is "journal" && topic.Rest is Streams.Access or Streams.Measurements;

    /// <summary>The channels that a node may read, below its own name.</summary>
    public static bool NodeMayRead(NodeTopic topic) =>
        topic.Channel is "ack" or "policy" or "certificate" && topic.Rest is null || topic.Channel is "command" && topic.Rest is not null;

    /// <summary>The point of a door's live state ends so. It names who is inside and why somebody was refused: for the hub alone.</summary>
    public const string DoorSuffix = ".door";

    /// <summary>A live value that speaks of persons.</summary>
    public static bool SpeaksOfPersons(NodeTopic topic) => topic.Channel == "live" && topic.Rest?.EndsWith(DoorSuffix, StringComparison.Ordinal) == true;

    /// <summary>What an observer's certificate may read: what a node is, its state and its live values; never doors' states, records, policies or commands.</summary>
    public static bool ObserverMayRead(string filter)
    {
        var parts = filter.Split('/');
        if (filter.EndsWith(DoorSuffix, StringComparison.Ordinal)) return false;
        return filter.StartsWith(Root, StringComparison.Ordinal)
            && parts.Length >= 5
            && (parts.Length == 5 && parts[4] is "birth" or "state" || parts[4] is "live" && parts.Length == 6)
            || parts.Length == 4 && filter.StartsWith(Root, StringComparison.Ordinal) && parts[3] == "hub";
    }

    /// <summary>Splits a node's topic, or returns null when it is none of this version of the wire.</summary>
    public static NodeTopic? Parse(string topic)
    {
        if (!topic.StartsWith(Root, StringComparison.Ordinal)) return null;
        var parts = topic[Root.Length..].Split('/');
        if (parts.Length is < 3 or > 4) return null;
        if (!Names.IsPlain(parts[0]) || !Names.IsPlain(parts[1])) return null;
        return new NodeTopic(new SiteId(parts[0]), new NodeId(parts[1]), parts[2], parts.Length == 4 ? parts[3] : null);
    }
}

/// <summary>A topic below a node: <c>physsec/1/{Site}/{Node}/{Channel}[/{Rest}]</c>.</summary>
public readonly record struct NodeTopic(SiteId Site, NodeId Node, string Channel, string? Rest);

/// <summary>The two streams of a journal.</summary>
public static class Streams
{
    /// <summary>Access, alarms, configuration, audit: never dropped.</summary>
    public const string Access = "a";

    /// <summary>Measurements: thinned first when the disk fills.</summary>
    public const string Measurements = "m";
}
