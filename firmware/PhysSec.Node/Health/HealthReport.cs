using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using PhysSec.Core.Doors;

namespace PhysSec.Node.Health;

/// <summary>One door, as its last live value said.</summary>
public sealed record DoorHealth(string Id, string Phase, bool Released, bool? LeafOpen)
{
    /// <summary>Nobody stands in it and nobody is about to: the node may be stopped. A broken contact says nothing, so that it does not keep a repair away.</summary>
    [JsonIgnore]
    public bool Idle => !Released && LeafOpen is not true && Phase == nameof(DoorPhase.Locked);
}

/// <summary>
/// How the running node is, for the person and the installer at this machine. Up and LoopTickedUp are monotonic seconds since the machine's boot: how old
/// the report is can be told on a board whose clock is wrong.
/// </summary>
public sealed record HealthReport(
    string Version, string Site, string Node, string Board, bool Simulated, string Boot, double Up, DateTimeOffset? At, double LoopTickedUp, bool JournalOpen, long Epoch,
    long PolicyVersion, bool HubAcknowledged, IReadOnlyList<DoorHealth> Doors, IReadOnlyList<string> Faults)
{
    /// <summary>Written each second; older than this, nobody writes it any more.</summary>
    public static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);

    /// <summary>What keeps this node from being called well; empty when nothing does.</summary>
    /// <param name="up">Monotonic time now.</param>
    /// <param name="bootId">The machine's boot.</param>
    /// <param name="linked">The hub must have acknowledged as well.</param>
    public IReadOnlyList<string> Wrong(TimeSpan up, string bootId, bool linked)
    {
        if (Gone(up, bootId)) return ["no node runs here: its last report is old"];
        var wrong = new List<string>();
        var ticked = up.TotalSeconds - LoopTickedUp;
        if (ticked > Fresh.TotalSeconds) wrong.Add(string.Create(CultureInfo.InvariantCulture, $"the control loop has not ticked for {ticked:0} s"));
        if (!JournalOpen) wrong.Add("the journal is not open");
        if (PolicyVersion == 0) wrong.Add("no policy is in force: every door refuses");
        if (linked && !HubAcknowledged) wrong.Add("the hub has not acknowledged anything since the start");
        return wrong;
    }

    /// <summary>The doors that somebody uses at this moment.</summary>
    public IReadOnlyList<string> Busy() =>
        [.. Doors.Where(it => !it.Idle).Select(it => $"door {it.Id} is {(it.Released ? "released" : it.LeafOpen is true ? "open" : it.Phase)}")];

    /// <summary>True when whoever wrote this has ended.</summary>
    public bool Gone(TimeSpan up, string bootId) =>
        !bootId.StartsWith(Boot.Split('-')[0], StringComparison.Ordinal) || Math.Abs(up.TotalSeconds - Up) > Fresh.TotalSeconds;
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, WriteIndented = true)]
[JsonSerializable(typeof(HealthReport))]
internal sealed partial class HealthJson : JsonSerializerContext;
