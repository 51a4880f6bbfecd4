using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using PhysSec.Core;
using PhysSec.Core.Wire;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Fleet;

/// <summary>
/// A spare board in a node's place. Its key is new and its journal empty; what it gets of the old board is the board file, which the node itself has put on record, sealed.
/// The old certificate ends in the transaction that gives out the new one.
/// </summary>
internal static class Replacement
{
    /// <summary>The board file that the node last put on record; null: there is none that can be opened.</summary>
    public static string? BoardOf(SqliteConnection store, HubHome state, string node)
    {
        var body = store.One(
            "select body from ledger where kind = 'board.configured' and source = $node order by epoch desc, seq desc limit 1", row => row.GetString(0), ("$node", node));
        return body is not null && JsonSerializer.Deserialize(body, WireJson.Plain.JournalRecord)?.Fact is BoardConfigured board
            && BoardSeal.Open(state.Keys.Card, state.Site, new NodeId(node), board.Sealed) is { } text && BoardSeal.Hash(text) == board.Hash ? text : null;
    }

    /// <summary>What ends here, before the new certificate stands in its place: an auditor sees up to where the old board's record is complete, and how much it last said it still had.</summary>
    public static void Record(SqliteConnection store, Actor actor, string node, string why, string? by, DateTimeOffset now)
    {
        var (thumbprint, epoch, health) = store.One(
            "select thumbprint, epoch, health from nodes where id = $id", row => Tuple.Create(row.GetString(0), row.GetInt64(1), row.Text("health")), ("$id", node))!;
        var backlog = health is null ? null : JsonSerializer.Deserialize(health, WireJson.Plain.NodeState)?.Health?.Backlog;
        long Through(string stream) => store.Number(
            "select through from streams where source = $id and epoch = $epoch and stream = $stream", ("$id", node), ("$epoch", epoch), ("$stream", stream));
        Records.Act(store, new Act(actor, "node.replaced", node, why, new JsonObject
        {
            ["thumbprint"] = thumbprint,
            ["epoch"] = epoch,
            ["throughAccess"] = Through(Streams.Access),
            ["throughMeasurements"] = Through(Streams.Measurements),
            ["unsentWhenLastHeard"] = backlog,
        }, new JsonObject { ["invitedBy"] = by }), now);
    }
}
