using System.Text.Json;
using MQTTnet;
using PhysSec.Core.Wire;
using PhysSec.Hub.Ingest;
using PhysSec.Hub.Ledger;
using PhysSec.Hub.Fleet;
using PhysSec.Node.Journal;

namespace PhysSec.Tests.Simulation.Record;

/// <summary>A rule of store and forward that is taken out, outside the product: the model has to find what is lost by it.</summary>
internal sealed record Removed(string Rule)
{
    /// <summary>Forgets at once what is acknowledged.</summary>
    public Retention? Retention { get; private init; }

    /// <summary>A restored hub has a higher epoch than before.</summary>
    public bool Raises { get; private init; } = true;

    /// <summary>Done to the hub's store.</summary>
    public string? Sql { get; private init; }

    /// <summary>The faults that it is there for.</summary>
    public IReadOnlyList<string> Needs { get; private init; } = [];

    private bool PubackFrees { get; init; }

    private bool HotHasItsOwnKey { get; init; }

    private static readonly Retention _nothing = new(TimeSpan.FromSeconds(-1), 0, 0);

    public static Removed EpochInTheKey { get; } = new("1: the epoch is part of the key") { Sql = "create unique index if not exists no_epoch on ledger (source, stream, seq) where source <> 'hub'", Needs = ["re-imaged node", "damaged journal"] };

    public static Removed AckBeforeForgetting { get; } = new("2: PUBACK frees nothing") { PubackFrees = true, Needs = ["broker crash", "hub's line cut"] };

    public static Removed HubEpoch { get; } = new("2: a restored hub has a higher epoch") { Raises = false, Needs = ["backup taken", "hub restored from a backup"] };

    public static Removed KeepingTheAcknowledged { get; } = new("3: acknowledged records are kept") { Retention = _nothing, Needs = ["backup taken", "hub restored from a backup"] };

    public static Removed KeepingBothVersions { get; } = new("3: the same key with another hash is kept twice")
    {
        Sql = "create trigger if not exists no_versions before insert on divergence begin select raise(ignore); end",
        Needs = ["cloned card", "card imaged", "re-imaged node"],
    };

    public static Removed OneKeyForHot { get; } = new("4: a hot record has the same key") { HotHasItsOwnKey = true, Needs = ["partition", "slow line", "line cut"] };

    public void Prepare(ModelHub hub, Broker broker)
    {
        hub.Sql = Sql;
        if (PubackFrees) broker.Puback = Free;
        if (HotHasItsOwnKey) hub.Instead = (topic, payload) => StoreApart(hub, topic, payload);
    }

    private static void Free(LinkClient client, MqttApplicationMessage message)
    {
        if (Topics.Parse(message.Topic) is not { Channel: "journal" } || client.Journal() is not { } store) return;
        var batch = JsonSerializer.Deserialize(message.Payload.FirstSpan, WireJson.Plain.JournalBatch)!;
        store.Acknowledge(batch.Epoch, batch.Stream, batch.Last, store.State(batch.Stream).HubEpoch);
        while (store.Prune(_nothing, ModelHub.Begin)) { }
    }

    private static async Task<bool> StoreApart(ModelHub hub, NodeTopic topic, byte[] payload)
    {
        if (topic.Channel != "hot" || hub.Get<Nodes>().Find(topic.Node) is not { } node) return false;
        var it = Batches.CheckHot(topic.Site, node, payload);
        await hub.Store.WriteAsync(store => Records.Append(store, topic.Node, it.Record with { Stream = "hot" }, it.Hash, it.Body, ModelHub.Begin, late: true));
        return true;
    }
}
