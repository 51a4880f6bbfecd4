using System.Text.Json;
using Microsoft.Data.Sqlite;
using PhysSec.Core.Access;
using PhysSec.Core.Wire;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Access;

/// <summary>What a door's settings claim of whoever enters, and what its board says that its readers prove.</summary>
/// <param name="Door">As it is set.</param>
/// <param name="Zone">Null: it is gone.</param>
/// <param name="Board">As the node's birth describes the door; null: no board has said that it has it.</param>
public sealed record DoorAssurance(DoorSettings Door, ZoneSettings? Zone, DoorDescription? Board)
{
    /// <summary>A board that does not say what its readers prove proves nothing.</summary>
    public Assurance Proved => Board?.Wiring?.Assured() ?? Assurance.Low;

    /// <summary>What the node is told: the lower of the two.</summary>
    public Assurance Counted => Door.ReaderAssurance < Proved ? Door.ReaderAssurance : Proved;

    /// <summary>The settings claim more than the board's readers prove.</summary>
    public bool Overclaimed => Board is not null && Door.ReaderAssurance > Proved;

    /// <summary>Whoever enters a zone above level 1 here has shown a number that can be copied.</summary>
    public bool NumberOnly => Zone is { Level: > 1 } && Counted == Assurance.Low;

    internal static List<DoorAssurance> All(SqliteConnection store)
    {
        var zones = Zones.All(store).ToDictionary(it => it.Id);
        var boards = new Dictionary<(string, string), DoorDescription>();
        foreach (var (node, json) in store.Query("select id, birth from nodes where birth is not null and revoked_at is null", it => (it.GetString(0), it.GetString(1))))
            foreach (var door in JsonSerializer.Deserialize(json, WireJson.Plain.Birth)?.Doors ?? [])
                boards[(node, door.Door.Value)] = door;
        return [.. Doors.All(store).Select(it => new DoorAssurance(it, zones.GetValueOrDefault(it.Zone), boards.GetValueOrDefault((it.Node, it.Id))))];
    }
}
