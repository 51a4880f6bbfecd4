using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using PhysSec.Core.Proof;
using PhysSec.Hub.Access;
using PhysSec.Hub.Configuration;
using PhysSec.Hub.Storage;

namespace PhysSec.Hub.Ledger;

/// <summary>A checkpoint as signed, and the ways by which it has left this machine.</summary>
public sealed record SignedCheckpoint(long Id, Checkpoint Value, string Note, IReadOnlyList<string> Witnesses);

/// <summary>What nobody outside could notice if it were changed now.</summary>
/// <param name="Records">How many of the newest records no outside copy covers.</param>
/// <param name="Since">When the hub got the first of them; null: there is none.</param>
public sealed record Unwitnessed(long Records, DateTimeOffset? Since);

/// <summary>Makes the ledger's checkpoints and knows which of them others hold.</summary>
public sealed class Checkpoints(HubHome home, TimeProvider clock)
{
    private const string Began = "ledger.began";
    private const string Cosigner = "cosigner";

    /// <summary>The key under which this life of the hub signs.</summary>
    public NoteKey Key => home.LedgerKey.Named(Origin(home.Store.Read(Records.HubEpoch)));

    /// <summary>Signs what the ledger is now; the newest one again when nothing was added.</summary>
    public Task<SignedCheckpoint> MakeAsync(CancellationToken cancel = default) => home.Store.WriteAsync(store =>
    {
        var now = clock.GetUtcNow();
        Begin(store, now);
        LedgerTree.Grow(store);
        var (size, origin) = (LedgerTree.Size(store), Origin(Records.HubEpoch(store)));
        if (Newest(store) is { } newest && newest.Value.Size == size && newest.Value.Origin == origin) return newest;
        var made = new Checkpoint(origin, size, MerkleTree.Root(size, LedgerTree.Of(store)), now);
        store.Execute("insert into checkpoints (size, made_at, note) values ($size, $at, $note)", ("$size", size), ("$at", now), ("$note", home.LedgerKey.Sign(made).ToString()));
        return Newest(store)!;
    }, cancel);

    /// <summary>Puts on record that a checkpoint has left this machine. The same way twice counts once.</summary>
    /// <param name="actor">The hub, or who took it.</param>
    /// <param name="it">Which.</param>
    /// <param name="channel">mail, file, or who holds it.</param>
    /// <param name="to">To whom or where; no secret.</param>
    /// <param name="cancel">Ends the waiting.</param>
    public Task LeftAsync(Actor actor, SignedCheckpoint it, string channel, string to, CancellationToken cancel = default) => home.Store.WriteAsync(store =>
    {
        var now = clock.GetUtcNow();
        if (store.Execute("insert into witnesses values ($id, $channel, $at) on conflict do nothing", ("$id", it.Id), ("$channel", channel), ("$at", now)) == 0) return;
        Records.Act(store, new Act(actor, "checkpoint.left", channel, null, null, new JsonObject { ["size"] = it.Value.Size, ["root"] = it.Value.Root.ToString(), ["to"] = to }), now);
    }, cancel);

    /// <summary>
    /// Takes a second machine's line below a checkpoint of this ledger. That machine holds the checkpoint now, so it counts as held outside; a line that is newer takes the place
    /// of the same machine's older one.
    /// </summary>
    /// <exception cref="InputException">It is no checkpoint of this ledger, or no known machine has cosigned it.</exception>
    public Task CosignedAsync(Actor actor, string text, CancellationToken cancel = default)
    {
        var (note, value) = Read(text);
        var signers = home.Configuration.Ledger.Cosigners.Select(it => NoteKey.Parse(it, NoteAlgorithm.Cosignature))
            .Select(key => (Key: key, At: Cosignature.TimeOf(note, key, LedgerKey.Check))).Where(it => it.At is not null).ToList();
        if (signers.Count == 0) throw new InputException("note", "no machine that this hub knows has cosigned it", "name the machine's key in hub.json, ledger.cosigners");
        return home.Store.WriteAsync(store =>
        {
            var now = clock.GetUtcNow();
            if (store.One("select id, note from checkpoints where size = $size order by id desc limit 1", Row, ("$size", value.Size)) is not var (id, before) || SignedNote.Parse(before).Text != note.Text)
                throw new InputException("note", $"this hub has made no such checkpoint over {value.Size} records", "cosign the one that /newest gives");
            var stored = SignedNote.Parse(before);
            foreach (var (key, at) in signers)
            {
                var lines = note.Signatures.Where(it => it.Name == key.Name && it.KeyId == key.Id);
                stored = stored with { Signatures = [.. stored.Signatures.Where(it => it.Name != key.Name || it.KeyId != key.Id), .. lines] };
                var channel = $"{Cosigner}:{key.Name}";
                if (store.Execute("insert into witnesses values ($id, $channel, $at) on conflict do nothing", ("$id", id), ("$channel", channel), ("$at", now)) == 0) continue;
                Records.Act(store, new Act(actor, "checkpoint.cosigned", channel, null, null, new JsonObject
                {
                    ["size"] = value.Size,
                    ["root"] = value.Root.ToString(),
                    ["seenAt"] = at!.Value.ToString("O"),
                    ["key"] = key.ToString(),
                }), now);
            }

            store.Execute("update checkpoints set note = $note where id = $id", ("$id", id), ("$note", stored.ToString()));
        }, cancel);
    }

    public SignedCheckpoint? Newest() => home.Store.Read(Newest);

    /// <summary>The newest that is held outside.</summary>
    public SignedCheckpoint? NewestWitnessed() => home.Store.Read(NewestWitnessed);

    /// <summary>Those that are held outside, oldest first.</summary>
    public static IReadOnlyList<SignedCheckpoint> Witnessed(SqliteConnection store) =>
        [.. store.Query("select id, note from checkpoints where id in (select checkpoint from witnesses) order by id", Row).Select(it => Full(store, it))];

    public IReadOnlyList<SignedCheckpoint> Last(int count) => home.Store.Read(store =>
        store.Query("select id, note from checkpoints order by id desc limit $count", Row, ("$count", count)).Select(it => Full(store, it)).ToList());

    public Unwitnessed Unwitnessed() => home.Store.Read(store =>
    {
        var held = NewestWitnessed(store)?.Value.Size ?? 0;
        var first = store.One("select received_at from ledger where id = $id", it => Tuple.Create(it.Time("received_at")!.Value), ("$id", held + 1));
        return new Unwitnessed(Math.Max(0, LedgerTree.Size(store) - held), first?.Item1);
    });

    /// <summary>
    /// The newest checkpoint and the newest that is held outside, against the tree as it is stored now. Not null: the first to which it no longer leads, because somebody
    /// changed hub.db past this program.
    /// </summary>
    public SignedCheckpoint? FirstBroken() => home.Store.Read(store =>
        new[] { NewestWitnessed(store), Newest(store) }.FirstOrDefault(it => it is not null && !LeadsTo(store, it.Value)));

    private static bool LeadsTo(SqliteConnection store, Checkpoint it)
    {
        try
        {
            return it.Size <= LedgerTree.Size(store) && MerkleTree.Root(it.Size, LedgerTree.Of(store)) == it.Root;
        }
        catch (DamagedTreeException)
        {
            return false; // What is not there leads nowhere.
        }
    }

    private static SignedCheckpoint? NewestWitnessed(SqliteConnection store) =>
        store.One("select id, note from checkpoints where id in (select checkpoint from witnesses) order by id desc limit 1", Row) is { } it ? Full(store, it) : null;

    private static SignedCheckpoint? Newest(SqliteConnection store) => store.One("select id, note from checkpoints order by id desc limit 1", Row) is { } it ? Full(store, it) : null;

    private static Tuple<long, string> Row(SqliteDataReader it) => Tuple.Create(it.GetInt64(0), it.GetString(1));

    private static SignedCheckpoint Full(SqliteConnection store, Tuple<long, string> it) => new(
        it.Item1, Checkpoint.Parse(SignedNote.Parse(it.Item2).Text), it.Item2,
        store.Query("select channel from witnesses where checkpoint = $id order by channel", row => row.GetString(0), ("$id", it.Item1)));

    // Whoever checks the ledger later finds in it by which keys it is to be believed, also those of nodes that an older program enrolled.
    private void Begin(SqliteConnection store, DateTimeOffset now)
    {
        var key = home.LedgerKey.Named(Origin(Records.HubEpoch(store))).ToString();
        if (store.Number("select count(*) from ledger where kind = $kind and body ->> '$.fact.after.key' = $key", ("$kind", "hub." + Began), ("$key", key)) > 0) return;
        Records.Act(store, new Act(Actor.System, Began, null, null, null, new JsonObject
        {
            ["key"] = key,
            ["hub"] = home.Keys.SigningPublicPem,
            ["nodes"] = new JsonArray([.. store.Query("select id, epoch, certificate, revoked_at from nodes order by id", it => (JsonNode)new JsonObject
            {
                ["id"] = it.GetString(0), ["epoch"] = it.GetInt64(1), ["certificate"] = it.GetString(2), ["revoked"] = !it.IsDBNull(3),
            })]),
            ["policies"] = new JsonArray([.. store.Query("select node, version, hash from policies order by node, version", it => (JsonNode)new JsonObject
            {
                ["node"] = it.GetString(0), ["version"] = it.GetInt64(1), ["hash"] = it.GetString(2),
            })]),
        }), now);
    }

    private string Origin(long hubEpoch) => Checkpoint.OriginOf(home.Site, hubEpoch);

    private static (SignedNote Note, Checkpoint Value) Read(string text)
    {
        try
        {
            var note = SignedNote.Parse(text);
            return (note, Checkpoint.Parse(note.Text));
        }
        catch (FormatException fault)
        {
            throw new InputException("note", fault.Message, "send the note that /newest gave, with your line below it");
        }
    }
}
